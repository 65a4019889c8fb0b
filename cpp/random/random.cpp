// Arrays of random numbers.
#include "random/random_kernels.hpp"
#include "runtime/parallel.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

// Both numbers of the blocks from the first on. A loop without branches, which compilers vectorise.
void whole_blocks(const RandomStream& stream, std::uint64_t first, std::size_t blocks,
                  double* numbers) {
    for (std::size_t i = 0; i < blocks; ++i) {
        const PhiloxBlock x = philox(stream, first + i);
        numbers[2 * i] = uniform_of(x.word[0], x.word[1]);
        numbers[2 * i + 1] = uniform_of(x.word[2], x.word[3]);
    }
}

void fill(const RandomStream& stream, std::uint64_t position, std::size_t count, double* numbers) {
    const std::size_t odd = count > 0 && position % 2 == 1 ? 1 : 0;
    const std::size_t blocks = (count - odd) / 2;
    if (odd == 1) numbers[0] = uniform(stream, position);
    whole_blocks(stream, (position + odd) / 2, blocks, numbers + odd);
    for (std::size_t i = odd + 2 * blocks; i < count; ++i) {
        numbers[i] = uniform(stream, position + i);
    }
}

void uniform_numbers(RandomStream stream, std::uint64_t position, std::size_t count,
                     double* numbers) {
    parallel_for(count, [&](std::size_t begin, std::size_t end) {
        fill(stream, position + begin, end - begin, numbers + begin);
    });
}

void words(RandomStream stream, std::uint64_t block, std::uint32_t* words) {
    const PhiloxBlock x = philox(stream, block);
    for (int i = 0; i < 4; ++i) words[i] = x.word[i];
}

}  // namespace

const RandomKernels random_kernels_table = {.uniform = uniform_numbers, .words = words};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

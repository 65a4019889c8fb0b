// Kernels that fill arrays with the numbers of a random stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "random/philox.hpp"
#include "runtime/kernel_tables.hpp"

namespace madnis {

struct RandomKernels {
    // numbers[i] = uniform(stream, position + i), 0 <= i < count.
    void (*uniform)(RandomStream stream, std::uint64_t position, std::size_t count,
                    double* numbers);

    // The four words of a block.
    void (*words)(RandomStream stream, std::uint64_t block, std::uint32_t* words);
};

MADNIS_KERNELS(RandomKernels, random_kernels)

}  // namespace madnis

// Random numbers as a function of a stream and a position there: Philox4x32-10.
//
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2,
// 3", SC'11. The constants are those of Random123.
//
// A number is a function of the stream and of its position there, so that any thread computes any
// number: element (event, k) of an array (n, d) that begins at position p is uniform(stream,
// p + event * d + k). Plain unsigned integers: the same bits on every processor and device.
#pragma once

#include <cstdint>

#include "simd/isa.hpp"

namespace madnis {

// Which stream. The words of the counter are, low word first, the number of the block and the
// subsequence, those of the key the key.
struct RandomStream {
    std::uint64_t key, subsequence;
};

inline namespace MADNIS_ISA {

struct PhiloxBlock {
    std::uint32_t word[4];
};

// One round: two products of 32 x 32 bits, their halves crossed and mixed with the key.
MADNIS_INLINE PhiloxBlock philox_round(const PhiloxBlock& x, std::uint32_t key0,
                                       std::uint32_t key1) {
    const std::uint64_t product0 = std::uint64_t(0xD2511F53u) * x.word[0];
    const std::uint64_t product1 = std::uint64_t(0xCD9E8D57u) * x.word[2];
    return {{std::uint32_t(product1 >> 32) ^ x.word[1] ^ key0, std::uint32_t(product1),
             std::uint32_t(product0 >> 32) ^ x.word[3] ^ key1, std::uint32_t(product0)}};
}

// Four words of 32 random bits: the block with this number of a stream.
MADNIS_INLINE PhiloxBlock philox(const RandomStream& stream, std::uint64_t block) {
    PhiloxBlock x{{std::uint32_t(block), std::uint32_t(block >> 32),
                   std::uint32_t(stream.subsequence), std::uint32_t(stream.subsequence >> 32)}};
    std::uint32_t key0 = std::uint32_t(stream.key), key1 = std::uint32_t(stream.key >> 32);
    for (int round = 0; round < 10; ++round) {
        x = philox_round(x, key0, key1);
        key0 += 0x9E3779B9u;  // golden ratio
        key1 += 0xBB67AE85u;  // sqrt(3) - 1
    }
    return x;
}

// 27 bits of one word and 26 of another as a multiple of 2^-53 in [0, 1). Every step is exact, and
// conversions from 32 bits exist in every instruction set.
MADNIS_INLINE double uniform_of(std::uint32_t high, std::uint32_t low) {
    constexpr double two_to_26 = 67108864.0, two_to_minus_53 = 1.0 / 9007199254740992.0;
    return (std::int32_t(high >> 5) * two_to_26 + std::int32_t(low >> 6)) * two_to_minus_53;
}

// The number at a position of a stream, uniform in [0, 1): a block has two, of its words 0 and 1 at
// the even position 2 * block, of 2 and 3 at the odd one.
MADNIS_INLINE double uniform(const RandomStream& stream, std::uint64_t position) {
    const PhiloxBlock x = philox(stream, position / 2);
    return position % 2 == 0 ? uniform_of(x.word[0], x.word[1]) : uniform_of(x.word[2], x.word[3]);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

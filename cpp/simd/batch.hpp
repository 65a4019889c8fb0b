// Views of batches of events: what bindings hand to kernels.
//
// Element (event e, row r) is at data[e * event_stride + r * row_stride]. Two layouts occur:
//   points x (n, d)          C-contiguous, as torch and numpy make them:
//                            event_stride = d, row_stride = 1
//   momenta p (n, P, 4)      event-fastest, row r = 4 * particle + component:
//                            event_stride = 1, row_stride = n
// Momenta are (E, px, py, pz) in GeV, incoming particles first with positive energies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/isa.hpp"

namespace madnis {

// Events per block: a block of a few thousand stays in the cache
// (measured 4-5 times faster than one sweep over 10^6).
inline constexpr std::size_t block_size = 4096;

template <class Number>
struct BatchView {
    Number* data;
    std::size_t count;         // events
    std::size_t rows;          // numbers per event
    std::size_t event_stride;  // in numbers
    std::size_t row_stride;    // in numbers

    MADNIS_FN Number* at(std::size_t event, std::size_t row) const {
        return data + event * event_stride + row * row_stride;
    }
};

using ConstBatch = BatchView<const double>;
using MutableBatch = BatchView<double>;

}  // namespace madnis

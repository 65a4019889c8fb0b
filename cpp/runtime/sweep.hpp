// The loop of every kernel: blocks over threads, lanes over the events of a block.
#pragma once

#include <algorithm>

#include "runtime/parallel.hpp"
#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Call body(event, count) for consecutive groups of lane_width events; `count` of them exist
// (load.. and store.. take it).
template <class Body>
void sweep(std::size_t events, const Body& body) {
    parallel_for(events, [&](std::size_t begin, std::size_t end) {
        constexpr std::size_t width = lane_width<Lane>;
        for (std::size_t event = begin; event < end; event += width) {
            body(event, std::min(width, end - event));
        }
    });
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

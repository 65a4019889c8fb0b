// Cuts sorted channels into the ranges that threads work on.
#pragma once

#include <cstdint>
#include <vector>

#include "flows/coupling.hpp"

namespace madnis {

// Ranges of nearly equal length for the counts of each channel, at least one per channel, so that
// an empty channel has an empty one. A function of the counts alone.
std::vector<EventRange> event_ranges(const std::vector<std::int64_t>& counts);

}  // namespace madnis

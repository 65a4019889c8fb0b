#include "flows/event_ranges.hpp"

#include <algorithm>

namespace madnis {
namespace {

// Events: ranges begin at multiples of it, as the vectors of the kernels do.
constexpr std::size_t unit = 16;

// Units of a range, at most, until its channel has its most ranges.
constexpr std::size_t units_per_range = 10;

// Ranges of one channel: each costs as much memory as the channel's parameters.
constexpr std::size_t most_ranges = 16;

std::size_t quotient_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

std::vector<EventRange> event_ranges(const std::vector<std::int64_t>& counts) {
    std::vector<EventRange> ranges;
    std::size_t first = 0, partial = 0;
    for (std::size_t channel = 0; channel < counts.size(); ++channel) {
        const std::size_t count = std::size_t(counts[channel]), units = quotient_up(count, unit);
        const std::size_t pieces =
            std::clamp<std::size_t>(quotient_up(units, units_per_range), 1, most_ranges);
        for (std::size_t i = 0; i < pieces; ++i) {
            const std::size_t begin = std::min(count, units * i / pieces * unit);
            const std::size_t end = std::min(count, units * (i + 1) / pieces * unit);
            ranges.push_back({channel, first + begin, first + end, i == 0 ? 0 : ++partial});
        }
        first += count;
    }
    return ranges;
}

}  // namespace madnis

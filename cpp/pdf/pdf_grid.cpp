// Construction of the tables, once per PDF member; the kernels that read them are in
// pdf_density.cpp.
#include "pdf/pdf_grid.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace madnis {
namespace {

std::vector<CubicInterval> make_intervals(const std::vector<double>& knots) {
    std::vector<CubicInterval> intervals;
    const auto width = [&](std::size_t i) { return std::log(knots[i + 1]) - std::log(knots[i]); };
    for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
        const bool first = i == 0 || knots[i - 1] == knots[i];
        const bool last = i + 2 == knots.size() || knots[i + 1] == knots[i + 2];
        intervals.push_back({
            .log_low = std::log(knots[i]),
            .inverse_width = 1 / width(i),
            .low_inside = first ? 1 : 0.5,
            .low_outside = first ? 0 : 0.5 * width(i) / width(i - 1),
            .high_inside = last ? 1 : 0.5,
            .high_outside = last ? 0 : 0.5 * width(i) / width(i + 1),
            .alone = first && last,
        });
    }
    return intervals;
}

constexpr std::size_t doubles_per_cache_line = 8;

std::size_t padded(std::size_t flavours) {
    return (flavours + doubles_per_cache_line - 1) / doubles_per_cache_line *
           doubles_per_cache_line;
}

}  // namespace

LogAxis::LogAxis(std::vector<double> knots_)
    : knots(std::move(knots_)), intervals(make_intervals(knots)) {}

PdfGrid::PdfGrid(std::vector<double> x_knots, std::vector<double> q2_knots, std::size_t flavours,
                 const double* source, double minimum)
    : x_(std::move(x_knots)),
      q2_(std::move(q2_knots)),
      flavours_(flavours),
      stride_(padded(flavours)),
      minimum_(minimum),
      values_((x_.knots.size() + 2) * (q2_.knots.size() + 2) * stride_) {
    for (std::size_t i = 0; i < x_.knots.size(); ++i) {
        for (std::size_t j = 0; j < q2_.knots.size(); ++j, source += flavours) {
            const std::size_t knot = (i + 1) * (q2_.knots.size() + 2) + j + 1;
            std::copy(source, source + flavours, values_.data() + knot * stride_);
        }
    }
}

AlphaSTable::AlphaSTable(std::vector<double> q2_knots, const double* source)
    : q2_(std::move(q2_knots)), values_(q2_.knots.size() + 2) {
    const auto& knots = q2_.knots;
    std::copy(source, source + knots.size(), values_.begin() + 1);
    const auto second =
        std::size_t(std::upper_bound(knots.begin(), knots.end(), knots[0]) - knots.begin());
    power_below_ = std::log(source[second] / source[0]) / std::log(knots[second] / knots[0]);
}

}  // namespace madnis

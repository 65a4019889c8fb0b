// Parton densities on a grid: cubic in log x and log Q^2, as LHAPDF 6 does for the format
// `lhagrid1`.
//
// One axis is a row of knots. Between two knots the function is the cubic with the right values and
// slopes at both; a slope is the mean of the difference quotients to the left and to the right, or
// the only one at the end of the axis. A knot that occurs twice ends a subgrid: slopes never look
// across it. All this is linear in the values at four neighbouring knots, so a point costs four
// weights per axis, once, and then 16 products per flavour.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "simd/isa.hpp"

namespace madnis {

// Interval between the knots i and i + 1, f_0 and f_1 the values there, f_-1 and f_2 those at the
// next knots outside:
// slope * width at knot i     = low_inside  * (f_1 - f_0) + low_outside  * (f_0 - f_-1)
// slope * width at knot i + 1 = high_inside * (f_1 - f_0) + high_outside * (f_2 - f_1)
struct CubicInterval {
    double log_low, inverse_width;
    double low_inside, low_outside;
    double high_inside, high_outside;
    bool alone;  // the only interval of its subgrid
};

// Knots that ascend, at least two; equal neighbours are allowed and separate subgrids.
struct LogAxis {
    explicit LogAxis(std::vector<double> knots);

    std::vector<double> knots;
    std::vector<CubicInterval> intervals;  // knots.size() - 1
};

// x f(x, Q^2) at the knots. Memory order (x, Q^2, flavour) with one row of zeros before the first
// and behind the last knot of either axis, where the weights vanish, and `stride` doubles per knot.
struct PdfGrid {
    static constexpr std::size_t max_flavours = 32;

    // values: (x knots, Q^2 knots, flavours) in C order; minimum: results below it are raised to
    // it.
    PdfGrid(std::vector<double> x_knots, std::vector<double> q2_knots, std::size_t flavours,
            const double* values, double minimum);

    LogAxis x, q2;
    std::size_t flavours, stride;
    double minimum;
    std::vector<double> values;
};

// alpha_s(Q^2) at the knots, with one zero before the first and behind the last.
struct AlphaSTable {
    AlphaSTable(std::vector<double> q2_knots, const double* values);

    LogAxis q2;
    std::vector<double> values;
    double power_below;  // d log(alpha_s) / d log(Q^2) of the first interval
};

inline namespace MADNIS_ISA {

// f = sum over k of weight[k] * f[first + k], with the zero before the first knot counted.
struct CubicStencil {
    std::size_t first;
    double weight[4];
    bool alone;
};

// Number of the interval of a value between the first and the last knot; a repeated knot belongs to
// the subgrid above.
inline std::size_t interval_of(const LogAxis& axis, double value) {
    const double* base = axis.knots.data();
    for (std::size_t length = axis.intervals.size(); length > 1;) {
        const std::size_t half = length / 2;
        base = base[half] <= value ? base + half : base;
        length -= half;
    }
    return std::size_t(base - axis.knots.data());
}

// The weights of the cubic at a value between the first and the last knot.
inline CubicStencil cubic_stencil(const LogAxis& axis, double value) {
    const std::size_t index = interval_of(axis, value);
    const CubicInterval& interval = axis.intervals[index];
    const double t = (std::log(value) - interval.log_low) * interval.inverse_width;
    const double high = t * t * (3 - 2 * t);
    const double low = 1 - high;
    const double low_slope = t * (1 - t) * (1 - t);
    const double high_slope = t * t * (t - 1);
    const double inside = low_slope * interval.low_inside + high_slope * interval.high_inside;
    const double below = low_slope * interval.low_outside;
    const double above = high_slope * interval.high_outside;
    return {index, {-below, low - inside + below, high + inside - above, above}, interval.alone};
}

// The straight line in the logarithm instead.
inline CubicStencil linear_stencil(const LogAxis& axis, double value) {
    const std::size_t index = interval_of(axis, value);
    const CubicInterval& interval = axis.intervals[index];
    const double t = (std::log(value) - interval.log_low) * interval.inverse_width;
    return {index, {0, 1 - t, t, 0}, interval.alone};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

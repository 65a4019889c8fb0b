// Parton densities and alpha_s from their tables: cubic in log x and log Q^2, as LHAPDF 6 does for
// the format `lhagrid1`, and continued beyond them.
//
// Between two knots the function is the cubic with the right values and slopes at both; a slope is
// the mean of the difference quotients to the left and to the right, or the only one at the end of
// the axis. A knot that occurs twice ends a subgrid: slopes never look across it. All this is
// linear in the values at four neighbouring knots, so a point costs four weights per axis, once,
// and then 16 products per flavour.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "pdf/pdf_specs.hpp"
#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// f = sum over k of weight[k] * f[first + k], with the zero before the first knot counted.
struct CubicStencil {
    std::size_t first;
    double weight[4];
    bool alone;
};

// Number of the interval of a value between the first and the last knot; a repeated knot belongs to
// the subgrid above.
MADNIS_FN inline std::size_t interval_of(const LogAxisSpec& axis, double value) {
    const double* base = axis.knots;
    for (std::size_t length = axis.size - 1; length > 1;) {
        const std::size_t half = length / 2;
        base = base[half] <= value ? base + half : base;
        length -= half;
    }
    return std::size_t(base - axis.knots);
}

// The weights of the cubic at a value between the first and the last knot.
MADNIS_FN inline CubicStencil cubic_stencil(const LogAxisSpec& axis, double value) {
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
MADNIS_FN inline CubicStencil linear_stencil(const LogAxisSpec& axis, double value) {
    const std::size_t index = interval_of(axis, value);
    const CubicInterval& interval = axis.intervals[index];
    const double t = (std::log(value) - interval.log_low) * interval.inverse_width;
    return {index, {0, 1 - t, t, 0}, interval.alone};
}

// A point of the grid, on its first and last knots or between them. LHAPDF is bilinear where a
// subgrid has only two knots in Q^2.
class GridPoint {
public:
    MADNIS_INLINE GridPoint(const PdfGridSpec& grid, double x, double q2)
        : row_(cubic_stencil(grid.q2, q2)),
          column_(row_.alone ? linear_stencil(grid.x, x) : cubic_stencil(grid.x, x)),
          line_((grid.q2.size + 2) * grid.stride),
          stride_(grid.stride),
          corner_(grid.values + column_.first * line_ + row_.first * stride_) {}

    // x f of this flavour, or of as many from it on as T has room for.
    template <class T>
    MADNIS_INLINE T density(std::size_t flavour) const {
        T sum(0);
        for (std::size_t i = 0; i < 4; ++i) {
            const double* knot = corner_ + i * line_ + flavour;
            T along_q2(0);
            for (std::size_t j = 0; j < 4; ++j) {
                along_q2 += row_.weight[j] * load<T>(knot + j * stride_, lane_width<T>);
            }
            sum += column_.weight[i] * along_q2;
        }
        return sum;
    }

private:
    CubicStencil row_, column_;
    std::size_t line_, stride_;
    const double* corner_;
};

// Straight line through two values, in their logarithms where both exceed 1e-3, so that the density
// stays positive.
MADNIS_FN inline double continue_line(double share, double low, double high) {
    if (low > 1e-3 && high > 1e-3) return low * std::exp(share * std::log(high / low));
    return low + share * (high - low);
}

// Densities on the grid and beyond its ends, as LHAPDF's `continuation` makes them from those on
// it. `Flavours` says for which flavours: it has the type `Values` of their densities,
// `on_grid(x, q2)`, and `each(formula, a, b)`, a formula applied flavour by flavour.
template <class Flavours>
class ContinuedDensities {
public:
    using Values = typename Flavours::Values;

    MADNIS_FN ContinuedDensities(const PdfGridSpec& grid, const Flavours& flavours)
        : grid_(grid), flavours_(flavours) {}

    // At 0 < x <= last knot and Q^2 >= 0. Power law below the first Q^2 knot, from the anomalous
    // dimension there, at least -2.5, to f ~ Q^2 at Q^2 = 0.
    MADNIS_FN Values at(double x, double q2) const {
        const double first = grid_.q2.first();
        if (!(q2 < first)) return above_first_q2(x, q2);
        const double ratio = q2 / first;
        return flavours_.each(
            [ratio](double f, double above) {
                const double dimension =
                    std::abs(f) < 1e-5 ? 1 : std::max(-2.5, (above - f) / f / 0.01);
                return f * std::pow(ratio, dimension * ratio + 1 - ratio);
            },
            above_first_q2(x, first), above_first_q2(x, 1.01 * first));
    }

private:
    // Line in log x through the first two knots below them.
    MADNIS_FN Values above_first_q2(double x, double q2) const {
        const double* knots = grid_.x.knots;
        if (!(x < knots[0])) return above_first_x(x, q2);
        const double share = std::log(x / knots[0]) / std::log(knots[1] / knots[0]);
        return line(share, above_first_x(knots[0], q2), above_first_x(knots[1], q2));
    }

    // Line in log Q^2 through the last two knots above them.
    MADNIS_FN Values above_first_x(double x, double q2) const {
        const double last = grid_.q2.last(), before = grid_.q2.knots[grid_.q2.size - 2];
        if (!(q2 > last)) return flavours_.on_grid(x, q2);
        const double share = std::log(q2 / last) / std::log(before / last);
        return line(share, flavours_.on_grid(x, last), flavours_.on_grid(x, before));
    }

    MADNIS_FN Values line(double share, const Values& low, const Values& high) const {
        return flavours_.each([share](double a, double b) { return continue_line(share, a, b); },
                              low, high);
    }

    const PdfGridSpec& grid_;
    const Flavours& flavours_;
};

MADNIS_FN inline bool lies_on_grid(const PdfGridSpec& grid, double x, double q2) {
    return x >= grid.x.first() && q2 >= grid.q2.first() && q2 <= grid.q2.last();
}

// Whether the grid says what the densities are, itself or continued; elsewhere they are
// `densities_elsewhere`.
MADNIS_FN inline bool has_densities(const PdfGridSpec& grid, double x, double q2) {
    return x > 0 && x <= grid.x.last() && q2 >= 0;
}

MADNIS_FN inline double densities_elsewhere(double x, double q2) {
    return std::isnan(x) || !(q2 >= 0) ? std::numeric_limits<double>::quiet_NaN() : 0;
}

// Power law below the table, constant above it.
MADNIS_FN inline double alpha_s_at(const AlphaSSpec& table, double q2) {
    if (!(q2 >= 0)) return std::numeric_limits<double>::quiet_NaN();
    if (q2 > table.q2.last()) return table.values[table.q2.size];
    if (q2 < table.q2.first()) {
        return table.values[1] * std::pow(q2 / table.q2.first(), table.power_below);
    }
    const CubicStencil stencil = cubic_stencil(table.q2, q2);
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k) sum += stencil.weight[k] * table.values[stencil.first + k];
    return sum;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

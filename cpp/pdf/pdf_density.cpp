// Interpolation of parton densities and of alpha_s on their grids.
#include <algorithm>
#include <limits>

#include "pdf/pdf_kernels.hpp"
#include "runtime/parallel.hpp"
#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

namespace {

struct Densities {
    alignas(64) double xf[PdfGrid::max_flavours];
};

// All flavours at a point of the grid. LHAPDF is bilinear where a subgrid has only two knots in
// Q^2.
void interpolate(const PdfGrid& grid, double x, double q2, Densities& result) {
    const CubicStencil row = cubic_stencil(grid.q2, q2);
    const CubicStencil column = row.alone ? linear_stencil(grid.x, x) : cubic_stencil(grid.x, x);
    const std::size_t line = (grid.q2.knots.size() + 2) * grid.stride;
    const double* corner = grid.values.data() + column.first * line + row.first * grid.stride;
    for (std::size_t flavour = 0; flavour < grid.stride; flavour += lane_width<Lane>) {
        Lane sum(0);
        for (std::size_t i = 0; i < 4; ++i) {
            const double* knot = corner + i * line + flavour;
            Lane along_q2(0);
            for (std::size_t j = 0; j < 4; ++j) {
                along_q2 += row.weight[j] * Lane(knot + j * grid.stride, stdx::element_aligned);
            }
            sum += column.weight[i] * along_q2;
        }
        sum.copy_to(result.xf + flavour, stdx::element_aligned);
    }
}

// Straight line through two values, in their logarithms where both exceed 1e-3, so that the density
// stays positive.
double continue_line(double share, double low, double high) {
    if (low > 1e-3 && high > 1e-3) return low * std::exp(share * std::log(high / low));
    return low + share * (high - low);
}

void density(const PdfGrid& grid, double x, double q2, Densities& result);

// Line in log x through the first two knots.
void continue_below_x(const PdfGrid& grid, double x, double q2, Densities& result) {
    const auto& knots = grid.x.knots;
    Densities second;
    density(grid, knots[0], q2, result);
    density(grid, knots[1], q2, second);
    const double share = std::log(x / knots[0]) / std::log(knots[1] / knots[0]);
    for (std::size_t k = 0; k < grid.flavours; ++k) {
        result.xf[k] = continue_line(share, result.xf[k], second.xf[k]);
    }
}

// Line in log Q^2 through the last two knots.
void continue_above_q2(const PdfGrid& grid, double x, double q2, Densities& result) {
    const double last = grid.q2.knots.back(), before = grid.q2.knots[grid.q2.knots.size() - 2];
    Densities lower;
    density(grid, x, last, result);
    density(grid, x, before, lower);
    const double share = std::log(q2 / last) / std::log(before / last);
    for (std::size_t k = 0; k < grid.flavours; ++k) {
        result.xf[k] = continue_line(share, result.xf[k], lower.xf[k]);
    }
}

// Power law below the first Q^2 knot, from the anomalous dimension there, at least -2.5, to f ~ Q^2
// at Q^2 = 0.
void continue_below_q2(const PdfGrid& grid, double x, double q2, Densities& result) {
    const double first = grid.q2.knots.front();
    const double ratio = q2 / first;
    Densities above;
    density(grid, x, first, result);
    density(grid, x, 1.01 * first, above);
    for (std::size_t k = 0; k < grid.flavours; ++k) {
        const double f = result.xf[k];
        const double dimension =
            std::abs(f) < 1e-5 ? 1 : std::max(-2.5, (above.xf[k] - f) / f / 0.01);
        result.xf[k] = f * std::pow(ratio, dimension * ratio + 1 - ratio);
    }
}

// All flavours at 0 < x <= last knot and Q^2 >= 0; outside the grid as LHAPDF's `continuation`.
void density(const PdfGrid& grid, double x, double q2, Densities& result) {
    if (q2 < grid.q2.knots.front()) {
        continue_below_q2(grid, x, q2, result);
    } else if (x < grid.x.knots.front()) {
        continue_below_x(grid, x, q2, result);
    } else if (q2 > grid.q2.knots.back()) {
        continue_above_q2(grid, x, q2, result);
    } else {
        interpolate(grid, x, q2, result);
    }
}

double alpha_s_at(const AlphaSTable& table, double q2) {
    const auto& knots = table.q2.knots;
    if (!(q2 >= 0)) return std::numeric_limits<double>::quiet_NaN();
    if (q2 > knots.back()) return table.values[knots.size()];
    if (q2 < knots.front()) {
        return table.values[1] * std::pow(q2 / knots.front(), table.power_below);
    }
    const CubicStencil stencil = cubic_stencil(table.q2, q2);
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k) sum += stencil.weight[k] * table.values[stencil.first + k];
    return sum;
}

void pdf_density(const PdfGrid& grid, const double* x, const double* q2, std::size_t count,
                 const std::int64_t* columns, std::size_t n_columns, double* xf) {
    parallel_for(count, [&](std::size_t begin, std::size_t end) {
        Densities all;
        for (std::size_t event = begin; event < end; ++event) {
            double* out = xf + event * n_columns;
            if (std::isnan(x[event]) || !(q2[event] >= 0)) {
                std::fill(out, out + n_columns, std::numeric_limits<double>::quiet_NaN());
            } else if (x[event] <= 0 || x[event] > grid.x.knots.back()) {
                std::fill(out, out + n_columns, 0.0);
            } else {
                density(grid, x[event], q2[event], all);
                for (std::size_t k = 0; k < n_columns; ++k) {
                    out[k] = columns[k] < 0 ? 0 : std::max(all.xf[columns[k]], grid.minimum);
                }
            }
        }
    });
}

void alpha_s(const AlphaSTable& table, const double* q2, std::size_t count, double* result) {
    parallel_for(count, [&](std::size_t begin, std::size_t end) {
        for (std::size_t event = begin; event < end; ++event) {
            result[event] = alpha_s_at(table, q2[event]);
        }
    });
}

}  // namespace

const PdfKernels pdf_kernels_table = {.density = pdf_density, .alpha_s = alpha_s};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

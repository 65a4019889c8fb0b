// Parton densities of two beams and alpha_s, one event per thread.
#include "cuda/launch.hpp"
#include "pdf/densities.hpp"

using namespace madnis;

namespace {

MADNIS_GPU_CALL double density_on_grid(const PdfGridSpec& grid, double x, double q2,
                                       std::size_t flavour) {
    return GridPoint(grid, x, q2).density<double>(flavour);
}

// One flavour of a grid, for `ContinuedDensities`.
struct OneFlavour {
    using Values = double;

    MADNIS_GPU_FN double on_grid(double x, double q2) const {
        return density_on_grid(grid, x, q2, flavour);
    }

    template <class Formula>
    MADNIS_GPU_FN double each(const Formula& formula, double a, double b) const {
        return formula(a, b);
    }

    const PdfGridSpec& grid;
    std::size_t flavour;
};

MADNIS_GPU_CALL double continued_density(const PdfGridSpec& grid, double x, double q2,
                                         std::size_t flavour) {
    return ContinuedDensities(grid, OneFlavour{grid, flavour}).at(x, q2);
}

struct Columns {
    const std::int64_t* number;  // of the flavour in the grid, -1 for one that it does not have
    std::int64_t count;
};

// x f of some flavours.
MADNIS_GPU_FN void densities(const PdfGridSpec& grid, const Columns& columns, double x, double q2,
                             double* xf) {
    const auto fill = [&](const auto& density) {
        for (std::int64_t k = 0; k < columns.count; ++k) {
            const std::int64_t number = columns.number[k];
            xf[k] = number < 0 ? 0 : std::max(density(std::size_t(number)), grid.minimum);
        }
    };
    if (!has_densities(grid, x, q2)) {
        const double value = densities_elsewhere(x, q2);
        for (std::int64_t k = 0; k < columns.count; ++k) xf[k] = value;
    } else if (lies_on_grid(grid, x, q2)) {
        const GridPoint point(grid, x, q2);
        fill([&](std::size_t flavour) { return point.density<double>(flavour); });
    } else {
        fill([&](std::size_t flavour) { return continued_density(grid, x, q2, flavour); });
    }
}

}  // namespace

// f_a(x_a, Q^2) f_b(x_b, Q^2) of two hadrons with the same grid. Momenta p (4 P, n), Q^2 (n,),
// energies of the beams; the different flavours of either beam by their numbers in the grid, and
// which of them meet in a combination: pairs (n_flavours, 2), places among those of beam a and of
// beam b. Result (n_flavours, n), of live events alone.
MADNIS_KERNEL(luminosity, const PdfGridSpec* grid, const double* p, const double* q2,
              double energy_a, double energy_b, const std::int64_t* columns_a, std::int64_t n_a,
              const std::int64_t* columns_b, std::int64_t n_b, const std::int64_t* pairs,
              std::int64_t n_flavours, const std::int64_t* live, const std::int64_t* n_live,
              double* result, std::int64_t n) {
    const std::int64_t event = LiveEvents{live, n_live, n}.event(thread_index());
    if (event < 0) return;
    const double x_a = p[event] / energy_a, x_b = p[4 * n + event] / energy_b;
    double xf_a[PdfGridSpec::max_flavours], xf_b[PdfGridSpec::max_flavours];
    densities(*grid, {columns_a, n_a}, x_a, q2[event], xf_a);
    densities(*grid, {columns_b, n_b}, x_b, q2[event], xf_b);
    for (std::int64_t k = 0; k < n_flavours; ++k) {
        result[k * n + event] = xf_a[pairs[2 * k]] * xf_b[pairs[2 * k + 1]] / (x_a * x_b);
    }
}

// alpha_s(Q^2) of live events from a table.
MADNIS_KERNEL(table_alpha_s, const AlphaSSpec* table, const double* q2, const std::int64_t* live,
              const std::int64_t* n_live, double* result, std::int64_t n) {
    const std::int64_t event = LiveEvents{live, n_live, n}.event(thread_index());
    if (event >= 0) result[event] = alpha_s_at(*table, q2[event]);
}

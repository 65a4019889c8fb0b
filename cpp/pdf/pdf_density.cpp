// Parton densities and alpha_s of many points; the densities of all flavours at once, in lanes.
#include <algorithm>

#include "pdf/densities.hpp"
#include "pdf/pdf_kernels.hpp"
#include "runtime/parallel.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

namespace {

// All flavours of a grid, for `ContinuedDensities`.
class AllFlavours {
public:
    struct Values {
        alignas(64) double xf[PdfGridSpec::max_flavours];
    };

    explicit AllFlavours(const PdfGridSpec& grid) : grid_(grid) {}

    Values on_grid(double x, double q2) const {
        const GridPoint point(grid_, x, q2);
        Values result;
        for (std::size_t flavour = 0; flavour < grid_.stride; flavour += lane_width<Lane>) {
            store(result.xf + flavour, point.density<Lane>(flavour), lane_width<Lane>);
        }
        return result;
    }

    template <class Formula>
    Values each(const Formula& formula, const Values& a, const Values& b) const {
        Values result;
        for (std::size_t k = 0; k < grid_.flavours; ++k) result.xf[k] = formula(a.xf[k], b.xf[k]);
        return result;
    }

private:
    const PdfGridSpec& grid_;
};

void pdf_density(const PdfGridSpec& grid, const double* x, const double* q2, std::size_t count,
                 const std::int64_t* columns, std::size_t n_columns, double* xf) {
    const AllFlavours flavours(grid);
    const ContinuedDensities densities(grid, flavours);
    parallel_for(count, [&](std::size_t begin, std::size_t end) {
        for (std::size_t event = begin; event < end; ++event) {
            double* out = xf + event * n_columns;
            if (!has_densities(grid, x[event], q2[event])) {
                std::fill(out, out + n_columns, densities_elsewhere(x[event], q2[event]));
                continue;
            }
            const AllFlavours::Values all = densities.at(x[event], q2[event]);
            for (std::size_t k = 0; k < n_columns; ++k) {
                out[k] = columns[k] < 0 ? 0 : std::max(all.xf[columns[k]], grid.minimum);
            }
        }
    });
}

void alpha_s(const AlphaSSpec& table, const double* q2, std::size_t count, double* result) {
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

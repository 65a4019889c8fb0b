// |M_i|^2 of single diagrams: both sides of a line of each are summed over helicities as density
// matrices, whose product is the square.
#pragma once

#include "amplitudes/amplitude_tape.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// The density matrix of a node with its instances in `data`. `rho`: anything with elements.
template <class T, class Rho>
MADNIS_INLINE void add_instances(const DensityRow& row, const Slots<T>& data, Rho& rho) {
    for (std::size_t k = 0; k < density_size; ++k) rho[k] = T(0);
    if (WaveKind(row.kind) == WaveKind::scalar) {
        for (std::int32_t i = 0; i < row.instances; ++i) {
            rho[0] += norm(read_complex<T>(data + scalar_numbers * i));
        }
        return;
    }
    for (std::int32_t i = 0; i < row.instances; ++i) {
        const auto wave = read_wave<T>(data + wave_numbers * i);
        std::size_t next = 4;
        for (int mu = 0; mu < 4; ++mu) {
            rho[mu] += norm(wave.c[mu]);
            for (int nu = mu + 1; nu < 4; ++nu) {
                const auto element = wave.c[mu] * conj(wave.c[nu]);
                rho[next++] += element.re;
                rho[next++] += element.im;
            }
        }
    }
}

// The same where it is to stay. A thread of a GPU has the registers to sum in, lanes do not.
template <class T>
MADNIS_INLINE void write_density(const DensityRow& row, const Slots<T>& data, Slots<T> out) {
    if constexpr (lane_width<T> == 1) {
        T rho[density_size];
        add_instances<T>(row, data, rho);
        for (std::size_t k = 0; k < density_size; ++k) out[k] = rho[k];
    } else {
        add_instances<T>(row, data, out);
    }
}

// sum_{mu nu} g_mu g_nu rho_mu_nu sigma_mu_nu with the metric g of vectors, 1 for spinors.
template <class T>
MADNIS_INLINE T density_product(WaveKind kind, const Slots<T>& rho, const Slots<T>& sigma) {
    T sum = rho[0] * sigma[0];
    if (kind == WaveKind::scalar) return sum;
    for (std::size_t mu = 1; mu < 4; ++mu) sum += rho[mu] * sigma[mu];
    T time = T(0), space = T(0);
    for (std::size_t k = 4; k < 10; k += 2) time += rho[k] * sigma[k] - rho[k + 1] * sigma[k + 1];
    for (std::size_t k = 10; k < density_size; k += 2) {
        space += rho[k] * sigma[k] - rho[k + 1] * sigma[k + 1];
    }
    return kind == WaveKind::vector ? T(sum + T(2) * (space - time))
                                    : T(sum + T(2) * (space + time));
}

// |M_i|^2 of one event, or of one group of events lane by lane the same, in a workspace of
// workspace_numbers(spec).
template <class T>
class DiagramSquaresRunner {
public:
    MADNIS_FN DiagramSquaresRunner(const DiagramSquaresSpec& spec, const EventInput& input,
                                   const MutableBatch& squares, Workspace<T> workspace)
        : spec_(spec),
          input_(input),
          squares_(squares),
          currents_(spec.currents, workspace),
          densities_(workspace.take(density_size * spec.n_densities)),
          sums_(workspace.take(spec.n_diagrams)) {}

    // The events [event, event + lanes), `count` of which exist.
    MADNIS_INLINE void run(std::size_t event, std::size_t count) {
        currents_.run(input_, event, count);
        for (std::size_t k = 0; k < spec_.n_densities; ++k) {
            write_density<T>(spec_.densities[k], currents_.memory() + spec_.densities[k].offset,
                             densities_ + density_size * k);
        }
        for (std::size_t k = 0; k < spec_.n_diagrams; ++k) sums_[k] = T(0);
        for (std::size_t k = 0; k < spec_.n_pairs; ++k) {
            const auto& row = spec_.pairs[k];
            sums_[row.diagram] +=
                constant<T>(spec_.pair_factors[k]) *
                density_product<T>(WaveKind(row.kind), densities_ + density_size * row.current,
                                   densities_ + density_size * row.source);
        }
        const T g2 = constant<T>(four_pi) * load<T>(input_.alpha_s + event, count);
        for (std::size_t k = 0; k < spec_.n_diagrams; ++k) {
            // Negative is what rounding leaves of large terms; NaN stays.
            const T sum = select(sums_[k] < 0., T(0.), sums_[k]);
            const T square = power_of(g2, 2 * spec_.powers[k]) * sum;
            store_strided(squares_.at(event, k), squares_.event_stride, square, count);
        }
    }

private:
    const DiagramSquaresSpec& spec_;
    const EventInput& input_;
    const MutableBatch& squares_;
    CurrentsRunner<T> currents_;
    Slots<T> densities_;  // of density_size numbers each
    Slots<T> sums_;       // of the diagrams
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

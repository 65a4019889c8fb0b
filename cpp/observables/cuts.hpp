// Cuts on observables of one particle, a pair or a system.
#pragma once

#include "observables/cut_specs.hpp"
#include "observables/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_FN T observable(const CutSpec& cut, const ConstBatch& p, std::size_t event,
                       std::size_t count) {
    const auto momentum = [&](std::size_t k) {
        return load_momentum<T>(p, std::size_t(cut.particles[k]), event, count);
    };
    const auto system = [&] {
        auto sum = momentum(0);
        for (std::size_t k = 1; k < cut.n_particles; ++k) sum = sum + momentum(k);
        return sum;
    };
    const auto summed_pt = [&] {
        T sum(0.);
        for (std::size_t k = 0; k < cut.n_particles; ++k) {
            sum = sum + transverse_momentum(momentum(k));
        }
        return sum;
    };
    switch (cut.observable) {
        case Observable::pt: return transverse_momentum(momentum(0));
        case Observable::eta: return abs(pseudorapidity(momentum(0)));
        case Observable::rapidity: return abs(rapidity(momentum(0)));
        case Observable::energy: return momentum(0).e;
        case Observable::partonic_energy:
            return energy_in_rest_frame(momentum(0), load_momentum<T>(p, 0, event, count) +
                                                         load_momentum<T>(p, 1, event, count));
        case Observable::mass: return invariant_mass(system());
        case Observable::pt_sum: return transverse_momentum(system());
        case Observable::dr: return separation(momentum(0), momentum(1));
        case Observable::deta:
            return abs(pseudorapidity(momentum(0)) - pseudorapidity(momentum(1)));
        case Observable::dy: return abs(rapidity(momentum(0)) - rapidity(momentum(1)));
        case Observable::dphi: return abs(azimuthal_separation(momentum(0), momentum(1)));
        case Observable::eta_product:
            return pseudorapidity(momentum(0)) * pseudorapidity(momentum(1));
        case Observable::ht: return summed_pt();
    }
    return T(detail::nan);
}

// Inside [minimum, maximum]. NaN passes: it must reach the check of the weights and be reported
// there.
template <class T>
MADNIS_FN Mask<T> passes(const CutSpec& cut, const ConstBatch& p, std::size_t event,
                         std::size_t count) {
    const T value = observable<T>(cut, p, event, count);
    return !(value < cut.minimum || value > cut.maximum);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

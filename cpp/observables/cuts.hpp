// Cuts on observables of one particle, a pair or a system, and isolation of particles.
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

// ((1 - cos R) / (1 - cos radius))^n, Eq. (3.4) of hep-ph/9801442.
template <class T>
MADNIS_FN T isolation_share(const T& distance, double radius, double exponent) {
    if (exponent == 0) return T(1.);
    const T chord = sin(T(0.5 * distance)) / sin(0.5 * radius);
    return exp(T(2. * exponent * bounded_log(chord)));
}

// As for other cuts NaN passes.
template <class T>
MADNIS_FN Mask<T> passes(const IsolationSpec& isolation, const ConstBatch& p, std::size_t event,
                         std::size_t count) {
    const auto momentum = [&](std::int64_t k) {
        return load_momentum<T>(p, std::size_t(k), event, count);
    };
    const auto isolated = momentum(isolation.particle);
    const T most = isolation.epsilon * transverse_momentum(isolated);
    T distance[most_particles], pt[most_particles];
    for (std::size_t k = 0; k < isolation.n_others; ++k) {
        const auto other = momentum(isolation.others[k]);
        distance[k] = separation_of_directions(isolated, other);
        pt[k] = transverse_momentum(other);
    }
    Mask<T> pass(true);
    for (std::size_t k = 0; k < isolation.n_others; ++k) {
        T inside(0.);
        for (std::size_t i = 0; i < isolation.n_others; ++i) {
            inside = inside + select(distance[i] <= distance[k], pt[i], T(0.));
        }
        const T share = isolation_share<T>(distance[k], isolation.radius, isolation.exponent);
        pass = pass && !(distance[k] <= isolation.radius && inside > most * share);
    }
    return pass;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

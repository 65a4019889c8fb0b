// Scales of an event, s-hat and the flux of its partons, as on the processor
// physics/observables/{scales,parton_kinematics}.py compute them.
#pragma once

#include "observables/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Sum of a function of the momenta of the final particles.
template <class T, class Term>
MADNIS_FN T final_sum(const ConstBatch& p, std::size_t event, std::size_t count, const Term& term) {
    T sum(0.);
    for (std::size_t i = 2; i < p.rows / 4; ++i) {
        sum = sum + term(load_momentum<T>(p, i, event, count));
    }
    return sum;
}

// H_T: sum of the transverse momenta.
template <class T>
MADNIS_FN T summed_pt(const ConstBatch& p, std::size_t event, std::size_t count) {
    return final_sum<T>(p, event, count,
                        [](const FourVector<T>& k) { return transverse_momentum(k); });
}

// Sum of the transverse energies E p_T / |p|, 0 of a particle at rest.
template <class T>
MADNIS_FN T summed_transverse_energy(const ConstBatch& p, std::size_t event, std::size_t count) {
    return final_sum<T>(p, event, count, [](const FourVector<T>& k) {
        const T pt = transverse_momentum(k), momentum = sqrt(pt * pt + k.z * k.z);
        const auto moving = momentum != 0.;
        return select(moving, T(k.e * pt / select(moving, momentum, T(1.))), T(0.));
    });
}

// Sum of the transverse masses sqrt(E^2 - p_z^2).
template <class T>
MADNIS_FN T summed_transverse_mass(const ConstBatch& p, std::size_t event, std::size_t count) {
    return final_sum<T>(p, event, count, [](const FourVector<T>& k) {
        return sqrt(max(T((k.e - k.z) * (k.e + k.z)), T(0.)));
    });
}

// (p_1 + p_2)^2 of partons along z, without cancellation if massless.
template <class T>
MADNIS_FN T s_hat(const ConstBatch& p, std::size_t event, std::size_t count) {
    const auto a = load_momentum<T>(p, 0, event, count), b = load_momentum<T>(p, 1, event, count);
    const T squares = (a.e - a.z) * (a.e + a.z) + (b.e - b.z) * (b.e + b.z);
    return squares + 2. * (a.e * b.e - a.z * b.z);
}

// 1 / (2 lambda^(1/2)(s, m_1^2, m_2^2)) of partons along z, GeV^-2.
template <class T>
MADNIS_FN T flux(const ConstBatch& p, std::size_t event, std::size_t count) {
    const auto a = load_momentum<T>(p, 0, event, count), b = load_momentum<T>(p, 1, event, count);
    return 1. / (4. * abs(a.e * b.z - b.e * a.z));
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

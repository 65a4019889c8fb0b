// Kinematics of two-body systems and boosts along the beams.
#pragma once

#include "observables/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// lambda(s, m1^2, m2^2) = (s - (m1 + m2)^2) (s - (m1 - m2)^2); the product keeps its digits at
// threshold.
template <class T>
T kaellen(const T& s, double m1, double m2) {
    return (s - (m1 + m2) * (m1 + m2)) * (s - (m1 - m2) * (m1 - m2));
}

// sqrt(lambda), 0 below threshold.
template <class T>
T root_kaellen(const T& s, double m1, double m2) {
    const double threshold = (m1 + m2) * (m1 + m2);
    return select(s > threshold, sqrt(max(kaellen(s, m1, m2), T(0.))), T(0.));
}

// A momentum by p+- = E +- p_z, which a boost along z multiplies and divides: small components keep
// their digits.
template <class T>
struct LightConeVector {
    T plus, minus, x, y;
};

// Momentum after a boost along z by rapidity log(ratio).
template <class T>
FourVector<T> boost_along_z(const LightConeVector<T>& p, const T& ratio) {
    const T plus = p.plus * ratio, minus = p.minus / ratio;
    return {0.5 * (plus + minus), p.x, p.y, 0.5 * (plus - minus)};
}

// p_z after the same boost of a particle of known mass, whose small component follows from p+
// p- = p_T^2 + m^2.
template <class T>
T boosted_pz(const FourVector<T>& p, double mass, const T& ratio) {
    const T large = p.e + abs(p.z);
    const T small = (p.x * p.x + p.y * p.y + mass * mass) / large;
    const auto forward = p.z > 0.;
    return 0.5 * (select(forward, large, small) * ratio - select(forward, small, large) / ratio);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Kinematics of two-body systems and boosts along the beams.
#pragma once

#include "observables/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// lambda(s, m1^2, m2^2) = (s - (m1 + m2)^2) (s - (m1 - m2)^2); the product keeps its digits at
// threshold.
template <class T>
MADNIS_FN T kaellen(const T& s, double m1, double m2) {
    return (s - (m1 + m2) * (m1 + m2)) * (s - (m1 - m2) * (m1 - m2));
}

// sqrt(lambda), 0 below threshold.
template <class T>
MADNIS_FN T root_kaellen(const T& s, double m1, double m2) {
    const double threshold = (m1 + m2) * (m1 + m2);
    return select(s > threshold, sqrt(max(kaellen(s, m1, m2), T(0.))), T(0.));
}

// A momentum by p+- = E +- p_z, which a boost along z multiplies and divides: small components keep
// their digits.
template <class T>
struct LightConeVector {
    T plus, minus, x, y;
};

// p+ and p- of a particle of known mass: the smaller one follows from p+ p- = p_T^2 + m^2. Inlined
// on purpose: which products GCC contracts, and so the last bits, follows from what is inlined.
template <class T>
MADNIS_INLINE LightConeVector<T> light_cone(const FourVector<T>& p, double mass) {
    const T transverse = p.x * p.x + p.y * p.y + mass * mass;
    const T large = p.e + abs(p.z), small = transverse / select(large > 0., large, T(1.));
    const auto forward = p.z > 0.;
    return {select(forward, large, small), select(forward, small, large), p.x, p.y};
}

template <class T>
MADNIS_FN FourVector<T> four_vector(const T& plus, const T& minus, const T& x, const T& y) {
    return {0.5 * (plus + minus), x, y, 0.5 * (plus - minus)};
}

// Momentum after a boost along z by rapidity log(ratio).
template <class T>
MADNIS_FN FourVector<T> boost_along_z(const LightConeVector<T>& p, const T& ratio) {
    return four_vector(T(p.plus * ratio), T(p.minus / ratio), p.x, p.y);
}

// Momentum before that boost.
template <class T>
MADNIS_FN FourVector<T> boost_back_along_z(const LightConeVector<T>& p, const T& ratio) {
    return four_vector(T(p.plus / ratio), T(p.minus * ratio), p.x, p.y);
}

// p_z of a particle of known mass after the boost, its small component as in light_cone.
template <class T>
MADNIS_FN T boosted_pz(const FourVector<T>& p, double mass, const T& ratio) {
    const T large = p.e + abs(p.z);
    const T small = (p.x * p.x + p.y * p.y + mass * mass) / large;
    const auto forward = p.z > 0.;
    return 0.5 * (select(forward, large, small) * ratio - select(forward, small, large) / ratio);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

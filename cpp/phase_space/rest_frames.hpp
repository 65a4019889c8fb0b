// Pairs of particles, boosts to and from their rest frames, and axes along a direction.
#pragma once

#include "observables/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_FN T square_root(const T& x) {
    return sqrt(max(x, T(0.)));
}

// sqrt(lambda(s, m1^2, m2^2)) with squared masses of the event.
template <class T>
MADNIS_FN T root_kaellen_of(const T& s, const T& m1, const T& m2) {
    const T sum = m1 + m2, difference = m1 - m2;
    return square_root(T((s - sum * sum) * (s - difference * difference)));
}

// The momentum of a particle of this mass with the same three components.
template <class T>
MADNIS_FN FourVector<T> on_shell(const FourVector<T>& p, const T& mass) {
    return {sqrt(p.x * p.x + p.y * p.y + p.z * p.z + mass * mass), p.x, p.y, p.z};
}

// p out of the rest frame of `frame`, a system of this mass.
template <class T>
MADNIS_FN FourVector<T> boosted(const FourVector<T>& p, const FourVector<T>& frame, const T& mass) {
    const T energy = (frame.e * p.e + frame.x * p.x + frame.y * p.y + frame.z * p.z) / mass;
    const T along = (p.e + energy) / (frame.e + mass);
    return {energy, p.x + frame.x * along, p.y + frame.y * along, p.z + frame.z * along};
}

// p in the rest frame of `frame`.
template <class T>
MADNIS_FN FourVector<T> at_rest(const FourVector<T>& p, const FourVector<T>& frame, const T& mass) {
    return boosted(p, FourVector<T>{frame.e, -frame.x, -frame.y, -frame.z}, mass);
}

// Two particles from D = E_2 p_1 - E_1 p_2: no difference of large numbers, however fast a light
// pair is.
template <class T>
struct Pair {
    FourVector<T> p, q;
    T m1, m2;

    MADNIS_FN FourVector<T> difference() const {
        return {T(0.), q.e * p.x - p.e * q.x, q.e * p.y - p.e * q.y, q.e * p.z - p.e * q.z};
    }

    // m^2 = m_1^2 + m_2^2 + (D^2 + m_1^2 E_2^2 + m_2^2 E_1^2) / (E_1 E_2)
    MADNIS_FN T squared_mass() const {
        const auto d = difference();
        const T s1 = m1 * m1, s2 = m2 * m2, product = p.e * q.e;
        const T sum = d.x * d.x + d.y * d.y + d.z * d.z + s1 * q.e * q.e + s2 * p.e * p.e;
        return s1 + s2 + sum / select(product > 0., product, T(1.));
    }

    // Momentum of the first where both rest, (D + P P.D / (m (E + m))) / E, P.D from energies and
    // masses.
    MADNIS_FN FourVector<T> at_rest(const T& mass) const {
        const auto d = difference(), sum = p + q;
        const T along = 0.5 * (mass * mass * (p.e - q.e) - sum.e * ((m1 - m2) * (m1 + m2)));
        const T across = mass * (sum.e + mass);
        const T inverse = 1. / (across * select(sum.e > 0., sum.e, T(1.)));
        return {T(0.), (d.x * across + sum.x * along) * inverse,
                (d.y * across + sum.y * along) * inverse, (d.z * across + sum.z * along) * inverse};
    }
};

// The axes x, y and z after the shortest rotation that takes z to a unit vector n; it jumps at
// n = -z alone.
template <class T>
struct Frame {
    T a[3], b[3], n[3];

    MADNIS_FN Frame(const T& x, const T& y, const T& z) : n{x, y, z} {
        const T across = x * x + y * y;
        const auto ahead = z >= 0., behind = !ahead && across > least_across;
        const T scale = select(behind, T(1. - z), T(1.)) /
                        select(behind, across, select(ahead, T(1. + z), T(1.)));
        const T xy = x * y * scale;
        a[0] = 1. - x * x * scale;
        a[1] = -xy;
        a[2] = -x;
        b[0] = -xy;
        b[1] = 1. - y * y * scale;
        b[2] = -y;
    }

private:
    // n_x^2 + n_y^2 below which n counts as -z: its inverse must not overflow.
    static constexpr double least_across = 1e-290;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

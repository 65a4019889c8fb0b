// Wavefunctions of external particles: helicity eigenstates with the polarisation vectors of HELAS,
// eps^0 = 0 in the frame of the momenta where they are massless. Spinors in the chiral
// representation, psi = (psi_L, psi_R), conjugate ones as rows that multiply it. Phases are chosen
// so that no direction is singular.
#pragma once

#include "observables/four_vector.hpp"
#include "simd/complex.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// A four-vector, a spinor or, in the first component, a scalar.
template <class T>
struct Wave {
    Complex<T> c[4];
};

// Unit vector along p and its length; along z where p vanishes but for rounding.
template <class T>
struct Axis {
    T x, y, z, length;

    MADNIS_FN explicit Axis(const FourVector<T>& p)
        : length(sqrt(p.x * p.x + p.y * p.y + p.z * p.z)) {
        const auto rest = length <= constant<T>(1e-10) * p.e;
        const T inverse = T(1) / select(rest, T(1), length);
        x = select(rest, T(0), T(p.x * inverse));
        y = select(rest, T(0), T(p.y * inverse));
        z = select(rest, T(1), T(p.z * inverse));
    }
};

// What all helicities of a particle share: sqrt(E + |p|), sqrt(E - |p|) = m / sqrt(E + |p|) and the
// two-spinors along n.
template <class T>
struct SpinorFrame {
    T large, small;
    Complex<T> up[2], down[2];  // spin +1/2 and -1/2 along n

    MADNIS_FN SpinorFrame(const FourVector<T>& p, const T& mass) {
        const Axis<T> n(p);
        large = sqrt(p.e + n.length);
        small = mass / large;
        const auto forward = n.z >= T(0);
        const T cosine = sqrt(constant<T>(0.5) * (T(1) + abs(n.z)));
        const T scale = constant<T>(0.5) / cosine;
        // Sine of half the angle, (n_x + i n_y) / (2 cosine).
        const T x = n.x * scale, y = n.y * scale;
        const T zero = T(0);
        up[0] = {select(forward, cosine, x), select(forward, zero, T(-y))};
        up[1] = {select(forward, x, cosine), select(forward, y, zero)};
        down[0] = -conj(up[1]);
        down[1] = conj(up[0]);
    }
};

// u(p) of a particle (particle = true) or v(p) of an antiparticle, helicity +-1 in units of 1/2:
// u = (sqrt(p.sigma) chi, sqrt(p.sigma-bar) chi), v = (sqrt(p.sigma) chi, -sqrt(p.sigma-bar) chi),
// p.sigma = E -+ |p|.
template <class T>
MADNIS_FN Wave<T> spinor(const SpinorFrame<T>& frame, int helicity, bool particle) {
    const bool along = particle ? helicity > 0 : helicity < 0;  // the spin of chi
    const Complex<T>* chi = along ? frame.up : frame.down;
    const T left = along ? frame.small : frame.large;
    const T right = along ? frame.large : frame.small;
    const T sign = T(particle ? 1 : -1);
    return {{left * chi[0], left * chi[1], T(sign * right) * chi[0], T(sign * right) * chi[1]}};
}

// psi^dagger gamma^0, a row.
template <class T>
MADNIS_FN Wave<T> conjugate_spinor(const Wave<T>& psi) {
    return {{conj(psi.c[2]), conj(psi.c[3]), conj(psi.c[0]), conj(psi.c[1])}};
}

// Polarisation of an incoming vector boson with helicity -1, 0 (massive only) or 1; n is the
// direction of p.
template <class T>
MADNIS_FN Wave<T> polarisation(const Axis<T>& n, const FourVector<T>& p, const T& mass,
                               int helicity) {
    const T zero = T(0);
    if (helicity == 0) {  // (|p|, E n) / m
        const T inverse = T(1) / mass;
        const T scale = p.e * inverse;
        return {{{n.length * inverse, zero},
                 {n.x * scale, zero},
                 {n.y * scale, zero},
                 {n.z * scale, zero}}};
    }
    // An orthonormal frame (a, b, n) that is smooth but at n_z = 0: Duff et al., J. Comput. Graph.
    // Tech. 6 (2017) 1.
    const T sign = select(n.z >= zero, T(1), T(-1));
    const T scale = T(-1) / (sign + n.z);
    const T xy = n.x * n.y * scale;
    const T a[3] = {T(1) + sign * n.x * n.x * scale, sign * xy, -sign * n.x};
    const T b[3] = {xy, sign + n.y * n.y * scale, -n.y};
    // (-helicity a - i b) / sqrt(2)
    constexpr double root_half = std::numbers::sqrt2 / 2;
    const T real = constant<T>(-root_half * helicity), imaginary = constant<T>(-root_half);
    return {{{zero, zero},
             {real * a[0], imaginary * b[0]},
             {real * a[1], imaginary * b[1]},
             {real * a[2], imaginary * b[2]}}};
}

template <class T>
MADNIS_FN Wave<T> unit_scalar() {
    const Complex<T> zero = {T(0), T(0)};
    return {{{T(1), T(0)}, zero, zero, zero}};
}

// p / E
template <class T>
MADNIS_FN Wave<T> direction(const FourVector<T>& p) {
    const T inverse = T(1) / p.e;
    return {{{T(1), T(0)}, {p.x * inverse, T(0)}, {p.y * inverse, T(0)}, {p.z * inverse, T(0)}}};
}

template <class T>
MADNIS_FN Wave<T> conjugate(const Wave<T>& wave) {
    return {{conj(wave.c[0]), conj(wave.c[1]), conj(wave.c[2]), conj(wave.c[3])}};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

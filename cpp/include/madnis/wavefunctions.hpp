// Wavefunctions of external particles: helicity eigenstates with the polarisation vectors of HELAS, eps^0 = 0 in the frame
// of the momenta where they are massless. Spinors in the chiral representation, psi = (psi_L, psi_R), conjugate ones as
// rows that multiply it. Phases are chosen so that no direction is singular.
#pragma once

#include "madnis/complex.hpp"
#include "madnis/four_vector.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// A four-vector, a spinor or, in the first component, a scalar.
template <class T>
struct Wave {
    Complex<T> c[4];
};

// Unit vector along p and its length; along z where p vanishes.
template <class T>
struct Axis {
    T x, y, z, length;

    explicit Axis(const FourVector<T>& p) : length(sqrt(p.x * p.x + p.y * p.y + p.z * p.z)) {
        const auto rest = length == T(0);
        const T inverse = T(1) / select(rest, T(1), length);
        x = p.x * inverse;
        y = p.y * inverse;
        z = select(rest, T(1), T(p.z * inverse));
    }
};

// Two-spinor with spin +-1/2 along n.
template <class T>
void helicity_spinor(const Axis<T>& n, int sign, Complex<T>* chi) {
    const auto up = n.z >= T(0);
    const T large = sqrt(constant<T>(0.5) * (T(1) + abs(n.z)));
    const T scale = constant<T>(0.5) / large;
    const Complex<T> small = {n.x * scale, n.y * scale};  // (n_x + i n_y) / (2 large)
    const T zero = T(0);
    if (sign > 0) {  // (large, small) or (conj(small), large)
        chi[0] = {select(up, large, small.re), select(up, zero, T(-small.im))};
        chi[1] = {select(up, small.re, large), select(up, small.im, zero)};
    } else {  // (-conj(small), large) or (-large, small)
        chi[0] = {select(up, T(-small.re), T(-large)), select(up, small.im, zero)};
        chi[1] = {select(up, large, small.re), select(up, zero, small.im)};
    }
}

// u(p) of a particle (particle = true) or v(p) of an antiparticle, helicity +-1 in units of 1/2.
template <class T>
Wave<T> spinor(const FourVector<T>& p, const T& mass, int helicity, bool particle) {
    const Axis<T> n(p);
    // sqrt(E + |p|) and sqrt(E - |p|) = m / sqrt(E + |p|)
    const T large = sqrt(p.e + n.length);
    const T small = mass / large;
    Complex<T> chi[2];
    helicity_spinor(n, particle ? helicity : -helicity, chi);
    // u = (sqrt(p.sigma) chi, sqrt(p.sigma-bar) chi), v = (sqrt(p.sigma) chi, -sqrt(p.sigma-bar) chi); p.sigma = E - |p|
    // along the spin
    const bool along = particle ? helicity > 0 : helicity < 0;
    const T left = along ? small : large;
    const T right = particle ? (along ? large : small) : T(along ? T(-large) : T(-small));
    return {{left * chi[0], left * chi[1], right * chi[0], right * chi[1]}};
}

// psi^dagger gamma^0, a row.
template <class T>
Wave<T> conjugate_spinor(const Wave<T>& psi) {
    return {{conj(psi.c[2]), conj(psi.c[3]), conj(psi.c[0]), conj(psi.c[1])}};
}

// Polarisation of an incoming vector boson with helicity -1, 0 (massive only) or 1.
template <class T>
Wave<T> polarisation(const FourVector<T>& p, const T& mass, int helicity) {
    const Axis<T> n(p);
    const T zero = T(0);
    if (helicity == 0) {  // (|p|, E n) / m
        const T inverse = T(1) / mass;
        const T scale = p.e * inverse;
        return {{{n.length * inverse, zero}, {n.x * scale, zero}, {n.y * scale, zero}, {n.z * scale, zero}}};
    }
    // An orthonormal frame (a, b, n) that is smooth but at n_z = 0: Duff et al., J. Comput. Graph. Tech. 6 (2017) 1.
    const T sign = select(n.z >= zero, T(1), T(-1));
    const T scale = T(-1) / (sign + n.z);
    const T xy = n.x * n.y * scale;
    const T a[3] = {T(1) + sign * n.x * n.x * scale, sign * xy, -sign * n.x};
    const T b[3] = {xy, sign + n.y * n.y * scale, -n.y};
    const T real = constant<T>(-0.7071067811865476 * helicity), imaginary = constant<T>(-0.7071067811865476);  // (-helicity a - i b) / sqrt(2)
    return {{{zero, zero},
             {real * a[0], imaginary * b[0]},
             {real * a[1], imaginary * b[1]},
             {real * a[2], imaginary * b[2]}}};
}

// p / E
template <class T>
Wave<T> direction(const FourVector<T>& p) {
    const T inverse = T(1) / p.e;
    return {{{T(1), T(0)}, {p.x * inverse, T(0)}, {p.y * inverse, T(0)}, {p.z * inverse, T(0)}}};
}

template <class T>
Wave<T> conjugate(const Wave<T>& wave) {
    return {{conj(wave.c[0]), conj(wave.c[1]), conj(wave.c[2]), conj(wave.c[3])}};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

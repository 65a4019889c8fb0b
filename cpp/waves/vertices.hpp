// Vertices and propagators of off-shell currents in unitary gauge. Spinors in the chiral
// representation, vectors with upper indices, momenta flow into the vertex. The factors i are left
// out as physics/currents.py explains.
#pragma once

#include "waves/wavefunctions.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_INLINE Complex<T> dot(const Wave<T>& a, const Wave<T>& b) {
    return a.c[0] * b.c[0] - a.c[1] * b.c[1] - a.c[2] * b.c[2] - a.c[3] * b.c[3];
}

template <class T>
MADNIS_INLINE Complex<T> dot(const FourVector<T>& p, const Wave<T>& a) {
    return p.e * a.c[0] - p.x * a.c[1] - p.y * a.c[2] - p.z * a.c[3];
}

template <class T>
MADNIS_INLINE Complex<T> product(const Wave<T>& bra, const Wave<T>& ket) {
    return bra.c[0] * ket.c[0] + bra.c[1] * ket.c[1] + bra.c[2] * ket.c[2] + bra.c[3] * ket.c[3];
}

// acc += factor * a, the factor real (T) or complex.
template <class T, class Factor>
MADNIS_INLINE void add(Wave<T>& acc, const Factor& factor, const Wave<T>& a) {
    for (int mu = 0; mu < 4; ++mu) acc.c[mu] += factor * a.c[mu];
}

template <class T, class Factor>
MADNIS_INLINE Wave<T> times(const Factor& factor, const Wave<T>& a) {
    return {{factor * a.c[0], factor * a.c[1], factor * a.c[2], factor * a.c[3]}};
}

// Couplings of a fermion line, real (T) or complex.
template <class Factor>
struct Chiral {
    Factor left, right;
};

// bra gamma^mu (left P_L + right P_R) ket
template <class T, class Factor>
MADNIS_INLINE void ffv_vector(Wave<T>& acc, const Chiral<Factor>& g, const Wave<T>& bra,
                              const Wave<T>& ket) {
    const auto r = g.right * ket.c[2], s = g.right * ket.c[3];  // through sigma^mu = (1, sigma)
    // through sigma-bar^mu = (1, -sigma)
    const auto l = g.left * ket.c[0], m = g.left * ket.c[1];
    const auto r00 = bra.c[0] * r, r11 = bra.c[1] * s, r01 = bra.c[0] * s, r10 = bra.c[1] * r;
    const auto l00 = bra.c[2] * l, l11 = bra.c[3] * m, l01 = bra.c[2] * m, l10 = bra.c[3] * l;
    acc.c[0] += (r00 + r11) + (l00 + l11);
    acc.c[1] += (r01 + r10) - (l01 + l10);
    acc.c[2] += times_i(Complex<T>((r10 - r01) - (l10 - l01)));
    acc.c[3] += (r00 - r11) - (l00 - l11);
}

// v-slash = (0, v.sigma; v.sigma-bar, 0) by its light-cone components.
template <class T>
struct Slash {
    Complex<T> plus, minus, up, down;  // v0 + v3, v0 - v3, v1 - i v2, v1 + i v2

    MADNIS_INLINE explicit Slash(const Wave<T>& v)
        : plus(v.c[0] + v.c[3]),
          minus(v.c[0] - v.c[3]),
          up(v.c[1] - times_i(v.c[2])),
          down(v.c[1] + times_i(v.c[2])) {}
};

// v-slash (left P_L + right P_R) ket
template <class T, class Factor>
MADNIS_INLINE void ffv_ket(Wave<T>& acc, const Chiral<Factor>& g, const Wave<T>& ket,
                           const Wave<T>& v) {
    const Slash<T> s(v);
    acc.c[0] += g.right * Complex<T>(s.minus * ket.c[2] - s.up * ket.c[3]);
    acc.c[1] += g.right * Complex<T>(s.plus * ket.c[3] - s.down * ket.c[2]);
    acc.c[2] += g.left * Complex<T>(s.plus * ket.c[0] + s.up * ket.c[1]);
    acc.c[3] += g.left * Complex<T>(s.minus * ket.c[1] + s.down * ket.c[0]);
}

// bra v-slash (left P_L + right P_R)
template <class T, class Factor>
MADNIS_INLINE void ffv_bra(Wave<T>& acc, const Chiral<Factor>& g, const Wave<T>& bra,
                           const Wave<T>& v) {
    const Slash<T> s(v);
    acc.c[0] += g.left * Complex<T>(s.plus * bra.c[2] + s.down * bra.c[3]);
    acc.c[1] += g.left * Complex<T>(s.minus * bra.c[3] + s.up * bra.c[2]);
    acc.c[2] += g.right * Complex<T>(s.minus * bra.c[0] - s.down * bra.c[1]);
    acc.c[3] += g.right * Complex<T>(s.plus * bra.c[1] - s.up * bra.c[0]);
}

// bra (left P_L + right P_R) ket
template <class T, class Factor>
MADNIS_INLINE void ffs_scalar(Wave<T>& acc, const Chiral<Factor>& g, const Wave<T>& bra,
                              const Wave<T>& ket) {
    acc.c[0] += g.left * Complex<T>(bra.c[0] * ket.c[0] + bra.c[1] * ket.c[1]);
    acc.c[0] += g.right * Complex<T>(bra.c[2] * ket.c[2] + bra.c[3] * ket.c[3]);
}

// phi (left P_L + right P_R) on a spinor or a row
template <class T, class Factor>
MADNIS_INLINE void ffs_spinor(Wave<T>& acc, const Chiral<Factor>& g, const Wave<T>& psi,
                              const Wave<T>& phi) {
    const auto left = g.left * phi.c[0], right = g.right * phi.c[0];
    acc.c[0] += left * psi.c[0];
    acc.c[1] += left * psi.c[1];
    acc.c[2] += right * psi.c[2];
    acc.c[3] += right * psi.c[3];
}

// g12 (p1 - p2)_3 + g23 (p2 - p3)_1 + g31 (p3 - p1)_2 with p3 = -p1 - p2
template <class T, class Factor>
MADNIS_INLINE void vvv(Wave<T>& acc, const Factor& g, const Wave<T>& a, const FourVector<T>& p,
                       const Wave<T>& b, const FourVector<T>& q) {
    const auto along = g * dot(a, b);
    const auto of_a = g * dot(q + q + p, a);
    const auto of_b = g * dot(p + p + q, b);
    const FourVector<T> d = p - q;
    const T difference[4] = {d.e, d.x, d.y, d.z};
    for (int mu = 0; mu < 4; ++mu) {
        acc.c[mu] += difference[mu] * along + of_a * b.c[mu] - of_b * a.c[mu];
    }
}

// (p - q).v phi of incoming momenta p + q = -k: (2 p + k).v for the scalar that comes out.
template <class T>
MADNIS_INLINE Complex<T> vss_scalar(const Wave<T>& v, const FourVector<T>& k, const Complex<T>& phi,
                                    const FourVector<T>& p) {
    return Complex<T>(dot(p + p + k, v) * phi);
}

// g0 (a.b) c + g1 (a.c) b + g2 (b.c) a
template <class T, class Factor>
MADNIS_INLINE void vvvv(Wave<T>& acc, const Factor* g, const Wave<T>& a, const Wave<T>& b,
                        const Wave<T>& c) {
    const auto ab = g[0] * dot(a, b), ac = g[1] * dot(a, c), bc = g[2] * dot(b, c);
    for (int mu = 0; mu < 4; ++mu) acc.c[mu] += ab * c.c[mu] + ac * b.c[mu] + bc * a.c[mu];
}

// 1 / (p^2 - M^2 + i M Gamma)
template <class T>
MADNIS_INLINE Complex<T> propagator(const FourVector<T>& p, const T& mass, const T& width) {
    const T re = dot(p, p) - mass * mass;
    const T im = mass * width;
    const T scale = T(1) / (re * re + im * im);
    return {re * scale, -im * scale};
}

// -(p-slash + m) psi, p along the arrow of the line; m may be complex
template <class T, class Mass>
MADNIS_INLINE Wave<T> fermion_numerator(const FourVector<T>& p, const Mass& mass,
                                        const Wave<T>& psi) {
    const T plus = p.e + p.z, minus = p.e - p.z;
    const Complex<T> up = {p.x, -p.y}, down = {p.x, p.y};
    return {{-(minus * psi.c[2] - up * psi.c[3] + mass * psi.c[0]),
             -(plus * psi.c[3] - down * psi.c[2] + mass * psi.c[1]),
             -(plus * psi.c[0] + up * psi.c[1] + mass * psi.c[2]),
             -(minus * psi.c[1] + down * psi.c[0] + mass * psi.c[3])}};
}

// -psi (p-slash + m) of a row
template <class T, class Mass>
MADNIS_INLINE Wave<T> fermion_numerator_left(const FourVector<T>& p, const Mass& mass,
                                             const Wave<T>& psi) {
    const T plus = p.e + p.z, minus = p.e - p.z;
    const Complex<T> up = {p.x, -p.y}, down = {p.x, p.y};
    return {{-(plus * psi.c[2] + down * psi.c[3] + mass * psi.c[0]),
             -(minus * psi.c[3] + up * psi.c[2] + mass * psi.c[1]),
             -(minus * psi.c[0] - down * psi.c[1] + mass * psi.c[2]),
             -(plus * psi.c[1] - up * psi.c[0] + mass * psi.c[3])}};
}

template <class T>
MADNIS_INLINE T inverse_square(const T& mass) {
    return T(1) / (mass * mass);
}

template <class T>
MADNIS_INLINE Complex<T> inverse_square(const Complex<T>& mass) {
    const Complex<T> square = mass * mass;
    return T(T(1) / norm(square)) * conj(square);
}

// g^mu - p^mu (p.g) / M^2; M may be complex
template <class T, class Mass>
MADNIS_INLINE Wave<T> unitary_gauge(const FourVector<T>& p, const Mass& mass, const Wave<T>& g) {
    const Complex<T> along = inverse_square(mass) * dot(p, g);
    return {
        {g.c[0] - p.e * along, g.c[1] - p.x * along, g.c[2] - p.y * along, g.c[3] - p.z * along}};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

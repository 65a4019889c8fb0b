// Numerators of propagators of definite polarisation, arXiv:1912.01725: sums over chosen states of
// a particle off its mass shell, of momentum q with positive energy and of mass sqrt(q^2). Over all
// states they are those of vertices.hpp, for fermions on the mass shell alone.
#pragma once

#include "amplitudes/tape.hpp"
#include "waves/vertices.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// q of a line with momentum p into the vertex: `brings` where it comes from the incoming particles.
template <class T>
MADNIS_INLINE FourVector<T> forwards(const FourVector<T>& p, bool brings) {
    const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
    return brings ? p : nothing - p;
}

// -sum eps (eps*.g) of a line that brings the particle, -sum eps* (eps.g) of one that takes it, and
// of the auxiliary state -q (q.g) (q^2 - M^2) / (q^2 M^2).
template <class T>
MADNIS_FN Wave<T> polarised_vector(std::int32_t states, bool brings, const FourVector<T>& p,
                                   const T& mass, const Wave<T>& g) {
    const auto q = forwards(p, brings);
    const Axis<T> axis(q);
    const T square = dot(q, q), virtuality = sqrt(square);
    const Complex<T> zero = {T(0), T(0)};
    Wave<T> sum = {{zero, zero, zero, zero}};
    for (int helicity = -1; helicity <= 1; ++helicity) {
        if (!(states & state_bit(helicity))) continue;
        const auto incoming = polarisation(axis, q, virtuality, helicity);
        const auto outgoing = conjugate(incoming);
        add(sum, -dot(brings ? outgoing : incoming, g), brings ? incoming : outgoing);
    }
    if (states & state_bit(auxiliary_state)) {
        const Complex<T> along = T(T(1) / square - T(1) / (mass * mass)) * dot(q, g);
        const T components[4] = {q.e, q.x, q.y, q.z};
        for (int mu = 0; mu < 4; ++mu) sum.c[mu] += components[mu] * along;
    }
    return sum;
}

// The sum of `term(w, w-bar)` over spinors w, u of a particle or v of an antiparticle, as far as
// they stand for -(p-slash + m): -u u-bar or v v-bar.
template <class T, class Term>
MADNIS_FN Wave<T> spin_sum(std::int32_t states, bool particle, const FourVector<T>& q,
                           const Term& term) {
    const SpinorFrame<T> frame(q, T(sqrt(dot(q, q))));
    const T sign = T(particle ? -1 : 1);
    const Complex<T> zero = {T(0), T(0)};
    Wave<T> sum = {{zero, zero, zero, zero}};
    for (int helicity = -1; helicity <= 1; helicity += 2) {
        if (!(states & state_bit(helicity))) continue;
        const auto w = spinor(frame, helicity, particle);
        add(sum, sign, term(w, conjugate_spinor(w)));
    }
    return sum;
}

// For -(p-slash + m) psi, p along the arrow of the line.
template <class T>
MADNIS_FN Wave<T> polarised_ket(std::int32_t states, bool brings, const FourVector<T>& p,
                                const Wave<T>& psi) {
    return spin_sum(states, brings, forwards(p, brings), [&](const Wave<T>& w, const Wave<T>& bar) {
        return times(product(bar, psi), w);
    });
}

// For -psi (p-slash + m) of a row, -p along the arrow of the line.
template <class T>
MADNIS_FN Wave<T> polarised_bra(std::int32_t states, bool brings, const FourVector<T>& p,
                                const Wave<T>& psi) {
    return spin_sum(
        states, !brings, forwards(p, brings),
        [&](const Wave<T>& w, const Wave<T>& bar) { return times(product(psi, w), bar); });
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

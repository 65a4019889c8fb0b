// q q~ -> neutral vector bosons -> l- l+ at tree level, all fermions massless.
#pragma once

#include "amplitudes/drell_yan_spec.hpp"
#include "observables/four_vector.hpp"
#include "simd/complex.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// 2 p_i . p_j of the massless legs: s of the pair, t between quark and lepton, u between quark and
// antilepton (signs dropped).
template <class T>
struct Mandelstam {
    T s, t, u;
};

// Of the two incoming legs the softer one has the larger angles to the outgoing ones, hence no
// cancellation.
template <class T>
MADNIS_FN Mandelstam<T> mandelstam(const FourVector<T>& quark, const FourVector<T>& antiquark,
                                   const FourVector<T>& lepton, const FourVector<T>& antilepton) {
    const auto quark_softer = quark.e < antiquark.e;
    return {2. * dot(quark, antiquark),
            2. * select(quark_softer, dot(quark, lepton), dot(antiquark, antilepton)),
            2. * select(quark_softer, dot(quark, antilepton), dot(antiquark, lepton))};
}

// 1 / (s - M^2 + i M Gamma), fixed width.
template <class T>
MADNIS_FN Complex<T> propagator(const T& s, const MediatorSpec& mediator) {
    const T re = s - mediator.mass * mediator.mass;
    const double im = mediator.mass * mediator.width;
    const T scale = 1. / (re * re + im * im);
    return {re * scale, -im * scale};
}

// Non-zero helicity amplitudes: A(q_a, l_b) = 2 w_ab sum_k g_a^k
// g_b^k / (s - M_k^2 + i M_k Gamma_k), where w_ab is u for equal and t for opposite chiralities
// (up to a phase), Eq. (5.40) of the MadNIS thesis.
template <class T>
class DrellYanAmplitude {
public:
    MADNIS_FN explicit DrellYanAmplitude(const Mandelstam<T>& invariants)
        : s_(invariants.s),
          equal_(4. * invariants.u * invariants.u),
          opposite_(4. * invariants.t * invariants.t) {}

    // Add one mediator; returns the helicity sum of its own squared amplitude.
    MADNIS_FN T add(const MediatorSpec& mediator) {
        const auto p = propagator(s_, mediator);
        double coupling_squares[2] = {0, 0};
        for (int a = 0; a < 2; ++a) {
            for (int b = 0; b < 2; ++b) {
                const double coupling = mediator.quark[a] * mediator.lepton[b];
                sum_[a][b].re += coupling * p.re;
                sum_[a][b].im += coupling * p.im;
                coupling_squares[a ^ b] += coupling * coupling;
            }
        }
        return (coupling_squares[0] * equal_ + coupling_squares[1] * opposite_) * norm(p);
    }

    // Helicity sum of the squared sum.
    MADNIS_FN T squared() const {
        return equal_ * (norm(sum_[0][0]) + norm(sum_[1][1])) +
               opposite_ * (norm(sum_[0][1]) + norm(sum_[1][0]));
    }

private:
    T s_, equal_, opposite_;
    Complex<T> sum_[2][2] = {{{T(0.), T(0.)}, {T(0.), T(0.)}}, {{T(0.), T(0.)}, {T(0.), T(0.)}}};
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

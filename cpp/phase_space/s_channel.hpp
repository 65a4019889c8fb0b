// Maps from the unit cube to the momenta of 2 -> 2 scattering, built from small invertible pieces.
//
// Every piece takes and gives its numbers with a Jacobian; whatever is outside the support has
// Jacobian 0 and finite numbers, never NaN.
#pragma once

#include "phase_space/invariants.hpp"
#include "phase_space/kinematics.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// What rounding may put outside a closed interval and still counts as its edge.
inline constexpr double edge = 1e-9, relative_edge = 1e-12;

template <class T>
struct UnitPoint {
    T x;
    Mask<T> inside;
};

// x inside [0, 1], a number inside elsewhere (NaN included).
template <class T>
MADNIS_FN UnitPoint<T> in_unit_interval(const T& x) {
    const auto inside = x >= 0. && x <= 1.;
    return {select(inside, x, T(0.5)), inside};
}

// As in_unit_interval, for a number that a rounded inverse gave.
template <class T>
MADNIS_FN UnitPoint<T> near_unit_interval(const T& x) {
    const auto inside = x >= -edge && x <= 1. + edge;
    return {select(inside, min(max(x, T(0.)), T(1.)), T(0.5)), inside};
}

// Momenta of two decay products in the rest frame and dPhi_2 / (dx_0 dx_1).
template <class T>
struct Decay {
    LightConeVector<T> p1, p2;
    T jacobian;
};

// Isotropic decay in the rest frame of a system of squared mass s. With dPhi_2 of Eq. (2.10) in its
// right normalisation, (2 pi)^(4 - 6) d^3p_1 / (2 E_1) d^3p_2 / (2 E_2)
// delta^4 = lambda^(1/2) / (32 pi^2 s) dcos(theta) dphi, and cos(theta) = 2 x_0 - 1, phi = 2 pi
// x_1, the Jacobian is lambda^(1/2)(s, m_1^2, m_2^2) / (8 pi s).
class TwoBodyDecay {
public:
    MADNIS_FN TwoBodyDecay(double m1, double m2) : m1_(m1), m2_(m2) {}

    template <class T>
    MADNIS_FN Decay<T> forward(const T& s, const T& x_theta, const T& x_phi) const {
        const T mass = sqrt(s), root_lambda = root_kaellen(s, m1_, m2_);
        const T momentum = 0.5 * root_lambda / mass;
        const T transverse = 2. * momentum * sqrt(x_theta * (1. - x_theta));
        const auto [cosine, sine] = direction(x_phi);
        const T along = 2. * momentum * x_theta, against = 2. * momentum * (1. - x_theta);
        const T excess_1 = excess(s, m1_, m2_, root_lambda);
        const T excess_2 = excess(s, m2_, m1_, root_lambda);
        return {{excess_1 + along, excess_1 + against, transverse * cosine, transverse * sine},
                {excess_2 + against, excess_2 + along, -transverse * cosine, -transverse * sine},
                jacobian(s, root_lambda)};
    }

    template <class T>
    struct Inverse {
        T x_theta, x_phi, jacobian;
    };

    // From p_x, p_y and p_z of the first product in the rest frame.
    template <class T>
    MADNIS_FN Inverse<T> inverse(const T& s, const T& x, const T& y, const T& z) const {
        const T root_lambda = root_kaellen(s, m1_, m2_);
        const T turns = atan2(y, x) * (0.5 / std::numbers::pi);
        const auto theta = near_unit_interval(T(0.5 + z * sqrt(s) / root_lambda));
        const auto phi = in_unit_interval(select(turns < 0., T(turns + 1.), turns));
        return {theta.x, phi.x,
                select(theta.inside && phi.inside, jacobian(s, root_lambda), T(0.))};
    }

    MADNIS_FN double m1() const { return m1_; }

private:
    // E - |p| = m^2 / (E + |p|) of the product of this mass.
    template <class T>
    MADNIS_FN static T excess(const T& s, double mass, double other, const T& root_lambda) {
        return 2. * mass * mass * sqrt(s) / (s + (mass * mass - other * other) + root_lambda);
    }

    template <class T>
    MADNIS_FN static T jacobian(const T& s, const T& root_lambda) {
        return root_lambda / (8 * std::numbers::pi * s);
    }

    double m1_, m2_;
};

// Energies of the two partons in GeV and dx_1 dx_2 / (dz dy).
template <class T>
struct Partons {
    T energy_1, energy_2, jacobian;
};

template <class T>
MADNIS_FN T squared_energy(const Partons<T>& partons) {
    return 4. * partons.energy_1 * partons.energy_2;
}

// Partons of two beams: z -> s by an invariant map, then x_1 = tau^y, x_2 = tau^(1 - y) with
// tau = s / (4 E_1 E_2), Eq. (5.42); dx_1 dx_2 = -log(tau) dtau dy.
template <class Invariant>
class HadronicBeams {
public:
    static constexpr std::size_t dim = 2;

    MADNIS_FN HadronicBeams(const SChannelSpec& spec, const Invariant& invariant)
        : invariant_(invariant),
          energy_1_(spec.beam_energies[0]),
          energy_2_(spec.beam_energies[1]),
          s_beams_(4 * energy_1_ * energy_2_),
          s_min_(spec.invariant.s_min),
          s_max_(spec.invariant.s_max) {}

    template <class T>
    MADNIS_FN Partons<T> forward(const T* x) const {
        const auto z = in_unit_interval(x[0]), y = in_unit_interval(x[1]);
        const auto [s, ds] = invariant_.forward(z.x);
        const T tau = min(max(s, T(s_min_)), T(s_max_)) / s_beams_;
        const T log_tau = log(tau);
        const T x1 = min(max(exp(y.x * log_tau), tau), T(1.));
        return {energy_1_ * x1, energy_2_ * (tau / x1),
                select(z.inside && y.inside, jacobian(log_tau, ds), T(0.))};
    }

    template <class T>
    MADNIS_FN T inverse(const Partons<T>& partons, T* x) const {
        const T s = squared_energy(partons);
        const T x1 = partons.energy_1 / energy_1_, x2 = partons.energy_2 / energy_2_;
        const auto inside = s >= s_min_ * (1 - relative_edge) &&
                            s <= s_max_ * (1 + relative_edge) && x1 <= 1 + relative_edge &&
                            x2 <= 1 + relative_edge && x1 > 0.;
        const T safe = select(inside, min(max(s, T(s_min_)), T(s_max_)), T(s_max_));
        const auto [z, ds] = invariant_.inverse(safe);
        const T log_tau = min(log(safe / s_beams_), T(0.));
        const T log_x1 = log(select(inside, min(x1, T(1.)), T(1.)));
        x[0] = near_unit_interval(z).x;
        x[1] = select(log_tau < 0., min(max(log_x1 / log_tau, T(0.)), T(1.)), T(0.5));
        return select(inside, jacobian(log_tau, ds), T(0.));
    }

private:
    template <class T>
    MADNIS_FN T jacobian(const T& log_tau, const T& ds) const {
        return -log_tau * ds / s_beams_;
    }

    Invariant invariant_;
    double energy_1_, energy_2_, s_beams_, s_min_, s_max_;
};

// The beams are the partons.
class PartonicBeams {
public:
    static constexpr std::size_t dim = 0;

    MADNIS_FN explicit PartonicBeams(const SChannelSpec& spec)
        : energy_1_(spec.beam_energies[0]), energy_2_(spec.beam_energies[1]) {}

    template <class T>
    MADNIS_FN Partons<T> forward(const T*) const {
        return {T(energy_1_), T(energy_2_), T(1.)};
    }

    template <class T>
    MADNIS_FN T inverse(const Partons<T>& partons, T*) const {
        const auto inside = abs(partons.energy_1 - energy_1_) <= relative_edge * energy_1_ &&
                            abs(partons.energy_2 - energy_2_) <= relative_edge * energy_2_;
        return select(inside, T(1.), T(0.));
    }

private:
    double energy_1_, energy_2_;
};

// Beams -> s -> two particles. The unit cube is that of the beams, then (cos theta, phi) in the
// partonic rest frame.
template <class Beams>
class SChannel {
public:
    static constexpr std::size_t dim = Beams::dim + 2;

    MADNIS_FN SChannel(const Beams& beams, const SChannelSpec& spec)
        : beams_(beams), decay_(spec.masses[0], spec.masses[1]) {}

    // p: two incoming, two outgoing; returns dx_1 dx_2 dPhi_2 / dx.
    template <class T>
    MADNIS_FN T forward(const T (&x)[dim], FourVector<T> (&p)[4]) const {
        const auto partons = beams_.forward(x);
        const auto theta = in_unit_interval(x[dim - 2]), phi = in_unit_interval(x[dim - 1]);
        const auto decay = decay_.forward(squared_energy(partons), theta.x, phi.x);
        const T zero(0.);
        p[0] = {partons.energy_1, zero, zero, partons.energy_1};
        p[1] = {partons.energy_2, zero, zero, -partons.energy_2};
        const T ratio = sqrt(partons.energy_1 / partons.energy_2);
        p[2] = boost_along_z(decay.p1, ratio);
        p[3] = boost_along_z(decay.p2, ratio);
        return select(theta.inside && phi.inside, partons.jacobian * decay.jacobian, zero);
    }

    template <class T>
    MADNIS_FN T inverse(const FourVector<T> (&p)[4], T (&x)[dim]) const {
        const Partons<T> partons{p[0].e, p[1].e, T(1.)};
        const T beams_jacobian = beams_.inverse(partons, x);
        const T pz = boosted_pz(p[2], decay_.m1(), T(sqrt(partons.energy_2 / partons.energy_1)));
        const auto decay = decay_.inverse(squared_energy(partons), p[2].x, p[2].y, pz);
        x[dim - 2] = decay.x_theta;
        x[dim - 1] = decay.x_phi;
        return select(beams_jacobian > 0. && decay.jacobian > 0., beams_jacobian * decay.jacobian,
                      T(0.));
    }

private:
    Beams beams_;
    TwoBodyDecay decay_;
};

// Call body with the map that the description names.
template <class Body>
MADNIS_FN void with_s_channel(const SChannelSpec& spec, const Body& body) {
    if (spec.partonic) return body(SChannel<PartonicBeams>(PartonicBeams(spec), spec));
    with_invariant(spec.invariant, [&]<class Invariant>(const Invariant& invariant) {
        body(SChannel<HadronicBeams<Invariant>>(HadronicBeams<Invariant>(spec, invariant), spec));
    });
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// The two partons of a collision, their energies from the unit cube, and their rest frame.
#pragma once

#include "phase_space/cube.hpp"
#include "phase_space/kinematics.hpp"
#include "phase_space/rest_frames.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_FN T power_of(const T& base, double power) {
    return exp(power * log(max(base, T(1e-300))));
}

// Shares of one beam between `least` and 1 whose density has a peak at x = 1, such as that of an
// electron which may radiate: D(x) = h(x) power (1 - x)^(power - 1) with a smooth h, 0 < power < 1.
//
// x = 1 - z^(1 / power) takes the peak away: D dx = h dz. Many shares are closer to 1 than numbers
// can tell, so 1 - x counts as `least_rest` below it: the Jacobian levels off there, and so does
// the density that it multiplies (physics/beam_densities/ has the other half of this agreement).
template <class T>
class PeakedShare {
public:
    MADNIS_FN PeakedShare(double power, const T& least)
        : power_(power), reach_(power_of(T(max(T(1. - least), T(0.))), power)), open_(least < 1.) {}

    MADNIS_FN T draw(CubeReader<T>& cube) const {
        const T z = cube.number() * reach_;
        const T share = 1. - power_of(z, 1 / power_);
        cube.jacobian.times(jacobian(share));
        cube.jacobian.require(open_);
        return share;
    }

    MADNIS_FN void place(const T& share, CubeWriter<T>& cube) const {
        const T rest = max(T(1. - share), T(0.));
        cube.number(T(power_of(rest, power_) / reach_));
        cube.jacobian.times(jacobian(share));
        cube.jacobian.require(open_);
    }

private:
    // dx/dz
    MADNIS_FN T jacobian(const T& share) const {
        return reach_ * power_of(T(max(T(1. - share), T(least_rest))), 1 - power_) / power_;
    }

    double power_;
    T reach_;
    Mask<T> open_;
};

// Partons in the order of the topology, which may exchange the beams.
//
// Where both shares are smooth: s-hat by its line, then x_1 = tau^y, x_2 = tau^(1 - y), Eq. (5.42)
// of the MadNIS thesis; dx_1 dx_2 = -log(tau) dtau dy. Else the peaked shares one by one, then
// s-hat by its line if the other share is smooth. Partons whose share varies are massless.
template <class T>
class Collision {
public:
    MADNIS_FN Collision(const TopologySpec& spec, CubeReader<T>& cube) : Collision(spec) {
        if (both_are_smooth()) {
            draw_both(cube);
            return;
        }
        T x[2] = {T(1.), T(1.)};
        for_shares(ShareKind::peaked, [&](int k) { x[k] = peaked(k, x[1 - k]).draw(cube); });
        for_shares(ShareKind::smooth, [&](int k) {
            const T range = x[1 - k] * s_range_;
            T s;
            cube.line(spec_.s_hat, T(spec_.s_min), highest(range), s);
            cube.jacobian.times(1. / range);
            x[k] = (s - s_masses_) / range;
        });
        for (int k = 0; k < 2; ++k) energies_[k] = x[k] * beams_[k].energy;
        in_rest_frame(T(s_masses_ + s_range_ * (x[0] * x[1])));
    }

    // From the momenta of all legs, the incoming ones first.
    MADNIS_FN Collision(const TopologySpec& spec, const FourVector<T>* p, CubeWriter<T>& cube)
        : Collision(spec) {
        energies_[0] = p[swapped() ? 1 : 0].e;
        energies_[1] = p[swapped() ? 0 : 1].e;
        if (both_are_smooth()) {
            place_both(cube);
            return;
        }
        T x[2];
        for (int k = 0; k < 2; ++k) {
            x[k] = energies_[k] / beams_[k].energy;
            if (beams_[k].share == ShareKind::whole) {
                cube.jacobian.require(abs(x[k] - 1.) <= beam_tolerance);
                x[k] = T(1.);
            }
            cube.jacobian.require(x[k] <= 1 + rounding && x[k] > 0.);
        }
        const T s = s_masses_ + s_range_ * (x[0] * x[1]);
        in_rest_frame(s);
        T others[2] = {T(1.), T(1.)};
        for_shares(ShareKind::peaked, [&](int k) {
            peaked(k, others[1 - k]).place(x[k], cube);
            others[k] = x[k];
        });
        for_shares(ShareKind::smooth, [&](int k) {
            const T range = others[1 - k] * s_range_;
            cube.line(spec_.s_hat, T(spec_.s_min), highest(range), s);
            cube.jacobian.times(1. / range);
        });
    }

    // Energy of both in their rest frame, in GeV.
    MADNIS_FN const T& root_s() const { return root_s_; }

    // Mass of the first (k = 0) or second parton in GeV.
    MADNIS_FN double mass(int k) const { return beams_[k].mass; }

    // Its momentum in the rest frame.
    MADNIS_FN FourVector<T> parton(int k) const {
        const T zero(0.), half = 0.5 * root_s_;
        if (!massive()) return {half, zero, zero, k == 0 ? half : T(-half)};
        const double m1 = mass(k), m2 = mass(1 - k);
        const T s = root_s_ * root_s_;
        const T momentum = 0.5 * root_kaellen_of(s, T(m1), T(m2)) / root_s_;
        const T energy = 0.5 * (s + (m1 - m2) * (m1 + m2)) / root_s_;
        return {energy, zero, zero, k == 0 ? momentum : T(-momentum)};
    }

    // Momenta of both in the laboratory, in the order of the beams.
    MADNIS_FN void store(FourVector<T>* p) const {
        const int first = swapped() ? 1 : 0, second = 1 - first;
        const T zero(0.);
        p[0] = {energies_[first], zero, zero, momentum(first)};
        p[1] = {energies_[second], zero, zero, -momentum(second)};
    }

    MADNIS_FN FourVector<T> to_laboratory(const FourVector<T>& p, double mass) const {
        const auto cone = light_cone(p, mass);
        const T plus = cone.plus * ratio_, minus = cone.minus / ratio_;
        const T z = 0.5 * (plus - minus);
        if (swapped()) return {0.5 * (plus + minus), p.x, -p.y, -z};
        return {0.5 * (plus + minus), p.x, p.y, z};
    }

    MADNIS_FN FourVector<T> from_laboratory(const FourVector<T>& p, double mass) const {
        return boost_back_along_z(light_cone(exchanged(p), mass), ratio_);
    }

private:
    // Relative excess of a momentum fraction over 1 that is rounding.
    static constexpr double rounding = 1e-12;

    // Relative difference at which the energy of a parton is still that of its beam: momenta that
    // were written to a file are rounded.
    static constexpr double beam_tolerance = 1e-9;

    MADNIS_FN explicit Collision(const TopologySpec& spec)
        : spec_(spec), beams_{spec.beams[swapped() ? 1 : 0], spec.beams[swapped() ? 0 : 1]} {
        for (int k = 0; k < 2; ++k) {
            const double energy = beams_[k].energy, m = beams_[k].mass;
            full_[k] = m == 0 ? energy : std::sqrt((energy - m) * (energy + m));
            s_masses_ += m * m;
        }
        s_range_ = 2 * (beams_[0].energy * beams_[1].energy + full_[0] * full_[1]);
    }

    MADNIS_FN bool swapped() const { return spec_.legs[0] == 1; }
    MADNIS_FN bool massive() const { return s_masses_ > 0; }

    MADNIS_FN bool both_are_smooth() const {
        return beams_[0].share == ShareKind::smooth && beams_[1].share == ShareKind::smooth;
    }

    template <class Body>
    MADNIS_FN void for_shares(ShareKind kind, const Body& body) const {
        for (int k = 0; k < 2; ++k) {
            if (beams_[k].share == kind) body(k);
        }
    }

    // The share of a beam where the other one has that share.
    MADNIS_FN PeakedShare<T> peaked(int k, const T& other) const {
        const double least = max(spec_.s_min - s_masses_, 0.) / s_range_;
        return PeakedShare<T>(beams_[k].power, T(least / other));
    }

    // Largest s-hat where the share of a beam changes it by at most this much.
    MADNIS_FN T highest(const T& range) const { return min(T(s_masses_ + range), T(spec_.s_max)); }

    MADNIS_FN void draw_both(CubeReader<T>& cube) {
        T s;
        cube.line(spec_.s_hat, T(spec_.s_min), T(spec_.s_max), s);
        const T tau = s / s_range_, log_tau = log(tau);
        const T x1 = min(max(exp(cube.number() * log_tau), tau), T(1.));
        cube.jacobian.times(-log_tau / s_range_);
        energies_[0] = beams_[0].energy * x1;
        energies_[1] = beams_[1].energy * (tau / x1);
        in_rest_frame(s);
    }

    MADNIS_FN void place_both(CubeWriter<T>& cube) {
        const T s = 4. * energies_[0] * energies_[1];
        in_rest_frame(s);
        const T x1 = energies_[0] / beams_[0].energy, x2 = energies_[1] / beams_[1].energy;
        constexpr double one = 1 + rounding;
        cube.jacobian.require(x1 <= one && x2 <= one && x1 > 0. && x2 > 0.);
        cube.line(spec_.s_hat, T(spec_.s_min), T(spec_.s_max), s);
        const T log_tau = min(bounded_log(T(s / s_range_)), T(0.));
        const T log_x1 = bounded_log(min(x1, T(1.)));
        cube.number(select(log_tau < 0., T(log_x1 / log_tau), T(0.5)));
        cube.jacobian.times(-log_tau / s_range_);
    }

    MADNIS_FN void in_rest_frame(const T& s) {
        root_s_ = sqrt(max(s, T(0.)));
        if (!massive()) {
            ratio_ = sqrt(energies_[0] / energies_[1]);
            return;
        }
        ratio_ = sqrt((plus(0) + minus(1)) / (minus(0) + plus(1)));
    }

    // Momentum along the own direction.
    MADNIS_FN T momentum(int k) const { return beams_[k].mass == 0 ? energies_[k] : T(full_[k]); }

    // E + |p_z| and E - |p_z|
    MADNIS_FN T plus(int k) const { return energies_[k] + momentum(k); }
    MADNIS_FN T minus(int k) const { return beams_[k].mass * beams_[k].mass / plus(k); }

    // Half a turn about the x axis where the topology exchanges the beams.
    MADNIS_FN FourVector<T> exchanged(const FourVector<T>& p) const {
        return swapped() ? FourVector<T>{p.e, p.x, -p.y, -p.z} : p;
    }

    const TopologySpec& spec_;
    BeamSpec beams_[2];
    double full_[2];                     // GeV: momenta of partons that carry all of their beams
    double s_masses_ = 0, s_range_ = 0;  // GeV^2: s = s_masses + x_1 x_2 s_range
    T energies_[2];
    T root_s_, ratio_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

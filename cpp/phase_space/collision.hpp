// The two partons of a collision, their energies from the unit cube, and their rest frame.
#pragma once

#include "phase_space/cube.hpp"
#include "phase_space/kinematics.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Partons in the order of the topology, which may exchange the beams. Hadron beams: s-hat by its
// line, then x_1 = tau^y, x_2 = tau^(1 - y), Eq. (5.42) of the MadNIS thesis;
// dx_1 dx_2 = -log(tau) dtau dy.
template <class T>
class Collision {
public:
    MADNIS_FN Collision(const TopologySpec& spec, CubeReader<T>& cube) : Collision(spec) {
        if (partonic_) {
            energies_[0] = T(beams_[0]);
            energies_[1] = T(beams_[1]);
            in_rest_frame(T(s_beams_));
            return;
        }
        T s;
        cube.line(spec.s_hat, T(spec.s_min), T(spec.s_max), s);
        const T tau = s / s_beams_, log_tau = log(tau);
        const T x1 = min(max(exp(cube.number() * log_tau), tau), T(1.));
        cube.jacobian.times(-log_tau / s_beams_);
        energies_[0] = beams_[0] * x1;
        energies_[1] = beams_[1] * (tau / x1);
        in_rest_frame(s);
    }

    // From the momenta of all legs, the incoming ones first.
    MADNIS_FN Collision(const TopologySpec& spec, const FourVector<T>* p, CubeWriter<T>& cube)
        : Collision(spec) {
        energies_[0] = p[swapped() ? 1 : 0].e;
        energies_[1] = p[swapped() ? 0 : 1].e;
        const T s = 4. * energies_[0] * energies_[1];
        in_rest_frame(s);
        if (partonic_) {
            cube.jacobian.require(same_energy(0) && same_energy(1));
            return;
        }
        const T x1 = energies_[0] / beams_[0], x2 = energies_[1] / beams_[1];
        constexpr double one = 1 + rounding;
        cube.jacobian.require(x1 <= one && x2 <= one && x1 > 0. && x2 > 0.);
        cube.line(spec.s_hat, T(spec.s_min), T(spec.s_max), s);
        const T log_tau = min(bounded_log(T(s / s_beams_)), T(0.));
        const T log_x1 = bounded_log(min(x1, T(1.)));
        cube.number(select(log_tau < 0., T(log_x1 / log_tau), T(0.5)));
        cube.jacobian.times(-log_tau / s_beams_);
    }

    // Energy of both in their rest frame, in GeV.
    MADNIS_FN const T& root_s() const { return root_s_; }

    // Momentum of the first (k = 0) or second parton in the rest frame.
    MADNIS_FN FourVector<T> parton(int k) const {
        const T zero(0.), half = 0.5 * root_s_;
        return {half, zero, zero, k == 0 ? half : T(-half)};
    }

    // Momenta of both in the laboratory, in the order of the beams.
    MADNIS_FN void store(FourVector<T>* p) const {
        const T zero(0.);
        const T &first = energies_[swapped() ? 1 : 0], &second = energies_[swapped() ? 0 : 1];
        p[0] = {first, zero, zero, first};
        p[1] = {second, zero, zero, -second};
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
        : spec_(spec),
          partonic_(spec.partonic),
          beams_{spec.beam_energies[swapped() ? 1 : 0], spec.beam_energies[swapped() ? 0 : 1]},
          s_beams_(4 * beams_[0] * beams_[1]) {}

    MADNIS_FN bool swapped() const { return spec_.legs[0] == 1; }

    MADNIS_FN void in_rest_frame(const T& s) {
        root_s_ = sqrt(max(s, T(0.)));
        ratio_ = sqrt(energies_[0] / energies_[1]);
    }

    MADNIS_FN Mask<T> same_energy(int k) const {
        return abs(energies_[k] - beams_[k]) <= beam_tolerance * beams_[k];
    }

    // Half a turn about the x axis where the topology exchanges the beams.
    MADNIS_FN FourVector<T> exchanged(const FourVector<T>& p) const {
        return swapped() ? FourVector<T>{p.e, p.x, -p.y, -p.z} : p;
    }

    const TopologySpec& spec_;
    bool partonic_;
    double beams_[2], s_beams_;
    T energies_[2];
    T root_s_, ratio_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

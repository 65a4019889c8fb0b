// Two massless partons to one particle on its mass shell, as on the processor
// physics/phase_space/on_shell_mapping.py maps them.
#pragma once

#include "observables/four_vector.hpp"
#include "phase_space/mapping_specs.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// x_1 = sqrt(tau) e^y, x_2 = sqrt(tau) e^-y with tau = M^2 / (4 E_1 E_2), the rapidity y in units
// of its range.
template <class T>
class OnShellMap {
public:
    MADNIS_FN explicit OnShellMap(const OnShellSpec& spec)
        : first_(spec.beam_energies[0]),
          second_(spec.beam_energies[1]),
          least_(spec.mass * spec.mass / (4 * second_)),
          highest_(0.5 * std::log(4 * first_ * second_ / (spec.mass * spec.mass))) {}

    // p: all three legs; returns dx_1 dx_2 dPhi_1 / dx, 0 outside.
    MADNIS_FN T forward(const T* x, FourVector<T>* p) const {
        const auto inside = x[0] >= 0. && x[0] <= 1.;
        const T exponent = 2 * highest_ * select(inside, x[0], T(0.5));
        const T first = min(T(least_ * exp(exponent)), T(first_)),
                second = second_ * exp(-exponent);
        const T zero(0.);
        p[0] = {first, zero, zero, first};
        p[1] = {second, zero, zero, -second};
        p[2] = p[0] + p[1];
        return select(inside, T(jacobian()), zero);
    }

    // Momenta of another mass have no point.
    MADNIS_FN T inverse(const FourVector<T>* p, T* x) const {
        const T &first = p[0].e, &second = p[1].e;
        const auto inside = first > 0. && first <= first_ && second > 0. && second <= second_ &&
                            abs(first * second / (least_ * second_) - 1.) < rounding;
        const T ratio = select(inside, first, T(first_)) / select(inside, second, T(second_));
        const T share = 0.5 + log(ratio * second_ / first_) / (4 * highest_);
        x[0] = select(inside, min(max(share, T(0.)), T(1.)), T(0.5));
        return select(inside, T(jacobian()), T(0.));
    }

private:
    // Relative deviation of s-hat from M^2 that is none.
    static constexpr double rounding = 1e-9;

    // 2 pi dx_1 dx_2 delta(s-hat - M^2) / dx, GeV^-2
    MADNIS_FN double jacobian() const {
        return 2 * std::numbers::pi * 2 * highest_ / (4 * first_ * second_);
    }

    double first_, second_, least_, highest_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

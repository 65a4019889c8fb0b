// Breit-Wigner, 1 / s^power and flat maps from [0, 1] to a squared invariant mass s between fixed
// limits s_min and s_max, Sec. 2.2.3 of the MadNIS thesis.
//
// Used for s-hat of 2 -> 2 scattering (s_channel.hpp); lines.hpp has the maps between limits that
// differ from event to event, which all other channels use.
//
// forward(z) gives s and ds/dz > 0, inverse(s) gives z and the same ds/dz. Sums of numbers of one
// sign throughout, so that s is good to a few units in the last place for any width, power and
// range.
#pragma once

#include "phase_space/mapping_specs.hpp"
#include "simd/lane_math.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// A mapped number and the Jacobian of the map.
template <class T>
struct Mapped {
    T value, jacobian;
};

class FlatInvariant {
public:
    MADNIS_FN explicit FlatInvariant(const InvariantSpec& spec)
        : s_min_(spec.s_min), range_(spec.s_max - spec.s_min) {}

    template <class T>
    MADNIS_FN Mapped<T> forward(const T& z) const {
        return {s_min_ + range_ * z, T(range_)};
    }

    template <class T>
    MADNIS_FN Mapped<T> inverse(const T& s) const {
        return {(s - s_min_) / range_, T(range_)};
    }

private:
    double s_min_, range_;
};

// s = M^2 + M Gamma tan(y_1 + (y_2 - y_1) z), Eqs. (2.43) and (2.44), written with tan y_1 = a, tan
// y_2 = b and u = tan((y_2 - y_1) z) or, nearer to the upper end, u = tan((y_2 - y_1) (1 - z)):
// tan(y_1 + ..) = (a + u) / (1 - a u).
class BreitWignerInvariant {
public:
    MADNIS_FN explicit BreitWignerInvariant(const InvariantSpec& spec)
        : s_min_(spec.s_min),
          m2_(spec.mass * spec.mass),
          m_gamma_(spec.mass * spec.width),
          a_((spec.s_min - m2_) / m_gamma_),
          b_((spec.s_max - m2_) / m_gamma_),
          range_(std::atan2((spec.s_max - spec.s_min) / m_gamma_, 1 + a_ * b_)) {
        // All below the peak: always from the lower end; all above: always from the upper end.
        if (b_ <= 0) last_lower_angle_ = detail::infinity;
        if (a_ >= 0) last_lower_angle_ = -1;
    }

    template <class T>
    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T angle = range_ * z;
        const auto lower = angle <= last_lower_angle_;
        const T u = tan(min(select(lower, angle, range_ * (1. - z)), T(half_pi)));
        const T end = select(lower, T(a_), T(-b_));
        const T below = 1. - end * u;
        const T t = select(lower, T(1.), T(-1.)) * (end + u) / below;
        const T s =
            select(lower, s_min_ + m_gamma_ * (u * (1. + end * end) / below), m2_ + m_gamma_ * t);
        return {s, jacobian(t)};
    }

    template <class T>
    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const T t = (s - m2_) / m_gamma_;
        return {atan2((s - s_min_) / m_gamma_, 1. + a_ * t) / range_, jacobian(t)};
    }

private:
    static constexpr double half_pi = std::numbers::pi / 2;

    template <class T>
    MADNIS_FN T jacobian(const T& t) const {
        return (range_ * m_gamma_) * (1. + t * t);
    }

    double s_min_, m2_, m_gamma_, a_, b_, range_;
    double last_lower_angle_ = half_pi;
};

// Density 1 / s^nu, Eq. (2.45), for any nu: with kappa = |1 - nu| and the limit s_r towards which
// s^(1 - nu) grows, (s / s_r)^(1 - nu) = share + (1 - share) r, r = (s_min / s_max)^kappa, where
// share is z for nu < 1 and 1 - z for nu > 1.
class MasslessInvariant {
public:
    MADNIS_FN explicit MasslessInvariant(const InvariantSpec& spec)
        : upwards_(spec.power < 1),
          reference_(upwards_ ? spec.s_max : spec.s_min),
          kappa_(std::abs(1 - spec.power)),
          log_range_(std::log(spec.s_max / spec.s_min)) {
        if (kappa_ * log_range_ < 1e-15) kappa_ = 0;  // logarithmic to all digits
        if (kappa_ > 0) fall_ = -std::expm1(-kappa_ * log_range_);
        if (kappa_ > 0) far_ = std::exp(-kappa_ * log_range_);
    }

    template <class T>
    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T distance = upwards_ ? log_distance(z, 1. - z) : log_distance(1. - z, z);
        return with_jacobian(reference_ * exp(upwards_ ? -distance : distance), distance);
    }

    template <class T>
    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const T distance = abs(log(s / reference_));
        const T rest =
            kappa_ > 0 ? T(-expm1(-kappa_ * distance) / fall_) : T(distance / log_range_);
        return {upwards_ ? T(1. - rest) : rest, with_jacobian(s, distance).jacobian};
    }

private:
    // |log(s / s_r)| at share and rest = 1 - share.
    template <class T>
    MADNIS_FN T log_distance(const T& share, const T& rest) const {
        if (kappa_ == 0) return rest * log_range_;
        if (fall_ < 0.5) return -log1p(-fall_ * rest) / kappa_;
        return -log(share + rest * far_) / kappa_;
    }

    template <class T>
    MADNIS_FN Mapped<T> with_jacobian(const T& s, const T& distance) const {
        if (kappa_ == 0) return {s, s * log_range_};
        const T base = exp(-kappa_ * distance);
        return {s, select(base > 0., s * (fall_ / kappa_) / base, T(0.))};
    }

    bool upwards_;
    double reference_, kappa_, log_range_;
    double fall_ = 0, far_ = 0;
};

// Call body with the invariant map that the description names.
template <class Body>
MADNIS_FN void with_invariant(const InvariantSpec& spec, const Body& body) {
    switch (spec.kind) {
        case InvariantKind::flat: return body(FlatInvariant(spec));
        case InvariantKind::breit_wigner: return body(BreitWignerInvariant(spec));
        case InvariantKind::massless: return body(MasslessInvariant(spec));
    }
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Breit-Wigner, 1 / s^power, a mixture of both and flat maps from [0, 1] to the squared mass of a
// propagator, or to minus the squared momentum transfer, between limits that differ from event to
// event, Eqs. (2.43) to (2.45) of the MadNIS thesis.
//
// Used for all lines of a diagram (topology.hpp, through cube.hpp); which line has which map is
// decided in physics/phase_space/topology_mapping.py. invariants.hpp has those with fixed limits.
#pragma once

#include "phase_space/invariants.hpp"
#include "phase_space/mapping_specs.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Density 1 / u^power, u = s - pole >= 0: u^(1 - power), or the logarithm of u, is linear in z.
template <class T>
class PowerMap {
public:
    MADNIS_FN PowerMap(const LineSpec& line, const T& lower, const T& upper)
        : power_(line.power), pole_(line.pole), lower_(lower - pole_), upper_(upper - pole_) {
        if (power_ != 1) first_ = raised(lower_, 1 - power_);
        range_ = stretched(upper_);
    }

    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T v = z * range_;
        const T u = power_ == 1 ? T(lower_ * exp(v)) : raised(T(first_ + v), 1 / (1 - power_));
        const T inside = min(max(u, lower_), upper_);
        return {inside + pole_, slope(inside)};
    }

    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const T u = s - pole_;
        return {stretched(u) / range_, slope(u)};
    }

private:
    MADNIS_FN static T raised(const T& u, double k) {
        return select(u > 0., exp(k * bounded_log(u)), T(0.));
    }

    MADNIS_FN T stretched(const T& u) const {
        return power_ == 1 ? T(log(u / lower_)) : T(raised(u, 1 - power_) - first_);
    }
    MADNIS_FN T slope(const T& u) const {
        return power_ == 1 ? T(range_ * u) : T(range_ / (1 - power_) * raised(u, power_));
    }

    double power_, pole_;
    T lower_, upper_, first_, range_;
};

// Breit-Wigner by the angle of t = (s - M^2) / (M Gamma), counted from a, that of the lower limit;
// tan of the angle is u = (t - a) / (1 + a t), all of it without M^2 where the range is small.
template <class T>
class ResonanceMap {
public:
    MADNIS_FN ResonanceMap(const LineSpec& line, const T& lower, const T& upper)
        : m_gamma_(line.mass * line.width),
          lower_(lower),
          upper_(upper),
          first_((lower - line.mass * line.mass) / m_gamma_),
          range_(angle(position(upper))) {}

    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T u = tan(z * range_);
        const T rise = u * (1. + first_ * first_) / (1. - first_ * u);
        const T s = min(max(T(lower_ + m_gamma_ * rise), lower_), upper_);
        return {s, slope(position(s))};
    }

    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const T rise = position(s);
        return {angle(rise) / range_, slope(rise)};
    }

private:
    // t - a
    MADNIS_FN T position(const T& s) const { return (s - lower_) / m_gamma_; }
    MADNIS_FN T angle(const T& rise) const { return atan2(rise, T(1. + first_ * (first_ + rise))); }
    MADNIS_FN T slope(const T& rise) const {
        return range_ * m_gamma_ * (1. + square(T(first_ + rise)));
    }

    double m_gamma_;
    T lower_, upper_, first_, range_;
};

// A share of the points on a Breit-Wigner, the others as 1 / (s - pole)^power, which rules far
// from the peak. The sum of the two distribution functions is inverted in w, s = M^2 + M Gamma
// sinh(w), where neither has a narrow feature.
template <class T>
class MixtureMap {
public:
    MADNIS_FN MixtureMap(const LineSpec& line, const T& lower, const T& upper)
        : share_(line.share),
          m2_(line.mass * line.mass),
          m_gamma_(line.mass * line.width),
          lower_(lower),
          upper_(upper),
          peak_(line, lower, upper),
          tail_(line, lower, upper) {}

    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T s = searched(z);
        const auto [value, slope] = inverse(s);
        return inverse_slope(inside(T(s - (value - z) * slope)));
    }

    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const auto [x, dx] = peak_.inverse(s);
        const auto [y, dy] = tail_.inverse(s);
        return {share_ * x + (1 - share_) * y, 1. / (share_ / dx + (1 - share_) / dy)};
    }

private:
    static constexpr int most_steps = 64;
    // Change of w, in units of its range but at most 1, after which the search stops: Newton's
    // method squares it in the one step that `forward` adds.
    static constexpr double last_change = 1e-6;

    MADNIS_FN Mapped<T> inverse_slope(const T& s) const { return {s, inverse(s).jacobian}; }

    MADNIS_FN T inside(const T& s) const { return min(max(s, lower_), upper_); }
    MADNIS_FN T position(const T& s) const { return asinh(T((s - m2_) / m_gamma_)); }

    // As if the peak were narrow: the tail has all points beside it, the peak all of them inside.
    MADNIS_FN T guessed(const T& z) const {
        const T below = (1 - share_) * tail_.inverse(inside(T(m2_))).value;
        const T on_peak = (z - below) / share_;
        const T beside = select(on_peak > 0., T(z - share_), z) / (1 - share_);
        const T far = tail_.forward(min(max(beside, T(0.)), T(1.))).value;
        const T near_peak = peak_.forward(min(max(on_peak, T(0.)), T(1.))).value;
        return inside(select(on_peak > 0. && on_peak < 1., near_peak, far));
    }

    // Newton's method, bisection where it would leave the bracket; elements that have arrived stay
    // as they are.
    MADNIS_FN T searched(const T& z) const {
        T s = guessed(z), w = position(s), lowest = position(lower_), highest = position(upper_);
        const T arrived = last_change * min(T(highest - lowest), T(1.));
        auto moving = w == w;
        for (int step = 0; step < most_steps && any(moving); ++step) {
            const auto [value, slope] = inverse(s);
            const T t = (s - m2_) / m_gamma_;
            const T newton = w - (value - z) * slope / (m_gamma_ * sqrt(1. + t * t));
            lowest = select(value < z, w, lowest);
            highest = select(value < z, highest, w);
            const T next =
                select(newton >= lowest && newton <= highest, newton, T(0.5 * (lowest + highest)));
            const auto far = abs(next - w) > arrived;
            w = select(moving, next, w);
            s = inside(T(m2_ + m_gamma_ * sinh(w)));
            moving = moving && far;
        }
        return s;
    }

    MADNIS_FN static T sinh(const T& w) {
        const T power = expm1(abs(w));
        return copysign(T(0.5 * (power + power / (power + 1.))), w);
    }

    double share_, m2_, m_gamma_;
    T lower_, upper_;
    ResonanceMap<T> peak_;
    PowerMap<T> tail_;
};

// Mass of what n particles of an event of flat phase space have together, RAMBO on diet
// (Plaetzer, arXiv:1308.2922): K = u K_max with z = n v^(n - 1) - (n - 1) v^n, v = u^2, where K is
// the mass above threshold.
template <class T>
class FlatMap {
public:
    MADNIS_FN FlatMap(const LineSpec& line, const T& lower, const T& upper)
        : n(line.count), least_(sqrt(lower)), room_(sqrt(upper) - least_) {}

    MADNIS_FN Mapped<T> forward(const T& z) const {
        const T v = solved(z);
        const T mass = least_ + room_ * sqrt(v);
        return {mass * mass, slope(mass, v)};
    }

    MADNIS_FN Mapped<T> inverse(const T& s) const {
        const T mass = sqrt(s), u = (mass - least_) / room_;
        const T v = min(max(T(u * u), T(0.)), T(1.));
        return {value(v), slope(mass, v)};
    }

private:
    // Where Newton's method starts from above at least: the slope vanishes at v = 0.
    static constexpr double least_start = 1e-3;

    // Steps of Newton's method from either end to all digits.
    static constexpr int newton_steps = 12;

    MADNIS_FN T raised(const T& v, int k) const {
        T result(1.);
        for (int i = 0; i < k; ++i) result = result * v;
        return result;
    }

    MADNIS_FN T value(const T& v) const {
        return raised(v, n - 1) * (double(n) - double(n - 1) * v);
    }

    // ds/dz = 2 m room du/dz, dz/du = 2 n (n - 1) u^(2 n - 3) (1 - v)
    MADNIS_FN T slope(const T& mass, const T& v) const {
        const T du = double(n) * double(n - 1) * raised(v, n - 2) * sqrt(v) * (1. - v);
        return select(du > 0., T(mass * room_ / du), T(0.));
    }

    // Newton's method from the side of the nearer end, where the function is a power.
    MADNIS_FN T solved(const T& z) const {
        const T small = exp(bounded_log(T(z / double(n))) / double(n - 1));
        const T large = 1. - sqrt(max(T((1. - z) * (2. / (double(n) * double(n - 1)))), T(0.)));
        T v = select(z < 0.5, small, max(large, T(least_start)));
        for (int step = 0; step < newton_steps; ++step) {
            const T slope = double(n) * double(n - 1) * raised(v, n - 2) * (1. - v);
            const T change = select(slope > 0., T((value(v) - z) / slope), T(0.));
            v = min(max(T(v - change), T(0.25 * v)), T(0.5 + 0.5 * v));
        }
        return v;
    }

    int n;
    T least_, room_;
};

// Call use with the map that the description names.
template <class T, class Use>
MADNIS_FN Mapped<T> with_line(const LineSpec& line, const T& lower, const T& upper,
                              const Use& use) {
    switch (line.kind) {
        case LineKind::resonance: return use(ResonanceMap<T>(line, lower, upper));
        case LineKind::mixture: return use(MixtureMap<T>(line, lower, upper));
        case LineKind::flat: return use(FlatMap<T>(line, lower, upper));
        case LineKind::power: break;
    }
    return use(PowerMap<T>(line, lower, upper));
}

// z -> s in [lower, upper] with ds/dz; Jacobian 0 where the range is empty.
template <class T>
MADNIS_OUT_OF_LINE Mapped<T> draw_line(const LineSpec& line, const T& z, const T& lower,
                                       const T& upper) {
    const auto open = upper > lower;
    const T top = select(open, upper, T(lower + 1.));
    const auto [s, ds] =
        with_line(line, lower, top, [&](const auto& map) { return map.forward(z); });
    return {select(open, s, lower), select(open, ds, T(0.))};
}

// Relative distance at which a squared mass still counts as inside of its limits, which are rounded
// as the momenta are.
inline constexpr double limit_tolerance = 1e-9;

// The z and ds/dz that draw_line maps to s.
template <class T>
MADNIS_OUT_OF_LINE Mapped<T> place_on_line(const LineSpec& line, const T& s, const T& lower,
                                           const T& upper) {
    const T tolerance = limit_tolerance * abs(upper);
    const auto open = upper > lower && s >= lower - tolerance && s <= upper + tolerance;
    const T top = select(open, upper, T(lower + 1.));
    const T inside = min(max(s, lower), top);
    const auto [z, ds] =
        with_line(line, lower, top, [&](const auto& map) { return map.inverse(inside); });
    return {min(max(z, T(0.)), T(1.)), select(open, ds, T(0.))};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

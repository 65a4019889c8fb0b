// Maps from [0, 1] to the squared mass of a propagator, or to minus the squared momentum transfer, between limits that
// differ from event to event, Eqs. (2.43) to (2.45) of the MadNIS thesis.
#pragma once

#include "madnis/invariants.hpp"
#include "madnis/specs.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Density 1 / u^power between lower and upper, both >= 0: u^(1 - power) is linear in z.
template <class T>
struct PowerMap {
    double power;

    Mapped<T> forward(const T& z, const T& lower, const T& upper) const {
        const double k = 1 - power;
        if (k == 0) {
            const T range = log(upper / lower);
            const T u = lower * exp(z * range);
            return {u, u * range};
        }
        const T a = raised(lower, k), b = raised(upper, k);
        const T u = min(max(raised(T(a + z * (b - a)), 1 / k), lower), upper);
        return {u, slope(u, a, b)};
    }

    Mapped<T> inverse(const T& u, const T& lower, const T& upper) const {
        const double k = 1 - power;
        if (k == 0) {
            const T range = log(upper / lower);
            return {log(u / lower) / range, u * range};
        }
        const T a = raised(lower, k), b = raised(upper, k);
        return {(raised(u, k) - a) / (b - a), slope(u, a, b)};
    }

private:
    static T raised(const T& u, double k) { return select(u > 0., exp(k * log(max(u, T(1e-300)))), T(0.)); }

    T slope(const T& u, const T& a, const T& b) const { return (b - a) / (1 - power) * raised(u, power); }
};

// Breit-Wigner by the angle y = arctan((s - M^2) / (M Gamma)).
template <class T>
struct ResonanceMap {
    double mass, width;

    Mapped<T> forward(const T& z, const T& lower, const T& upper) const {
        const auto [first, range] = angles(lower, upper);
        const T t = tan(first + range * z);
        return {min(max(T(mass * mass + mass * width * t), lower), upper), slope(t, range)};
    }

    Mapped<T> inverse(const T& s, const T& lower, const T& upper) const {
        const auto [first, range] = angles(lower, upper);
        const T t = position(s);
        return {(atan(t) - first) / range, slope(t, range)};
    }

private:
    struct Angles {
        T first, range;
    };

    Angles angles(const T& lower, const T& upper) const {
        const T first = atan(position(lower));
        return {first, atan(position(upper)) - first};
    }

    T position(const T& s) const { return (s - mass * mass) / (mass * width); }
    T slope(const T& t, const T& range) const { return range * (mass * width) * (1. + t * t); }
};

// z -> s in [lower, upper] with ds/dz; Jacobian 0 where the range is empty.
template <class T>
Mapped<T> draw_line(const LineSpec& line, const T& z, const T& lower, const T& upper) {
    const auto open = upper > lower;
    const T top = select(open, upper, T(lower + 1.));
    Mapped<T> result{};
    if (line.kind == LineKind::resonance) {
        result = ResonanceMap<T>{line.mass, line.width}.forward(z, lower, top);
    } else {
        result = PowerMap<T>{line.power}.forward(z, T(lower - line.pole), T(top - line.pole));
        result.value = result.value + line.pole;
    }
    return {select(open, result.value, lower), select(open, result.jacobian, T(0.))};
}

// The z and ds/dz that draw_line maps to s.
template <class T>
Mapped<T> place_on_line(const LineSpec& line, const T& s, const T& lower, const T& upper) {
    const T tolerance = 1e-9 * abs(upper);
    const auto open = upper > lower && s >= lower - tolerance && s <= upper + tolerance;
    const T top = select(open, upper, T(lower + 1.));
    const T inside = min(max(s, lower), top);
    const auto result = line.kind == LineKind::resonance
                            ? ResonanceMap<T>{line.mass, line.width}.inverse(inside, lower, top)
                            : PowerMap<T>{line.power}.inverse(T(inside - line.pole), T(lower - line.pole), T(top - line.pole));
    return {min(max(result.value, T(0.)), T(1.)), select(open, result.jacobian, T(0.))};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

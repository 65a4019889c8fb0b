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

// Mass of what n particles of an event of flat phase space have together, RAMBO on diet (Plaetzer, arXiv:1308.2922):
// K = u K_max with z = n v^(n - 1) - (n - 1) v^n, v = u^2, where K is the mass above threshold.
template <class T>
struct FlatMap {
    int n;

    Mapped<T> forward(const T& z, const T& lower, const T& upper) const {
        const T least = sqrt(lower), room = sqrt(upper) - least;
        const T v = solved(z);
        const T mass = least + room * sqrt(v);
        return {mass * mass, slope(mass, room, v)};
    }

    Mapped<T> inverse(const T& s, const T& lower, const T& upper) const {
        const T least = sqrt(lower), room = sqrt(upper) - least, mass = sqrt(s);
        const T u = (mass - least) / room;
        const T v = min(max(T(u * u), T(0.)), T(1.));
        return {value(v), slope(mass, room, v)};
    }

private:
    T raised(const T& v, int k) const {
        T result(1.);
        for (; k > 0; --k) result = result * v;
        return result;
    }

    T value(const T& v) const { return raised(v, n - 1) * (double(n) - double(n - 1) * v); }

    // ds/dz = 2 m room du/dz, dz/du = 2 n (n - 1) u^(2 n - 3) (1 - v)
    T slope(const T& mass, const T& room, const T& v) const {
        const T du = double(n) * double(n - 1) * raised(v, n - 2) * sqrt(v) * (1. - v);
        return select(du > 0., T(mass * room / du), T(0.));
    }

    // Newton's method from the side of the nearer end, where the function is a power.
    T solved(const T& z) const {
        const T small = exp(log(max(T(z / double(n)), T(1e-300))) / double(n - 1));
        const T large = 1. - sqrt(max(T((1. - z) * (2. / (double(n) * double(n - 1)))), T(0.)));
        T v = select(z < 0.5, small, max(large, T(1e-3)));
        for (int step = 0; step < 12; ++step) {
            const T slope = double(n) * double(n - 1) * raised(v, n - 2) * (1. - v);
            const T change = select(slope > 0., T((value(v) - z) / slope), T(0.));
            v = min(max(T(v - change), T(0.25 * v)), T(0.5 + 0.5 * v));
        }
        return v;
    }
};

// z -> s in [lower, upper] with ds/dz; Jacobian 0 where the range is empty.
template <class T>
Mapped<T> draw_line(const LineSpec& line, const T& z, const T& lower, const T& upper) {
    const auto open = upper > lower;
    const T top = select(open, upper, T(lower + 1.));
    Mapped<T> result{};
    if (line.kind == LineKind::resonance) {
        result = ResonanceMap<T>{line.mass, line.width}.forward(z, lower, top);
    } else if (line.kind == LineKind::flat) {
        result = FlatMap<T>{int(line.power)}.forward(z, lower, top);
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
    Mapped<T> result{};
    if (line.kind == LineKind::resonance) {
        result = ResonanceMap<T>{line.mass, line.width}.inverse(inside, lower, top);
    } else if (line.kind == LineKind::flat) {
        result = FlatMap<T>{int(line.power)}.inverse(inside, lower, top);
    } else {
        result = PowerMap<T>{line.power}.inverse(T(inside - line.pole), T(lower - line.pole), T(top - line.pole));
    }
    return {min(max(result.value, T(0.)), T(1.)), select(open, result.jacobian, T(0.))};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

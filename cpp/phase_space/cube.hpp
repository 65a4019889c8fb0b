// The unit cube of a mapping as a row of numbers: CubeReader takes a point apart on the way to
// momenta, CubeWriter puts it together on the way back.
//
// Both have the same verbs, so that what is alike on both ways is written once: a number that the
// reader sets, the writer takes. Both gather the Jacobian dp/dx.
#pragma once

#include <limits>

#include "phase_space/lines.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Product of the Jacobians of the steps of a map.
template <class T>
class Jacobian {
public:
    MADNIS_FN void times(const T& factor) { value_ = value_ * factor; }

    // 0 where the condition does not hold.
    MADNIS_FN void require(const Mask<T>& condition) { value_ = select(condition, value_, T(0.)); }

    // 0 unless positive and finite.
    MADNIS_FN T value() const {
        const auto good = value_ > 0. && value_ < std::numeric_limits<double>::infinity();
        return select(good, value_, T(0.));
    }

private:
    T value_ = T(1.);
};

// GeV: lighter lines, which only massless particles without cuts have, count as outside; s^2 must
// not underflow.
inline constexpr double least_line = 1e-70;

template <class T>
MADNIS_FN T mass_of(const T& s) {
    return max(T(sqrt(max(s, T(0.)))), T(least_line));
}

// ds / 2 pi of a line that is drawn or found.
template <class T>
MADNIS_FN T per_invariant(const T& mass) {
    return select(mass > least_line, T(0.5 / std::numbers::pi), T(0.));
}

template <class T>
class CubeReader {
public:
    MADNIS_FN explicit CubeReader(const T* x) : next_(x) {}

    // Outside of [0, 1] a number counts as 1/2, with Jacobian 0.
    MADNIS_FN T number() {
        const T z = *next_++;
        const auto inside = z >= 0. && z <= 1.;
        jacobian.require(inside);
        return select(inside, z, T(0.5));
    }

    // A squared mass, or minus a momentum transfer, between limits.
    MADNIS_FN void line(const LineSpec& spec, const T& lower, const T& upper, T& s) {
        const auto [value, ds] = draw_line(spec, number(), lower, upper);
        jacobian.times(ds);
        s = value;
    }

    // A mass between the roots of the limits.
    MADNIS_FN void mass(const LineSpec& spec, const T& lower, const T& upper, T& mass) {
        T s;
        line(spec, lower, upper, s);
        mass = mass_of(s);
        jacobian.times(per_invariant(mass));
    }

    // The first azimuth turns the whole event about the beams, the others count from it.
    MADNIS_FN Direction<T> azimuth() {
        const auto found = direction(number());
        if (turned_) return found;
        turned_ = true;
        turn_ = found;
        return {T(1.), T(0.)};
    }

    // By how much all momenta are still to be turned.
    MADNIS_FN const Direction<T>& turn() const { return turn_; }

    Jacobian<T> jacobian;

private:
    const T* next_;
    bool turned_ = false;
    Direction<T> turn_;
};

template <class T>
class CubeWriter {
public:
    MADNIS_FN explicit CubeWriter(T* x) : next_(x) {}

    MADNIS_FN void number(const T& z) { *next_++ = min(max(z, T(0.)), T(1.)); }

    MADNIS_FN void line(const LineSpec& spec, const T& lower, const T& upper, const T& s) {
        const auto [z, ds] = place_on_line(spec, s, lower, upper);
        number(z);
        jacobian.times(ds);
    }

    MADNIS_FN void mass(const LineSpec& spec, const T& lower, const T& upper, const T& mass) {
        line(spec, lower, upper, T(mass * mass));
        jacobian.times(per_invariant(mass));
    }

    // By how much all momenta were turned back: known before the first azimuth.
    MADNIS_FN void turned_back(const Direction<T>& turn) { turn_ = turn; }

    // The azimuth of a momentum with these components, in an event that is turned back.
    MADNIS_FN void azimuth(const T& y, const T& x) {
        number(turned_ ? turns(y, x) : turns(turn_.sin, turn_.cos));
        turned_ = true;
    }

    Jacobian<T> jacobian;

private:
    // The angle of the point (x, y) in units of 2 pi, in [0, 1].
    MADNIS_FN static T turns(const T& y, const T& x) {
        const T angle = atan2(y, x) * (0.5 / std::numbers::pi);
        return select(angle < 0., T(angle + 1.), angle);
    }

    T* next_;
    bool turned_ = false;
    Direction<T> turn_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Elementary functions of scalars, which are those of the C library, and what is written with them
// for any number type.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "simd/lane_scalar.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

using std::abs;
using std::asinh;
using std::atan;
using std::atan2;
using std::copysign;
using std::cos;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::max;
using std::min;
using std::sin;
using std::sqrt;
using std::tan;

namespace detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace detail

template <class T>
MADNIS_FN T square(const T& x) {
    return x * x;
}

// c[0] + c[1] x + c[2] x^2 + ..
template <class T, std::size_t n>
MADNIS_FN T polynomial(const T& x, const double (&c)[n]) {
    T sum(c[n - 1]);
    for (std::size_t i = n - 1; i-- > 0;) sum = sum * x + c[i];
    return sum;
}

template <class T>
struct Direction {
    T cos, sin;
};

// The point of the unit circle at angle 2 pi x, 0 <= x <= 1; exact at multiples of a quarter.
MADNIS_FN inline Direction<double> direction(double x) {
    const double quarter = std::nearbyint(4 * x), r = 2 * std::numbers::pi * (x - quarter / 4);
    const double s[] = {std::sin(r), std::cos(r)};
    const int n = int(quarter) & 3;
    const double sine = s[n & 1], cosine = s[1 - (n & 1)];
    return {(n == 1 || n == 2) ? -cosine : cosine, n >= 2 ? -sine : sine};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Elementary functions on the number type T.
//
// sqrt, abs, min, max and fma come from the standard library for both types. The others are applied element by
// element: correct to the accuracy of the C library on every instruction set.
#pragma once

#include <algorithm>
#include <cmath>

#include "madnis/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

using std::abs;
using std::max;
using std::min;
using std::sqrt;
using stdx::abs;
using stdx::max;
using stdx::min;
using stdx::sqrt;

template <class T>
T asinh(const T& x) {
    return lane_map([](double v) { return std::asinh(v); }, x);
}

template <class T>
T log(const T& x) {
    return lane_map([](double v) { return std::log(v); }, x);
}

inline double atan2(double y, double x) { return std::atan2(y, x); }

inline Lane atan2(const Lane& y, const Lane& x) {
    return Lane([&](auto i) { return std::atan2(double(y[i]), double(x[i])); });
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Functions of form factors, element by element; branch cuts as Python's cmath has them, where a
// negative zero counts as zero.
#pragma once

#include <cmath>

#include "amplitudes/tape.hpp"
#include "simd/complex.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

inline Complex<double> complex_root(double x, double y) {
    const double size = std::hypot(x, y);
    if (size == 0) return {0, 0};
    const double t = std::sqrt((size + std::abs(x)) / 2), other = std::abs(y) / (2 * t);
    const double re = x >= 0 ? t : other, im = x >= 0 ? other : t;
    return {re, y < 0 ? -im : im};
}

inline Complex<double> step_function(StepFunction function, double x, double y) {
    switch (function) {
        case StepFunction::inverse: {
            const double square = x * x + y * y;
            return {x / square, -y / square};
        }
        case StepFunction::root: return complex_root(x, y);
        case StepFunction::exponential: {
            const double size = std::exp(x);
            return {size * std::cos(y), size * std::sin(y)};
        }
        case StepFunction::logarithm:
            return {std::log(std::hypot(x, y)), std::atan2(y == 0 ? 0. : y, x)};
        case StepFunction::conjugated: return {x, -y};
        case StepFunction::product:
        case StepFunction::choice: break;  // of two registers
    }
    return {x, y};
}

template <class T>
Complex<T> step_function_of(StepFunction function, const Complex<T>& z) {
    using Number = typename LaneTraits<T>::Number;
    const auto part = [&](auto i) {
        return step_function(function, double(z.re[i]), double(z.im[i]));
    };
    return {T([&](auto i) { return static_cast<Number>(part(i).re); }),
            T([&](auto i) { return static_cast<Number>(part(i).im); })};
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

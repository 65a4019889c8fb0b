// Plain descriptions of the tables of parton densities and of alpha_s: what bindings hand to
// kernels.
//
// Pointers and counts instead of containers, as in phase_space/mapping_specs.hpp; PdfGrid and
// AlphaSTable keep the arrays.
#pragma once

#include <cstddef>

#include "simd/isa.hpp"

namespace madnis {

// Interval between the knots i and i + 1, f_0 and f_1 the values there, f_-1 and f_2 those at the
// next knots outside:
// slope * width at knot i     = low_inside  * (f_1 - f_0) + low_outside  * (f_0 - f_-1)
// slope * width at knot i + 1 = high_inside * (f_1 - f_0) + high_outside * (f_2 - f_1)
struct CubicInterval {
    double log_low, inverse_width;
    double low_inside, low_outside;
    double high_inside, high_outside;
    bool alone;  // the only interval of its subgrid
};

// Knots that ascend, at least two; equal neighbours are allowed and separate subgrids.
struct LogAxisSpec {
    const double* knots;
    const CubicInterval* intervals;  // size - 1
    std::size_t size;

    MADNIS_INLINE double first() const { return knots[0]; }
    MADNIS_INLINE double last() const { return knots[size - 1]; }
};

// x f(x, Q^2) at the knots. Memory order (x, Q^2, flavour) with one row of zeros before the first
// and behind the last knot of either axis, where the weights vanish, and `stride` doubles per knot.
struct PdfGridSpec {
    static constexpr std::size_t max_flavours = 32;

    LogAxisSpec x, q2;
    std::size_t flavours, stride;
    double minimum;  // results below it are raised to it
    const double* values;

    MADNIS_INLINE std::size_t n_values() const { return (x.size + 2) * (q2.size + 2) * stride; }
};

// alpha_s(Q^2) at the knots, with one zero before the first and behind the last.
struct AlphaSSpec {
    LogAxisSpec q2;
    const double* values;  // q2.size + 2
    double power_below;    // d log(alpha_s) / d log(Q^2) of the first interval
};

}  // namespace madnis

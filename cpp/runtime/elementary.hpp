// The elementary functions of simd/lane_math.hpp as kernels, for their tests.
#pragma once

#include <cstddef>

#include "runtime/kernel_tables.hpp"

namespace madnis {

enum class Elementary { exp, expm1, log, log1p, sin, cos, tan, atan, asinh };

struct ElementaryKernels {
    std::size_t lane_width;  // doubles per SIMD register
    void (*apply)(Elementary function, const double* x, std::size_t events, double* y);
    void (*exp_float32)(const float* x, std::size_t events, float* y);
    void (*arc_tangent)(const double* y, const double* x, std::size_t events, double* angle);
};

MADNIS_KERNELS(ElementaryKernels, elementary_kernels)

}  // namespace madnis

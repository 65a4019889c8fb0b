// The elementary functions of simd/lane_math.hpp that have a kernel of their own, for their tests.
#pragma once

namespace madnis {

enum class Elementary { exp, expm1, log, log1p, sin, cos, tan, atan, asinh };

}  // namespace madnis

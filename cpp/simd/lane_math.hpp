// Elementary functions on the number type T.
#pragma once

#include "simd/lane.hpp"
#include "simd/lane_math_scalar.hpp"
#ifndef MADNIS_DEVICE
#include "simd/lane_math_simd.hpp"
#endif

namespace madnis {
inline namespace MADNIS_ISA {

// log(x), and log(1e-300) for whatever is smaller, zero and negative numbers included.
template <class T>
MADNIS_FN T bounded_log(const T& x) {
    return log(max(x, T(1e-300)));
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

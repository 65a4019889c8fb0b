// The number types of the kernels: scalars alone for a GPU, lanes as well on the processor.
#pragma once

#ifdef MADNIS_DEVICE
#include "simd/lane_scalar.hpp"
#else
#include "simd/lane_simd.hpp"
#endif

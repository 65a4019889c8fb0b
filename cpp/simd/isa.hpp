// One name space per instruction set.
//
// The kernels are compiled several times, once per instruction set, and end up in one shared
// library. Every formula therefore lives in
//
//     namespace madnis { inline namespace MADNIS_ISA { .. } }
//
// The inline name space keeps the compiled copies apart, so that the linker can never hand AVX-512
// code to a machine without it. Plain data that crosses between bindings and kernels (batch.hpp,
// tables of kernels) stays outside.
#pragma once

#ifndef MADNIS_ISA
#define MADNIS_ISA baseline
#endif

namespace madnis {
inline namespace MADNIS_ISA {}
}  // namespace madnis

// Formulas run on the processor and on a GPU: MADNIS_FN stands before each of them.
// MADNIS_GPU_FN: on a GPU alone, and where it is emulated.
// MADNIS_OUT_OF_LINE: too large to be copied to each of its calls on a GPU, whose code has to fit
// into a cache.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define MADNIS_FN __host__ __device__
#define MADNIS_GPU_FN __device__
#define MADNIS_OUT_OF_LINE __noinline__ MADNIS_FN
#else
#define MADNIS_FN
#define MADNIS_GPU_FN
#define MADNIS_OUT_OF_LINE MADNIS_FN
#endif

// Short formulas that must not cost a call: their arguments and results are many vector registers
// wide.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define MADNIS_INLINE __forceinline__ MADNIS_FN
#else
#define MADNIS_INLINE [[gnu::always_inline]] inline
#endif

// The same of lambdas, [&](int k) MADNIS_INLINE_LAMBDA { .. }.
#if defined(__CUDACC__) || defined(__HIPCC__)
#define MADNIS_INLINE_LAMBDA
#else
#define MADNIS_INLINE_LAMBDA __attribute__((always_inline))
#endif

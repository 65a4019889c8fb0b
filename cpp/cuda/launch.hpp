// Kernels of a GPU, one event per thread. The same sources are built for the processor, where a
// launch is a loop over blocks and threads (emulation.hpp).
//
//     MADNIS_KERNEL(scale, const double* x, double factor, double* y, std::int64_t n) {
//         const std::int64_t event = thread_index();
//         if (event < n) y[event] = factor * x[event];
//     }
//
// Parameters of kernels are pointers, std::int64_t and double. MADNIS_BLOCK_KERNEL is for kernels
// whose threads share memory and wait for each other; all of them reach every __syncthreads().
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/isa.hpp"

// A function that stays a call, because it is rare and would be compiled many times.
#ifdef MADNIS_EMULATED
#define MADNIS_GPU_CALL [[gnu::noinline]]
#else
#define MADNIS_GPU_CALL __noinline__ __device__
#endif

#ifdef MADNIS_EMULATED

#include "cuda/emulation.hpp"

#define MADNIS_REGISTERED_KERNEL(threads, name, ...)              \
    static void name(__VA_ARGS__);                                \
    static const ::madnis::emulation::Registration name##_kernel( \
        #name, name, ::madnis::emulation::Threads::threads);      \
    static void name(__VA_ARGS__)
#define MADNIS_KERNEL(name, ...) MADNIS_REGISTERED_KERNEL(independent, name, __VA_ARGS__)
#define MADNIS_BLOCK_KERNEL(name, ...) MADNIS_REGISTERED_KERNEL(cooperating, name, __VA_ARGS__)

#else

#define MADNIS_KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#define MADNIS_BLOCK_KERNEL(name, ...) MADNIS_KERNEL(name, __VA_ARGS__)

extern __shared__ __align__(16) double madnis_shared_memory[];

#endif

namespace madnis {
inline namespace MADNIS_ISA {

// Number of this thread in the launch.
MADNIS_GPU_FN inline std::int64_t thread_index() {
    return std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}

// The memory that the threads of a block share, of the size that the launch asked for.
MADNIS_GPU_FN inline void* shared_memory() {
#ifdef MADNIS_EMULATED
    return emulation::shared_memory();
#else
    return madnis_shared_memory;
#endif
}

// The events of a launch: all n of a batch, or those whose positions are listed, both the list and
// its length in the memory of the device.
struct LiveEvents {
    const std::int64_t* positions;  // null: all
    const std::int64_t* count;
    std::int64_t n;

    // The event of thread k, -1 for a thread without one.
    MADNIS_GPU_FN std::int64_t event(std::int64_t k) const {
        if (positions == nullptr) return k < n ? k : -1;
        return k < *count ? positions[k] : -1;
    }
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

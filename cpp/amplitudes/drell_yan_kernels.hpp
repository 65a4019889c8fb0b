// Kernel of q q~ -> neutral vector bosons -> l- l+.
#pragma once

#include "amplitudes/drell_yan_spec.hpp"
#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

struct DrellYanKernels {
    // |M|^2 averaged and summed, and per mediator the helicity sum of its |M_k|^2.
    void (*evaluate)(const DrellYanSpec& spec, ConstBatch p, double* me2, MutableBatch diagrams);
};

MADNIS_KERNELS(DrellYanKernels, drell_yan_kernels)

}  // namespace madnis

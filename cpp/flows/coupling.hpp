// Kernels of coupling blocks of flows on the processor.
#pragma once

#include "flows/coupling_specs.hpp"
#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

// The kernels, with subnetworks in `Number`. Points are (dim, n), the events fastest, sorted by
// channel.
template <class Number>
struct CouplingKernels {
    // x to z and log |dz/dx|, through the blocks in order.
    void (*forward)(const CouplingSpec& spec, const Number* const* parameters, EventRanges ranges,
                    ConstBatch x, MutableBatch z, double* log_jac);

    // z to x and log |dx/dz|, through the blocks in reverse order.
    void (*inverse)(const CouplingSpec& spec, const Number* const* parameters, EventRanges ranges,
                    ConstBatch z, MutableBatch x, double* log_jac);

    // Gradients of the forward direction at x: from those with respect to z
    // (data may be null: zeros) and log_jac to those with respect to x and to the parameters, one
    // array after the other in `grad_parameters`.
    void (*backward)(const CouplingSpec& spec, const Number* const* parameters, EventRanges ranges,
                     ConstBatch x, ConstBatch grad_z, const double* grad_log_jac,
                     MutableBatch grad_x, Number* grad_parameters);
};

MADNIS_KERNELS(CouplingKernels<float>, coupling_float32)
MADNIS_KERNELS(CouplingKernels<double>, coupling_float64)

}  // namespace madnis

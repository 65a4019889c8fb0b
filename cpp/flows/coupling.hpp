// Coupling blocks of flows: their description and their kernels.
//
// Pointers and counts instead of containers, as in phase_space/mapping_specs.hpp.
#pragma once

#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

// Limits and size of the splines of flows/splines.py.
struct SplineSpec {
    std::size_t bins;
    double min_bin_size, derivative_range[2];
};

// Place of an array, (n_channels, ...), among all parameters.
struct ParameterSpec {
    std::size_t array;   // number of the array
    std::size_t offset;  // parameters of one channel in the arrays before
    std::size_t size;    // parameters of one channel
};

// A linear layer of the subnetworks of all channels: weights (n_channels, n_out, n_in), biases
// (n_channels, n_out).
struct LayerSpec {
    std::size_t n_in, n_out;
    std::size_t input_row;  // of the inputs in the memory of a block
    ParameterSpec weight, bias;
};

// The block's memory has rows for the inputs of each layer and then for the outputs of the last
// one, which are the spline parameters (3 K + 1, n_transformed).
struct CouplingBlockSpec {
    const std::size_t *transformed, *fixed;  // features, ascending
    std::size_t n_transformed, n_fixed;
    const LayerSpec* layers;
    std::size_t n_layers, n_rows;
};

// Coupling blocks from data to latent.
struct CouplingSpec {
    const CouplingBlockSpec* blocks;
    std::size_t n_blocks, dim, n_channels;
    std::size_t n_parameters;  // of one channel
    std::size_t widest;        // most inputs of a layer, rounded up to a multiple of 64
    SplineSpec spline;
};

// Events [begin, end) of one channel. What a range adds to the gradients is summed apart, in slot
// `partial`, and then added to the first range of its channel, which has partial = 0 and which the
// others follow.
struct EventRange {
    std::size_t channel, begin, end, partial;
};

struct EventRanges {
    const EventRange* data;
    std::size_t count, n_partials;
};

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

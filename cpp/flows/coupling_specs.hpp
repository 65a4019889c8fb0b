// Descriptions of coupling blocks and of the events that a thread or a block of threads works on.
//
// Pointers and counts instead of containers, as in phase_space/mapping_specs.hpp.
#pragma once

#include <cstddef>

#include "simd/isa.hpp"

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

// A block of threads of a GPU, one point per thread, passes the weights of a layer through a tile
// of them in its shared memory.
inline constexpr std::size_t tile_numbers = 2048;

// Of the numbers of a point there: rows for the inputs of a layer or for the parameters of one
// spline.
MADNIS_FN inline std::size_t rows_of_layer(const CouplingBlockSpec& block,
                                           const SplineSpec& spline) {
    std::size_t rows = 3 * spline.bins + 1;
    for (std::size_t l = 0; l < block.n_layers; ++l) {
        if (block.layers[l].n_in > rows) rows = block.layers[l].n_in;
    }
    return rows;
}

// Rows for the inputs of all layers.
MADNIS_FN inline std::size_t rows_of_inputs(const CouplingBlockSpec& block) {
    const LayerSpec& last = block.layers[block.n_layers - 1];
    return last.input_row + last.n_in;
}

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

}  // namespace madnis

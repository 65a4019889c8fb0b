// Channel weights, the softmax of a network times a prior, one point per thread.
#include "cuda/dense_layers.hpp"
#include "simd/lane_math.hpp"

using namespace madnis;

namespace {

// Widths of the network from its inputs to its outputs, and its weights and then its biases, layer
// by layer.
struct Network {
    const std::int64_t* widths;
    const float* const* parameters;
    std::int64_t n_layers;

    // Rows [first, first + count) of a layer.
    MADNIS_GPU_FN Layer<float> layer(std::int64_t l, std::int64_t first, std::int64_t count) const {
        return {parameters[l] + first * widths[l],
                std::size_t(widths[l]),
                1,
                parameters[n_layers + l] + first,
                1,
                unsigned(count),
                unsigned(widths[l])};
    }

    // The inputs of the last layer: in `in`, where those of the first are, or in `other`.
    MADNIS_GPU_FN float* hidden(float* in, float* other, const BlockMemory<float>& memory) const {
        for (std::int64_t l = 0; l + 1 < n_layers; ++l) {
            multiply(layer(l, 0, widths[l + 1]), in, other, memory);
            activate(other, std::size_t(widths[l + 1]), memory.stride);
            float* const used = in;
            in = other;
            other = used;
        }
        return in;
    }
};

// Delta to alpha ~ prior exp(Delta), in place. The largest Delta that counts is subtracted, so that
// no exponential overflows; alpha is 0 where the whole prior is.
MADNIS_GPU_FN void normalise(double* alpha, const double* prior, std::int64_t n_channels) {
    double largest = -detail::infinity;
    for (std::int64_t c = 0; c < n_channels; ++c) {
        if (prior[c] > 0 && !(alpha[c] <= largest)) largest = alpha[c];
    }
    const double shift = abs(largest) < detail::infinity ? largest : 0;
    double total = 0;
    for (std::int64_t c = 0; c < n_channels; ++c) {
        const double delta = alpha[c] - shift;
        alpha[c] = prior[c] * exp(delta > 0 ? 0 : delta);
        total += alpha[c];
    }
    for (std::int64_t c = 0; c < n_channels; ++c) alpha[c] /= total > 0 ? total : 1;
}

}  // namespace

// Weights alpha (n, n_channels) of features (n, widths[0]), which the network sees less `mean` in
// units of `deviation`, and a prior (n, n_channels). Points have 2 `rows` rows in shared memory,
// behind tile_numbers weights, or in a workspace of numbers_of_block numbers for each block of
// threads; rows: the most inputs of a layer, or more.
MADNIS_BLOCK_KERNEL(channel_weights, const std::int64_t* widths, const float* const* parameters,
                    std::int64_t n_layers, const double* mean, const double* deviation,
                    const double* features, const double* prior, double* alpha, std::int64_t n,
                    std::int64_t rows, float* workspace, std::int64_t numbers_of_block) {
    const BlockMemory<float> memory(workspace, numbers_of_block);
    const Network network{widths, parameters, n_layers};
    const std::int64_t event = thread_index(), n_features = widths[0];
    const std::int64_t n_channels = widths[n_layers];
    const bool is_there = event < n;
    float *in = memory.own_row(0), *out = memory.own_row(std::size_t(rows));
    for (std::int64_t i = 0; i < n_features; ++i) {
        in[i * memory.stride] =
            is_there ? float((features[event * n_features + i] - mean[i]) / deviation[i]) : 0.f;
    }
    const float* hidden = network.hidden(in, out, memory);
    if (hidden == out) out = in;
    for (std::int64_t first = 0; first < n_channels; first += rows) {
        const std::int64_t count = rows < n_channels - first ? rows : n_channels - first;
        multiply(network.layer(n_layers - 1, first, count), hidden, out, memory);
        for (std::int64_t c = 0; c < count && is_there; ++c) {
            alpha[event * n_channels + first + c] = double(out[c * memory.stride]);
        }
    }
    if (is_there) normalise(alpha + event * n_channels, prior + event * n_channels, n_channels);
}

// Flows, one point per thread: coupling blocks, a range of events of one channel per block of
// threads, with subnetworks in float or double and splines in double; and fixed grids.
#include "cuda/dense_layers.hpp"
#include "flows/coupling_formulas.hpp"

using namespace madnis;

namespace {

// The parameters of one spline, see flows/spline.hpp.
template <class Number>
struct SplineRows {
    Number* theta;
    unsigned stride;
    std::size_t bins;

    MADNIS_GPU_FN Number& row(std::size_t r) const { return theta[r * stride]; }

    MADNIS_GPU_FN double growth(int axis, std::size_t k) const {
        return double(row(std::size_t(axis) * bins + k));
    }
    MADNIS_GPU_FN double derivative(std::size_t k) const { return double(row(2 * bins + k)); }
    MADNIS_GPU_FN void set_growth(int axis, std::size_t k, double value) const {
        row(std::size_t(axis) * bins + k) = Number(value);
    }
    MADNIS_GPU_FN void set_derivative(std::size_t k, double value) const {
        row(2 * bins + k) = Number(value);
    }

    // theta -> exp(theta - max theta) for widths and heights.
    MADNIS_GPU_FN void exponentiate() const {
        for (std::size_t begin = 0; begin < 2 * bins; begin += bins) {
            Number largest = row(begin);
            for (std::size_t k = 1; k < bins; ++k) largest = max(largest, row(begin + k));
            for (std::size_t k = 0; k < bins; ++k) {
                row(begin + k) = exp(row(begin + k) - largest);
            }
        }
    }
};

// Features of the point of this thread, feature i at data[i * n]; threads without a point have one
// in the middle of the cube, and what they compute goes nowhere.
struct Point {
    double* data;
    std::size_t n;
    bool is_there;

    MADNIS_GPU_FN double feature(std::size_t i) const { return is_there ? data[i * n] : 0.5; }
    MADNIS_GPU_FN void set_feature(std::size_t i, double value) const {
        if (is_there) data[i * n] = value;
    }
};

// One coupling block for the points of a block of threads.
template <class Number>
struct Coupling {
    const CouplingBlockSpec& block;
    const SplineSpec& spline;
    ChannelParameters<Number> parameters;
    const BlockMemory<Number>& memory;

    MADNIS_GPU_FN const LayerSpec& last() const { return block.layers[block.n_layers - 1]; }

    MADNIS_GPU_FN Layer<Number> layer(const LayerSpec& spec) const {
        return {parameters.at(spec.weight), spec.n_in,          1, parameters.at(spec.bias), 1,
                unsigned(spec.n_out),       unsigned(spec.n_in)};
    }

    // The rows of the last layer that make the spline of transformed feature i.
    MADNIS_GPU_FN Layer<Number> spline_layer(std::size_t i) const {
        return {parameters.at(last().weight) + i * last().n_in,
                block.n_transformed * last().n_in,
                1,
                parameters.at(last().bias) + i,
                block.n_transformed,
                unsigned(3 * spline.bins + 1),
                unsigned(last().n_in)};
    }

    MADNIS_GPU_FN void set_conditions(const Point& x, Number* out) const {
        for (std::size_t i = 0; i < block.n_fixed; ++i) {
            out[i * memory.stride] = Number(condition_scale * (x.feature(block.fixed[i]) - 0.5));
        }
    }

    MADNIS_GPU_FN void evaluate_layer(const LayerSpec& spec, const Number* in, Number* out) const {
        multiply(layer(spec), in, out, memory);
        activate(out, spec.n_out, memory.stride);
    }

    MADNIS_GPU_FN SplineRows<Number> evaluate_spline(std::size_t i, const Number* in,
                                                     Number* out) const {
        multiply(spline_layer(i), in, out, memory);
        const SplineRows<Number> rows{out, memory.stride, spline.bins};
        rows.exponentiate();
        return rows;
    }

    // From x to y, which may be in the same place; returns the logarithm of the derivatives of the
    // splines.
    template <class Way>
    MADNIS_GPU_FN double apply(const Point& x, const Point& y) const {
        Number* in = memory.own_row(0);
        Number* out = memory.own_row(rows_of_layer(block, spline));
        set_conditions(x, in);
        for (std::size_t l = 0; l + 1 < block.n_layers; ++l) {
            evaluate_layer(block.layers[l], in, out);
            Number* const used = in;
            in = out;
            out = used;
        }
        double log_slope = 0, slopes = 1;
        for (std::size_t i = 0; i < block.n_transformed; ++i) {
            const auto rows = evaluate_spline(i, in, out);
            const std::size_t feature = block.transformed[i];
            const auto [value, slope] = Way::spline(spline, rows, x.feature(feature));
            y.set_feature(feature, value);
            slopes *= slope;
            if (i % slopes_per_log == slopes_per_log - 1 || i + 1 == block.n_transformed) {
                log_slope += log(slopes);
                slopes = 1;
            }
        }
        for (std::size_t i = 0; i < block.n_fixed; ++i) {
            y.set_feature(block.fixed[i], x.feature(block.fixed[i]));
        }
        return log_slope;
    }

    // `gradient` from what goes out of the block to what comes in, and the gradients of the
    // parameters of this channel, added to `sums`.
    MADNIS_GPU_FN void backward(const Point& x, double grad_log_jac, const Point& gradient,
                                unsigned events, Number* sums) const {
        Number *delta = memory.row(rows_of_inputs(block)),
               *next = delta + rows_of_layer(block, spline) * memory.stride;
        set_conditions(x, own(inputs(block.layers[0])));
        for (std::size_t l = 0; l + 1 < block.n_layers; ++l) {
            evaluate_layer(block.layers[l], own(inputs(block.layers[l])),
                           own(inputs(block.layers[l + 1])));
        }
        set_zero(own(delta), last().n_in, memory.stride);
        for (std::size_t i = 0; i < block.n_transformed; ++i) {
            const std::size_t feature = block.transformed[i];
            const auto rows = evaluate_spline(i, own(inputs(last())), own(next));
            const double upstream = gradient.is_there ? gradient.feature(feature) : 0;
            gradient.set_feature(
                feature, spline_backward(spline, rows, x.feature(feature), upstream, grad_log_jac));
            add_gradients(spline_layer(i), next, inputs(last()), memory.stride, events,
                          spline_gradient(i, sums));
            multiply(spline_layer(i).transposed(), own(next), own(delta), memory);
        }
        for (std::size_t l = block.n_layers - 1; l-- > 0;) {
            const LayerSpec& spec = block.layers[l];
            deactivate(own(delta), own(inputs(block.layers[l + 1])), spec.n_out, memory.stride);
            add_gradients(layer(spec), delta, inputs(spec), memory.stride, events,
                          layer_gradient(spec, sums));
            set_zero(own(next), spec.n_in, memory.stride);
            multiply(layer(spec).transposed(), own(delta), own(next), memory);
            Number* const used = delta;
            delta = next;
            next = used;
        }
        for (std::size_t i = 0; i < block.n_fixed; ++i) {
            const std::size_t feature = block.fixed[i];
            gradient.set_feature(feature,
                                 gradient.feature(feature) +
                                     condition_scale * double(own(delta)[i * memory.stride]));
        }
    }

    // Rows of the inputs of a layer, of all points.
    MADNIS_GPU_FN Number* inputs(const LayerSpec& spec) const { return memory.row(spec.input_row); }

    MADNIS_GPU_FN static Number* own(Number* rows) { return rows + threadIdx.x; }

    MADNIS_GPU_FN LayerGradient<Number> layer_gradient(const LayerSpec& spec, Number* sums) const {
        return {sums + spec.weight.offset, spec.n_in, sums + spec.bias.offset, 1};
    }

    MADNIS_GPU_FN LayerGradient<Number> spline_gradient(std::size_t i, Number* sums) const {
        return {sums + last().weight.offset + i * last().n_in, block.n_transformed * last().n_in,
                sums + last().bias.offset + i, block.n_transformed};
    }
};

// Call body(event, whether there is one for this thread, events of all threads) for pieces of a
// range, one event per thread.
template <class Body>
MADNIS_GPU_FN void for_events(const EventRange& range, const Body& body) {
    for (std::size_t begin = range.begin; begin < range.end; begin += blockDim.x) {
        const std::size_t left = range.end - begin;
        body(begin + threadIdx.x, threadIdx.x < left,
             left < blockDim.x ? unsigned(left) : blockDim.x);
    }
}

template <class Number, class Way>
MADNIS_GPU_FN void transform(const CouplingSpec& spec, const Number* const* parameters,
                             const EventRange& range, double* points, std::size_t step,
                             double* log_jac, std::size_t n, const BlockMemory<Number>& memory) {
    for_events(range, [&](std::size_t event, bool is_there, unsigned) {
        double sum = 0;
        for (std::size_t b = 0; b < spec.n_blocks; ++b) {
            const Coupling<Number> coupling{
                Way::block(spec, b), spec.spline, {parameters, range.channel}, memory};
            double* const x = points + b * step + event;
            sum +=
                Way::sign * coupling.template apply<Way>({x, n, is_there}, {x + step, n, is_there});
        }
        if (is_there) log_jac[event] = sum;
    });
}

template <class Number>
MADNIS_GPU_FN void backward(const CouplingSpec& spec, const Number* const* parameters,
                            const EventRange& range, double* points, const double* grad_log_jac,
                            double* gradient, Number* sums, std::size_t n,
                            const BlockMemory<Number>& memory) {
    for_events(range, [&](std::size_t event, bool is_there, unsigned events) {
        for (std::size_t b = spec.n_blocks; b-- > 0;) {
            const Coupling<Number> coupling{
                spec.blocks[b], spec.spline, {parameters, range.channel}, memory};
            coupling.backward({points + b * spec.dim * n + event, n, is_there},
                              is_there ? grad_log_jac[event] : 0, {gradient + event, n, is_there},
                              events, sums);
        }
    });
}

// The array that parameter p of a channel is in.
MADNIS_GPU_FN ParameterSpec place_of(const CouplingSpec& spec, std::size_t p) {
    for (std::size_t b = 0; b < spec.n_blocks; ++b) {
        for (std::size_t l = 0; l < spec.blocks[b].n_layers; ++l) {
            const LayerSpec& layer = spec.blocks[b].layers[l];
            if (p - layer.weight.offset < layer.weight.size) return layer.weight;
            if (p - layer.bias.offset < layer.bias.size) return layer.bias;
        }
    }
    return {0, 0, 0};
}

template <class Number>
MADNIS_GPU_FN void add_sums(const CouplingSpec& spec, const std::int64_t* first_range,
                            const Number* sums, Number* gradients) {
    const std::size_t i = std::size_t(thread_index()), size = spec.n_parameters;
    if (i >= spec.n_channels * size) return;
    const std::size_t channel = i / size, p = i % size;
    Number sum(0);
    for (std::int64_t r = first_range[channel]; r < first_range[channel + 1]; ++r) {
        sum += sums[std::size_t(r) * size + p];
    }
    const ParameterSpec place = place_of(spec, p);
    gradients[spec.n_channels * place.offset + channel * place.size + (p - place.offset)] = sum;
}

// Of ascending numbers, how many are at most x.
template <class Number>
MADNIS_GPU_FN std::int64_t count_at_most(const Number* numbers, std::int64_t count, Number x) {
    std::int64_t low = 0, high = count;
    while (low < high) {
        const std::int64_t middle = (low + high) / 2;
        if (numbers[middle] > x) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

// The grids of one channel, see GridBlock in flows/blocks.py.
struct Grid {
    const double *edges, *ends;
    std::int64_t n_channels, dim, bins, channel;

    MADNIS_GPU_FN SplineBin<double> bin(std::int64_t feature, std::int64_t index) const {
        const double* edge = edges_of(feature) + index;
        const double width = edge[1] - edge[0], height = 1. / double(bins);
        const std::int64_t at = (channel * dim + feature) * bins + index;
        SplineBin<double> bin;
        bin.corner[0] = edge[0];
        bin.corner[1] = double(index) * height;
        bin.size[0] = max(width, std::numeric_limits<double>::min());
        bin.size[1] = height;
        bin.end[0] = ends[at];
        bin.end[1] = ends[n_channels * dim * bins + at];
        return bin;
    }

    MADNIS_GPU_FN SplineBin<double> bin_of_data(std::int64_t feature, double x) const {
        return bin(feature, count_at_most(edges_of(feature) + 1, bins - 1, x));
    }

    MADNIS_GPU_FN SplineBin<double> bin_of_latent(std::int64_t feature, double z) const {
        const std::int64_t index = std::int64_t(z * double(bins));
        return bin(feature, index < 0 ? 0 : index < bins ? index : bins - 1);
    }

    MADNIS_GPU_FN const double* edges_of(std::int64_t feature) const {
        return edges + (channel * dim + feature) * (bins + 1);
    }
};

}  // namespace

// Kernels of coupling blocks, in float and in double. A block of threads has one range; its shared
// memory holds tile_numbers weights and, without a workspace, the rows of its points: 2
// rows_of_layer, and rows_of_inputs more in the backward direction, blockDim.x + 1 numbers each. A
// workspace has numbers_of_block numbers for each block of threads instead.
//
// coupling_forward: points (dim, n) before the first coupling block from data to latent; those
// behind each block go `step` numbers behind those before it, step = 0: into their place. And log
// |dz/dx|, (n,).
//
// coupling_inverse: the same from latent to data, through the blocks in reverse order, and log
// |dx/dz|.
//
// coupling_backward: from the points (n_blocks + 1, dim, n) that the forward direction leaves,
// `gradient` (dim, n) from that with respect to z to that with respect to x, and the gradients of
// the parameters, added to the sums of each range, (n_ranges, n_parameters).
//
// coupling_add_sums: the sums of the ranges first_range[c] .. first_range[c + 1] of channel c, in
// this order, to one array after the other in `gradients`, one thread for each parameter.
#define MADNIS_TRANSFORM_KERNEL(name, Number, Way)                                               \
    MADNIS_BLOCK_KERNEL(name, const CouplingSpec* spec, const Number* const* parameters,         \
                        const EventRange* ranges, double* points, std::int64_t step,             \
                        double* log_jac, std::int64_t n, Number* workspace,                      \
                        std::int64_t numbers_of_block) {                                         \
        transform<Number, Way>(*spec, parameters, ranges[blockIdx.x], points, std::size_t(step), \
                               log_jac, std::size_t(n), {workspace, numbers_of_block});          \
    }

#define MADNIS_COUPLING_KERNELS(Number, type)                                                      \
    MADNIS_TRANSFORM_KERNEL(coupling_forward_##type, Number, Forward)                              \
    MADNIS_TRANSFORM_KERNEL(coupling_inverse_##type, Number, Inverse)                              \
    MADNIS_BLOCK_KERNEL(coupling_backward_##type, const CouplingSpec* spec,                        \
                        const Number* const* parameters, const EventRange* ranges, double* points, \
                        const double* grad_log_jac, double* gradient, Number* sums,                \
                        std::int64_t n, Number* workspace, std::int64_t numbers_of_block) {        \
        backward<Number>(*spec, parameters, ranges[blockIdx.x], points, grad_log_jac, gradient,    \
                         sums + blockIdx.x * spec->n_parameters, std::size_t(n),                   \
                         {workspace, numbers_of_block});                                           \
    }                                                                                              \
    MADNIS_KERNEL(coupling_add_sums_##type, const CouplingSpec* spec,                              \
                  const std::int64_t* first_range, const Number* sums, Number* gradients) {        \
        add_sums(*spec, first_range, sums, gradients);                                             \
    }

MADNIS_COUPLING_KERNELS(float, float32)
MADNIS_COUPLING_KERNELS(double, float64)

// Points (dim, n) from data to latent in their place, and log |dz/dx|, (n,), with the grids of
// their channels, `edges` (n_channels, dim, bins + 1) and `ends` (2, n_channels, dim, bins).
// Channel c has the events first_event[c] .. first_event[c + 1].
MADNIS_KERNEL(grid_to_latent, const double* edges, const double* ends,
              const std::int64_t* first_event, std::int64_t n_channels, std::int64_t dim,
              std::int64_t bins, double* points, double* log_jac, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const Grid grid{edges, ends, n_channels,
                    dim,   bins, count_at_most(first_event + 1, n_channels, event)};
    double sum = 0;
    for (std::int64_t i = 0; i < dim; ++i) {
        double& x = points[i * n + event];
        const auto bin = grid.bin_of_data(i, x);
        const SplinePoint<double> point(bin, limited_to_unit((x - bin.corner[0]) / bin.size[0]));
        x = limited_to_unit(x + point.shift(bin));
        sum += log(point.slope(bin));
    }
    log_jac[event] = sum;
}

// The same from latent to data, and log |dx/dz|.
MADNIS_KERNEL(grid_to_data, const double* edges, const double* ends,
              const std::int64_t* first_event, std::int64_t n_channels, std::int64_t dim,
              std::int64_t bins, double* points, double* log_jac, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const Grid grid{edges, ends, n_channels,
                    dim,   bins, count_at_most(first_event + 1, n_channels, event)};
    double sum = 0;
    for (std::int64_t i = 0; i < dim; ++i) {
        double& z = points[i * n + event];
        const auto bin = grid.bin_of_latent(i, z);
        const double eta = limited_to_unit((z - bin.corner[1]) * double(bins));
        const SplinePoint<double> point(bin, solve_bin(bin, eta));
        z = bin.corner[0] + point.xi * bin.size[0];
        sum -= log(point.slope(bin));
    }
    log_jac[event] = sum;
}

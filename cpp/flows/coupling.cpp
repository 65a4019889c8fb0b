#include "flows/coupling.hpp"

#include <algorithm>

#include "flows/coupling_formulas.hpp"
#include "flows/dense.hpp"
#include "runtime/parallel.hpp"
#include "runtime/thread_memory.hpp"
#include "simd/denormals.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

// Up to tile_events consecutive events of one channel. Arrays of a tile hold row r of its event e
// at data[r * tile_events + e]; rows are computed for whole vectors.
struct Tile {
    std::size_t begin, events, vectors, padded;
};

// Call body(tile) for tiles of nearly equal length that cover the range.
template <class Number, class Body>
void for_tiles(const EventRange& range, const Body& body) {
    constexpr std::size_t width = Vector<Number>::size();
    const std::size_t vectors = vectors_of(range.end - range.begin, width);
    const std::size_t tiles = vectors_of(vectors, tile_events / width);
    for (std::size_t i = 0; i < tiles; ++i) {
        const std::size_t first = vectors * i / tiles, last = vectors * (i + 1) / tiles;
        const std::size_t begin = range.begin + first * width;
        const std::size_t end =
            range.begin + last * width < range.end ? range.begin + last * width : range.end;
        body(Tile{begin, end - begin, last - first, (last - first) * width});
    }
}

// A row of a batch; what is beyond the last event repeats it.
void load_row(const Tile& tile, const double* row, double* out) {
    for (std::size_t e = 0; e < tile.padded; ++e) {
        out[e] = row[tile.begin + std::min(e, tile.events - 1)];
    }
}

// As load_row, with zeros beyond the last event, or everywhere without a row.
void load_gradient(const Tile& tile, const double* row, double* out) {
    for (std::size_t e = 0; e < tile.padded; ++e) {
        out[e] = row == nullptr || e >= tile.events ? 0 : row[tile.begin + e];
    }
}

void store_row(const Tile& tile, const double* in, double* row) {
    for (std::size_t e = 0; e < tile.events; ++e) row[tile.begin + e] = in[e];
}

// Gradients of weights and biases of one channel, in one array for n_channels channels.
template <class Number>
struct ChannelGradients {
    Number* data;
    std::size_t n_channels, channel;

    Number* at(const ParameterSpec& place) const {
        return data + n_channels * place.offset + channel * place.size;
    }
};

template <class Body>
void for_parameters(const CouplingSpec& spec, const Body& body) {
    for (std::size_t b = 0; b < spec.n_blocks; ++b) {
        for (std::size_t l = 0; l < spec.blocks[b].n_layers; ++l) {
            body(spec.blocks[b].layers[l].weight);
            body(spec.blocks[b].layers[l].bias);
        }
    }
}

// The spline parameters of one feature for a lane of events, see spline.hpp.
template <class Number>
struct SplineRows {
    Number* theta;
    std::size_t stride, bins;

    Lane load(std::size_t row) const { return Lane(theta + row * stride, stdx::element_aligned); }
    void store(std::size_t row, const Lane& value) const {
        value.copy_to(theta + row * stride, stdx::element_aligned);
    }

    Lane growth(int axis, std::size_t k) const { return load(std::size_t(axis) * bins + k); }
    Lane derivative(std::size_t k) const { return load(2 * bins + k); }
    void set_growth(int axis, std::size_t k, const Lane& value) const {
        store(std::size_t(axis) * bins + k, value);
    }
    void set_derivative(std::size_t k, const Lane& value) const { store(2 * bins + k, value); }
};

// theta -> exp(theta - max theta) for `count` parameters.
template <class Number>
void exponentiate(Number* theta, std::size_t count, std::size_t stride, std::size_t events) {
    using V = Vector<Number>;
    for (std::size_t e = 0; e < events; e += V::size()) {
        V largest(theta + e, stdx::vector_aligned);
        for (std::size_t k = 1; k < count; ++k) {
            largest = stdx::max(largest, V(theta + k * stride + e, stdx::vector_aligned));
        }
        for (std::size_t k = 0; k < count; ++k) {
            Number* row = theta + k * stride + e;
            exp(V(V(row, stdx::vector_aligned) - largest)).copy_to(row, stdx::vector_aligned);
        }
    }
}

// One coupling block for a tile of one channel; `memory` holds the block's rows.
template <class Number>
struct Coupling {
    const CouplingBlockSpec& block;
    const SplineSpec& spline;
    ChannelParameters<Number> parameters;
    const Tile& tile;
    Number* memory;

    Number* input(const LayerSpec& layer) const { return memory + layer.input_row * tile_events; }
    Number* output(const LayerSpec& layer) const { return input(layer) + layer.n_in * tile_events; }
    Number* theta() const { return output(block.layers[block.n_layers - 1]); }

    [[gnu::flatten]] void evaluate_subnet(const double* x) const {
        for (std::size_t i = 0; i < block.n_fixed; ++i) {
            const double* feature = x + block.fixed[i] * tile_events;
            for (std::size_t e = 0; e < tile.padded; ++e) {
                memory[i * tile_events + e] = Number(condition_scale * (feature[e] - 0.5));
            }
        }
        for (std::size_t l = 0; l < block.n_layers; ++l) {
            const LayerSpec& layer = block.layers[l];
            if (l > 0) activate(input(layer), layer.n_in, tile.vectors);
            const MatrixView<Number> weight{parameters.at(layer.weight), layer.n_in, 1};
            multiply(weight, parameters.at(layer.bias), layer.n_out, layer.n_in, input(layer),
                     output(layer), tile.vectors);
        }
        const std::size_t stride = block.n_transformed * tile_events;
        for (std::size_t i = 0; i < block.n_transformed; ++i) {
            for (std::size_t axis = 0; axis < 2; ++axis) {
                exponentiate(theta() + i * tile_events + axis * spline.bins * stride, spline.bins,
                             stride, tile.padded);
            }
        }
    }

    // Call body(rows, position in the points of the tile, event) for lanes of events of the
    // transformed features [first, last).
    template <class Body>
    void for_splines(std::size_t first, std::size_t last, const Body& body) const {
        for (std::size_t i = first; i < last; ++i) {
            for (std::size_t e = 0; e < tile.padded; e += Lane::size()) {
                const SplineRows<Number> rows{theta() + i * tile_events + e,
                                              block.n_transformed * tile_events, spline.bins};
                body(rows, block.transformed[i] * tile_events + e, e);
            }
        }
    }

    // Transform the features of x in place and add the logarithms of their derivatives, times the
    // sign of the way, to log_jac.
    template <class Way>
    [[gnu::flatten]] void apply(double* x, double* log_jac) const {
        evaluate_subnet(x);
        for (std::size_t first = 0; first < block.n_transformed; first += slopes_per_log) {
            alignas(64) double slopes[tile_events];
            for (std::size_t e = 0; e < tile.padded; ++e) slopes[e] = 1;
            const std::size_t last = std::min(first + slopes_per_log, block.n_transformed);
            for_splines(
                first, last, [&](const SplineRows<Number>& rows, std::size_t at, std::size_t e) {
                    const auto [value, slope] = Way::spline(spline, rows, load_lane(x + at));
                    value.copy_to(x + at, stdx::element_aligned);
                    (load_lane(slopes + e) * slope).copy_to(slopes + e, stdx::element_aligned);
                });
            for (std::size_t e = 0; e < tile.padded; e += Lane::size()) {
                const Lane sum = load_lane(log_jac + e) + Way::sign * log(load_lane(slopes + e));
                sum.copy_to(log_jac + e, stdx::element_aligned);
            }
        }
    }

    // The transformed points, after evaluate_subnet(x).
    [[gnu::flatten]] void move(const double* x, double* y, std::size_t dim) const {
        for (std::size_t i = 0; i < dim * tile_events; ++i) y[i] = x[i];
        for_splines(0, block.n_transformed,
                    [&](const SplineRows<Number>& rows, std::size_t at, std::size_t) {
                        spline_forward(spline, rows, load_lane(x + at))
                            .value.copy_to(y + at, stdx::element_aligned);
                    });
    }

    static Lane load_lane(const double* data) { return Lane(data, stdx::element_aligned); }

    // Gradients, after evaluate_subnet(x): `gradient` from the block's results to x, in place, and
    // those of the parameters, which are added to `sums`. `scratch` has room for 3 * widest rows.
    [[gnu::flatten]] void backward(const double* x, const double* grad_log_jac, double* gradient,
                                   ChannelGradients<Number> sums, Number* scratch,
                                   std::size_t widest) const {
        for_splines(0, block.n_transformed,
                    [&](const SplineRows<Number>& rows, std::size_t at, std::size_t e) {
                        spline_backward(spline, rows, load_lane(x + at), load_lane(gradient + at),
                                        load_lane(grad_log_jac + e))
                            .copy_to(gradient + at, stdx::element_aligned);
                    });
        const Number* delta = theta();
        for (std::size_t l = block.n_layers; l-- > 0;) {
            const LayerSpec& layer = block.layers[l];
            Number* next = scratch + (l % 2) * widest * tile_events;
            add_gradients(layer, delta, sums, scratch + 2 * widest * tile_events);
            const MatrixView<Number> transposed{parameters.at(layer.weight), 1, layer.n_in};
            multiply<Number>(transposed, nullptr, layer.n_in, layer.n_out, delta, next,
                             tile.vectors);
            if (l > 0) deactivate(next, input(layer), layer.n_in, tile.vectors);
            delta = next;
        }
        for (std::size_t i = 0; i < block.n_fixed; ++i) {
            double* feature = gradient + block.fixed[i] * tile_events;
            for (std::size_t e = 0; e < tile.padded; ++e) {
                feature[e] += condition_scale * double(delta[i * tile_events + e]);
            }
        }
    }

    void add_gradients(const LayerSpec& layer, const Number* delta, ChannelGradients<Number> sums,
                       Number* scratch) const {
        constexpr std::size_t width = Vector<Number>::size();
        const std::size_t stride = vectors_of(layer.n_in, width) * width;
        transpose(input(layer), layer.n_in, tile.vectors, scratch, stride);
        add_outer(delta, layer.n_out, scratch, layer.n_in, stride, tile.events,
                  sums.at(layer.weight));
        add_row_sums(delta, layer.n_out, tile.vectors, sums.at(layer.bias));
    }
};

// Rows of a tile, one piece after the other.
class Allocator {
public:
    explicit Allocator(void* data) : next_(static_cast<std::byte*>(data)) {}

    template <class Number>
    Number* rows(std::size_t count) {
        auto* data = reinterpret_cast<Number*>(next_);
        next_ += count * tile_events * sizeof(Number);
        return data;
    }

private:
    std::byte* next_;
};

std::size_t rows_of_blocks(const CouplingSpec& spec) {
    std::size_t rows = 0;
    for (std::size_t b = 0; b < spec.n_blocks; ++b) rows += spec.blocks[b].n_rows;
    return rows;
}

std::size_t most_rows(const CouplingSpec& spec) {
    std::size_t rows = 0;
    for (std::size_t b = 0; b < spec.n_blocks; ++b) rows = std::max(rows, spec.blocks[b].n_rows);
    return rows;
}

template <class Number, class Way>
void transform(const CouplingSpec& spec, const Number* const* parameters, EventRanges ranges,
               ConstBatch in, MutableBatch out, double* log_jac) {
    const auto run = [&](const EventRange& range) {
        const FlushDenormals flush;
        const std::size_t rows = most_rows(spec);
        const std::size_t bytes =
            tile_events * (sizeof(double) * (spec.dim + 1) + sizeof(Number) * rows);
        Allocator allocator(thread_memory(ThreadMemory::tile, bytes));
        auto *x = allocator.rows<double>(spec.dim), *log_slope = allocator.rows<double>(1);
        auto* memory = allocator.rows<Number>(rows);
        for_tiles<Number>(range, [&](const Tile& tile) {
            for (std::size_t k = 0; k < spec.dim; ++k) {
                load_row(tile, in.at(0, k), x + k * tile_events);
            }
            for (std::size_t e = 0; e < tile.padded; ++e) log_slope[e] = 0;
            for (std::size_t b = 0; b < spec.n_blocks; ++b) {
                const Coupling<Number> coupling{
                    Way::block(spec, b), spec.spline, {parameters, range.channel}, tile, memory};
                coupling.template apply<Way>(x, log_slope);
            }
            for (std::size_t k = 0; k < spec.dim; ++k) {
                store_row(tile, x + k * tile_events, out.at(0, k));
            }
            store_row(tile, log_slope, log_jac);
        });
    };
    parallel_for(ranges.count, [&](std::size_t begin, std::size_t) { run(ranges.data[begin]); }, 1);
}

// Gradients with respect to points: those that come into the backward direction, with respect to z
// (data may be null: zeros) and log |dz/dx|, and that with respect to x, which goes out.
struct PointGradients {
    ConstBatch z;
    const double* log_jac;
    MutableBatch x;
};

// The gradients of a range, added to `sums`: forward through the blocks of a tile, keeping what
// they computed, and back.
template <class Number>
void add_range(const CouplingSpec& spec, const Number* const* parameters, const EventRange& range,
               ConstBatch x, const PointGradients& gradients, ChannelGradients<Number> sums) {
    const std::size_t rows = rows_of_blocks(spec), points = (spec.n_blocks + 1) * spec.dim + 1;
    const std::size_t bytes =
        tile_events * (sizeof(double) * points + sizeof(Number) * (rows + 3 * spec.widest));
    Allocator allocator(thread_memory(ThreadMemory::tile, bytes));
    auto* at_block = allocator.rows<double>(spec.n_blocks * spec.dim);
    auto *gradient = allocator.rows<double>(spec.dim), *grad_log = allocator.rows<double>(1);
    auto *memory = allocator.rows<Number>(rows), *scratch = allocator.rows<Number>(3 * spec.widest);
    for_tiles<Number>(range, [&](const Tile& tile) {
        const auto coupling = [&](std::size_t b, Number* at) {
            return Coupling<Number>{
                spec.blocks[b], spec.spline, {parameters, range.channel}, tile, at};
        };
        for (std::size_t k = 0; k < spec.dim; ++k) {
            load_row(tile, x.at(0, k), at_block + k * tile_events);
        }
        Number* at = memory;
        for (std::size_t b = 0; b < spec.n_blocks; ++b) {
            double* point = at_block + b * spec.dim * tile_events;
            double* next = point + spec.dim * tile_events;
            coupling(b, at).evaluate_subnet(point);
            if (b + 1 < spec.n_blocks) coupling(b, at).move(point, next, spec.dim);
            at += spec.blocks[b].n_rows * tile_events;
        }
        for (std::size_t k = 0; k < spec.dim; ++k) {
            load_gradient(tile, gradients.z.data == nullptr ? nullptr : gradients.z.at(0, k),
                          gradient + k * tile_events);
        }
        load_gradient(tile, gradients.log_jac, grad_log);
        for (std::size_t b = spec.n_blocks; b-- > 0;) {
            at -= spec.blocks[b].n_rows * tile_events;
            const double* point = at_block + b * spec.dim * tile_events;
            coupling(b, at).backward(point, grad_log, gradient, sums, scratch, spec.widest);
        }
        for (std::size_t k = 0; k < spec.dim; ++k) {
            store_row(tile, gradient + k * tile_events, gradients.x.at(0, k));
        }
    });
}

template <class Number>
void backward(const CouplingSpec& spec, const Number* const* parameters, EventRanges ranges,
              ConstBatch x, ConstBatch grad_z, const double* grad_log_jac, MutableBatch grad_x,
              Number* grad_parameters) {
    const std::size_t bytes = ranges.n_partials * spec.n_parameters * sizeof(Number);
    auto* partials = static_cast<Number*>(thread_memory(ThreadMemory::sums, bytes));
    const auto sums_of = [&](const EventRange& range) {
        if (range.partial == 0) {
            return ChannelGradients<Number>{grad_parameters, spec.n_channels, range.channel};
        }
        return ChannelGradients<Number>{partials + (range.partial - 1) * spec.n_parameters, 1, 0};
    };
    const auto each_range = [&](const auto& body) {
        parallel_for(ranges.count, [&](std::size_t begin, std::size_t) { body(begin); }, 1);
    };
    each_range([&](std::size_t r) {
        const FlushDenormals flush;
        const auto sums = sums_of(ranges.data[r]);
        for_parameters(spec, [&](const ParameterSpec& place) {
            for (std::size_t i = 0; i < place.size; ++i) sums.at(place)[i] = 0;
        });
        add_range(spec, parameters, ranges.data[r], x, {grad_z, grad_log_jac, grad_x}, sums);
    });
    // The partial sums of a channel stand behind its first range.
    each_range([&](std::size_t first) {
        if (ranges.data[first].partial != 0) return;
        const auto sums = sums_of(ranges.data[first]);
        for (std::size_t r = first + 1; r < ranges.count && ranges.data[r].partial != 0; ++r) {
            const auto part = sums_of(ranges.data[r]);
            for_parameters(spec, [&](const ParameterSpec& place) {
                for (std::size_t i = 0; i < place.size; ++i) sums.at(place)[i] += part.at(place)[i];
            });
        }
    });
}

}  // namespace

const CouplingKernels<float> coupling_float32_table = {
    .forward = transform<float, Forward>,
    .inverse = transform<float, Inverse>,
    .backward = backward<float>,
};

const CouplingKernels<double> coupling_float64_table = {
    .forward = transform<double, Forward>,
    .inverse = transform<double, Inverse>,
    .backward = backward<double>,
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

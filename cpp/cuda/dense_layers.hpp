// Linear layers for the points of a block of threads, one point per thread.
//
// Row r of the point of thread t is at rows[r * stride + t] in memory of the block; the weights go
// through a tile of them in its shared memory. All threads of a block call these functions.
#pragma once

#include "cuda/launch.hpp"
#include "flows/coupling_formulas.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// What a thread reads at once.
template <class Number>
struct alignas(16) Quad {
    Number at[4];
};

// Sums that a thread keeps in registers.
inline constexpr unsigned rows_at_once = 8;

// Most columns of a tile.
inline constexpr unsigned columns_at_once = 128;

// Numbers between the ends of one column of a tile and the next, so that threads that write one
// row rarely meet in a bank.
inline constexpr unsigned column_gap = 4;

// Memory of a block of threads: the tile, and the rows, which are behind it in shared memory or,
// where there is a workspace, in the block's part of it.
template <class Number>
struct BlockMemory {
    Quad<Number>* tile;
    Number* rows;
    unsigned stride;  // odd: threads that read one row each do not meet in a bank

    MADNIS_GPU_FN BlockMemory(Number* workspace, std::int64_t numbers_of_block)
        : tile(static_cast<Quad<Number>*>(shared_memory())),
          rows(workspace == nullptr ? static_cast<Number*>(shared_memory()) + tile_numbers
                                    : workspace + std::int64_t(blockIdx.x) * numbers_of_block),
          stride(blockDim.x + 1) {}

    // Of the point of this thread, or of all points.
    MADNIS_GPU_FN Number* own_row(std::size_t r) const { return row(r) + threadIdx.x; }
    MADNIS_GPU_FN Number* row(std::size_t r) const { return rows + r * stride; }
};

// out(r) = bias(r) + sum over k of weight(r, k) in(k), or the sum added to out(r) where there are
// no biases. Weight (r, k) is at weight[r * row_stride + k * column_stride].
template <class Number>
struct Layer {
    const Number* weight;
    std::size_t row_stride, column_stride;
    const Number* bias;
    std::size_t bias_stride;
    unsigned n_out, n_in;

    // The transposed matrix, without biases.
    MADNIS_GPU_FN Layer transposed() const {
        return {weight, column_stride, row_stride, nullptr, 0, n_in, n_out};
    }
};

// Part of the matrix of a layer.
struct TileRange {
    unsigned row, rows, column, columns;
    unsigned padded;  // rows, up to a multiple of rows_at_once

    MADNIS_GPU_FN unsigned quads_of_column() const { return (padded + column_gap) / 4; }
};

MADNIS_GPU_FN inline unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }

template <class Number>
MADNIS_GPU_FN void load_tile(const Layer<Number>& layer, const TileRange& range,
                             Quad<Number>* tile) {
    const bool along_rows = layer.row_stride == 1;
    const unsigned length = along_rows ? range.padded : range.columns;
    for (unsigned i = threadIdx.x; i < range.padded * range.columns; i += blockDim.x) {
        const unsigned inner = i % length, outer = i / length;
        const unsigned r = along_rows ? inner : outer, k = along_rows ? outer : inner;
        tile[k * range.quads_of_column() + r / 4].at[r % 4] =
            r < range.rows ? layer.weight[(range.row + r) * layer.row_stride +
                                          (range.column + k) * layer.column_stride]
                           : Number(0);
    }
}

// rows_at_once results from a tile, beginning at its row `first`; what came of the columns before
// stands in `out`.
template <class Number>
MADNIS_GPU_FN void multiply_rows(const Layer<Number>& layer, const TileRange& range,
                                 const Quad<Number>* tile, unsigned first, const Number* in,
                                 Number* out, unsigned stride) {
    const bool begins = range.column == 0 && layer.bias != nullptr;
    const unsigned row = range.row + first;
    Number sum[rows_at_once];
    for (unsigned j = 0; j < rows_at_once; ++j) {
        sum[j] = row + j >= layer.n_out ? Number(0)
                 : begins               ? layer.bias[(row + j) * layer.bias_stride]
                                        : out[(row + j) * stride];
    }
    const Quad<Number>* weights = tile + first / 4;
    for (unsigned k = 0; k < range.columns; ++k, weights += range.quads_of_column()) {
        const Number value = in[(range.column + k) * stride];
        const Quad<Number> low = weights[0], high = weights[1];
        for (unsigned j = 0; j < 4; ++j) {
            sum[j] += low.at[j] * value;
            sum[4 + j] += high.at[j] * value;
        }
    }
    for (unsigned j = 0; j < rows_at_once; ++j) {
        if (row + j < layer.n_out) out[(row + j) * stride] = sum[j];
    }
}

// A layer for the point of this thread; `in` and `out` are its own rows.
template <class Number>
MADNIS_GPU_FN void multiply(const Layer<Number>& layer, const Number* in, Number* out,
                            const BlockMemory<Number>& memory) {
    const unsigned columns = layer.n_in == 0 ? 1 : smaller(layer.n_in, columns_at_once);
    const unsigned rows =
        (unsigned(tile_numbers) / columns - column_gap) / rows_at_once * rows_at_once;
    for (unsigned row = 0; row < layer.n_out; row += rows) {
        const unsigned n_rows = smaller(rows, layer.n_out - row);
        const unsigned padded = (n_rows + rows_at_once - 1) / rows_at_once * rows_at_once;
        for (unsigned column = 0; column == 0 || column < layer.n_in; column += columns) {
            const TileRange range{row, n_rows, column, smaller(columns, layer.n_in - column),
                                  padded};
            __syncthreads();
            load_tile(layer, range, memory.tile);
            __syncthreads();
            for (unsigned first = 0; first < n_rows; first += rows_at_once) {
                multiply_rows(layer, range, memory.tile, first, in, out, memory.stride);
            }
        }
    }
}

// LeakyReLU of rows of this thread.
template <class Number>
MADNIS_GPU_FN void activate(Number* h, std::size_t rows, unsigned stride) {
    for (std::size_t r = 0; r < rows; ++r) {
        Number& value = h[r * stride];
        value = max(value, leaky_slope<Number> * value);
    }
}

// Gradient before the activation from the gradient after it; h are the activated values.
template <class Number>
MADNIS_GPU_FN void deactivate(Number* gradient, const Number* h, std::size_t rows,
                              unsigned stride) {
    for (std::size_t r = 0; r < rows; ++r) {
        if (!(h[r * stride] > Number(0))) gradient[r * stride] *= leaky_slope<Number>;
    }
}

template <class Number>
MADNIS_GPU_FN void set_zero(Number* rows, std::size_t count, unsigned stride) {
    for (std::size_t r = 0; r < count; ++r) rows[r * stride] = Number(0);
}

// Where the gradients of a layer are added up, laid out as its weights and biases.
template <class Number>
struct LayerGradient {
    Number* weight;
    std::size_t row_stride;
    Number* bias;
    std::size_t bias_stride;
};

// A square of the matrix, from (row, column), so large that each number is read for four sums.
template <class Number>
MADNIS_GPU_FN void add_square(const Layer<Number>& layer, unsigned row, unsigned column,
                              const Number* delta, const Number* in, unsigned stride,
                              unsigned events, const LayerGradient<Number>& gradient) {
    const Number *left[4], *right[4];
    Number sum[4][4];
    for (unsigned j = 0; j < 4; ++j) {
        left[j] = delta + smaller(row + j, layer.n_out - 1) * stride;
        right[j] = in + smaller(column + j, layer.n_in - 1) * stride;
        for (unsigned i = 0; i < 4; ++i) sum[j][i] = Number(0);
    }
    for (unsigned e = 0; e < events; ++e) {
        Number value[4];
        for (unsigned i = 0; i < 4; ++i) value[i] = right[i][e];
        for (unsigned j = 0; j < 4; ++j) {
            const Number factor = left[j][e];
            for (unsigned i = 0; i < 4; ++i) sum[j][i] += factor * value[i];
        }
    }
    for (unsigned j = 0; j < 4; ++j) {
        for (unsigned i = 0; i < 4; ++i) {
            if (row + j < layer.n_out && column + i < layer.n_in) {
                gradient.weight[(row + j) * gradient.row_stride + column + i] += sum[j][i];
            }
        }
    }
}

// Add the gradients of a layer, sums over the first `events` points of the block: delta are the
// gradients with respect to its results, both here and in `in` the rows of all points. A sum is
// always made by the same thread.
template <class Number>
MADNIS_GPU_FN void add_gradients(const Layer<Number>& layer, const Number* delta, const Number* in,
                                 unsigned stride, unsigned events,
                                 const LayerGradient<Number>& gradient) {
    __syncthreads();
    const unsigned across = (layer.n_in + 3) / 4, down = (layer.n_out + 3) / 4;
    for (unsigned i = threadIdx.x; i < across * down; i += blockDim.x) {
        add_square(layer, i / across * 4, i % across * 4, delta, in, stride, events, gradient);
    }
    for (unsigned r = threadIdx.x; r < layer.n_out; r += blockDim.x) {
        Number sum(0);
        for (unsigned e = 0; e < events; ++e) sum += delta[r * stride + e];
        gradient.bias[r * gradient.bias_stride] += sum;
    }
    __syncthreads();
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Linear layers for a tile of events: row r of event e at data[r * tile_events + e], SIMD over the
// events.
//
// Rows are filled for whole vectors of events; what is beyond the last event is finite and never
// used.
#pragma once

#include <cstring>
#include <type_traits>
#include <utility>

#include "flows/coupling_formulas.hpp"
#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Events of a tile: what a chain of coupling blocks computes for so many stays in the second-level
// cache. A multiple of every vector size.
inline constexpr std::size_t tile_events = 80;

template <class Number>
using Vector = stdx::native_simd<Number>;

// Sums that are kept in registers at once: rows times vectors of events.
inline constexpr std::size_t rows_at_once = 4;
#ifdef __AVX512F__
inline constexpr std::size_t vectors_at_once = 5;
#else
inline constexpr std::size_t vectors_at_once = 2;
#endif

constexpr std::size_t vectors_of(std::size_t count, std::size_t width) {
    return (count + width - 1) / width;
}

// Call body(begin, size) for pieces of at most `largest` that cover [0, count); size is a
// compile-time constant.
template <std::size_t largest, class Body>
void in_pieces(std::size_t count, const Body& body, std::size_t begin = 0) {
    for (; begin + largest <= count; begin += largest) {
        body(begin, std::integral_constant<std::size_t, largest>());
    }
    if constexpr (largest > 1) in_pieces<largest / 2>(count, body, begin);
}

// Element (r, k) is at data[r * row_stride + k * column_stride].
template <class Number>
struct MatrixView {
    const Number* data;
    std::size_t row_stride, column_stride;
};

template <std::size_t rows, std::size_t vectors, class Number>
void multiply_piece(MatrixView<Number> matrix, const Number* bias, std::size_t n_in,
                    const Number* in, Number* out) {
    using V = Vector<Number>;
    V sum[rows][vectors];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) {
            sum[r][v] = V(bias == nullptr ? Number(0) : bias[r]);
        }
    }
    for (std::size_t k = 0; k < n_in; ++k) {
        V value[vectors];
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) {
            value[v] = V(in + k * tile_events + v * V::size(), stdx::vector_aligned);
        }
#pragma GCC unroll 16
        for (std::size_t r = 0; r < rows; ++r) {
            const V weight(matrix.data[r * matrix.row_stride + k * matrix.column_stride]);
#pragma GCC unroll 16
            for (std::size_t v = 0; v < vectors; ++v) sum[r][v] += weight * value[v];
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) {
            sum[r][v].copy_to(out + r * tile_events + v * V::size(), stdx::vector_aligned);
        }
    }
}

// out = matrix in + bias for `vectors` vectors of events; no bias where it is null.
template <class Number>
void multiply(MatrixView<Number> matrix, const Number* bias, std::size_t n_out, std::size_t n_in,
              const Number* in, Number* out, std::size_t vectors) {
    in_pieces<vectors_at_once>(vectors, [&](std::size_t vector, auto n_vectors) {
        const std::size_t event = vector * Vector<Number>::size();
        in_pieces<rows_at_once>(n_out, [&](std::size_t row, auto n_rows) {
            const MatrixView<Number> part{matrix.data + row * matrix.row_stride, matrix.row_stride,
                                          matrix.column_stride};
            multiply_piece<n_rows(), n_vectors()>(part, bias == nullptr ? nullptr : bias + row,
                                                  n_in, in + event,
                                                  out + row * tile_events + event);
        });
    });
}

// Element-wise over `rows` rows and `vectors` vectors of events: out = function(in..).
template <class Number, class Function, class... In>
void transform_rows(std::size_t rows, std::size_t vectors, Number* out, const Function& function,
                    const In*... in) {
    using V = Vector<Number>;
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t i = r * tile_events; i < r * tile_events + vectors * V::size();
             i += V::size()) {
            function(V(in + i, stdx::vector_aligned)...).copy_to(out + i, stdx::vector_aligned);
        }
    }
}

// LeakyReLU in place.
template <class Number>
void activate(Number* h, std::size_t rows, std::size_t vectors) {
    using V = Vector<Number>;
    transform_rows(
        rows, vectors, h, [](const V& x) { return stdx::max(x, leaky_slope<Number> * x); },
        static_cast<const Number*>(h));
}

// Gradient before the activation from the gradient after it, in place; h are the activated values.
template <class Number>
void deactivate(Number* gradient, const Number* h, std::size_t rows, std::size_t vectors) {
    using V = Vector<Number>;
    const auto slope = [](const V& g, const V& value) {
        V result = leaky_slope<Number> * g;
        stdx::where(value > Number(0), result) = g;
        return result;
    };
    transform_rows(rows, vectors, gradient, slope, static_cast<const Number*>(gradient), h);
}

template <std::size_t rows, std::size_t vectors, class Number>
void add_outer_piece(const Number* delta, const Number* in, std::size_t stride, std::size_t events,
                     Number* sum, std::size_t n_in, std::size_t columns) {
    using V = Vector<Number>;
    V product[rows][vectors];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) product[r][v] = V(Number(0));
    }
    for (std::size_t e = 0; e < events; ++e) {
        V value[vectors];
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) {
            value[v] = V(in + e * stride + v * V::size(), stdx::vector_aligned);
        }
#pragma GCC unroll 16
        for (std::size_t r = 0; r < rows; ++r) {
            const V factor(delta[r * tile_events + e]);
#pragma GCC unroll 16
            for (std::size_t v = 0; v < vectors; ++v) product[r][v] += factor * value[v];
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < rows; ++r) {
#pragma GCC unroll 16
        for (std::size_t v = 0; v < vectors; ++v) {
            Number* target = sum + r * n_in + v * V::size();
            if ((v + 1) * V::size() <= columns) {
                (V(target, stdx::element_aligned) + product[r][v])
                    .copy_to(target, stdx::element_aligned);
            } else {
                for (std::size_t i = 0; v * V::size() + i < columns; ++i) {
                    target[i] += product[r][v][i];
                }
            }
        }
    }
}

// sum(r, k) += sum over events of delta(r) in(k): the gradient of the weights, (n_out, n_in)
// C-contiguous. `in` comes with the events as rows: in(k) of event e at in[e * stride + k], stride
// a multiple of the vector size.
template <class Number>
void add_outer(const Number* delta, std::size_t n_out, const Number* in, std::size_t n_in,
               std::size_t stride, std::size_t events, Number* sum) {
    constexpr std::size_t width = Vector<Number>::size();
    in_pieces<vectors_at_once>(stride / width, [&](std::size_t vector, auto n_vectors) {
        const std::size_t column = vector * width;
        in_pieces<rows_at_once>(n_out, [&](std::size_t row, auto n_rows) {
            add_outer_piece<n_rows(), n_vectors()>(delta + row * tile_events, in + column, stride,
                                                   events, sum + row * n_in + column, n_in,
                                                   n_in - column);
        });
    });
}

// sum(r) += sum over events of delta(r): the gradient of the biases. Rows of delta are 0 beyond the
// last event.
template <class Number>
void add_row_sums(const Number* delta, std::size_t rows, std::size_t vectors, Number* sum) {
    using V = Vector<Number>;
    for (std::size_t r = 0; r < rows; ++r) {
        V total(Number(0));
        const Number* row = delta + r * tile_events;
        for (std::size_t v = 0; v < vectors; ++v) {
            total += V(row + v * V::size(), stdx::vector_aligned);
        }
        sum[r] += stdx::reduce(total);
    }
}

// Transpose a square of vectors in place, halving the distance of what is swapped.
template <class Raw, std::size_t distance, std::size_t... column>
void transpose_square(Raw (&row)[sizeof...(column)], std::index_sequence<column...> columns) {
    constexpr std::size_t n = sizeof...(column);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < n; ++r) {
        if (r & distance) continue;
        const Raw upper = row[r], lower = row[r + distance];
        row[r] = __builtin_shufflevector(upper, lower,
                                         (column & distance ? n + column - distance : column)...);
        row[r + distance] = __builtin_shufflevector(
            upper, lower, (column & distance ? n + column : column + distance)...);
    }
    if constexpr (distance > 1) transpose_square<Raw, distance / 2>(row, columns);
}

// Rows to columns: in(k) of event e from in[k * tile_events + e] to out[e * stride + k], zeros up
// to the stride, for `vectors` vectors of events.
template <class Number>
void transpose(const Number* in, std::size_t n_in, std::size_t vectors, Number* out,
               std::size_t stride) {
    constexpr std::size_t width = Vector<Number>::size();
    using Raw [[gnu::vector_size(sizeof(Vector<Number>))]] = Number;
    for (std::size_t first = 0; first < stride; first += width) {
        for (std::size_t e = 0; e < vectors * width; e += width) {
            Raw row[width];
#pragma GCC unroll 16
            for (std::size_t r = 0; r < width; ++r) {
                row[r] = Raw{};
                if (first + r < n_in) {
                    std::memcpy(&row[r], in + (first + r) * tile_events + e, sizeof(Raw));
                }
            }
            transpose_square<Raw, width / 2>(row, std::make_index_sequence<width>());
#pragma GCC unroll 16
            for (std::size_t r = 0; r < width; ++r) {
                std::memcpy(out + (e + r) * stride + first, &row[r], sizeof(Raw));
            }
        }
    }
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

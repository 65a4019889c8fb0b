// The number type of the kernels: formulas are written once for T and compiled for T = double or
// float, which a thread of a GPU computes with, and for lanes of several events (lane_simd.hpp).
//
// Lane e of a group belongs to event e of the batch. Branches become select(mask, a, b).
// Integer-valued quantities (bin numbers) stay in T, gathers go through lane_map.
#pragma once

#include <cstddef>

#include "simd/isa.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
struct LaneTraits;

template <>
struct LaneTraits<double> {
    using Number = double;
    using Mask = bool;
    static constexpr std::size_t width = 1;
};

template <>
struct LaneTraits<float> {
    using Number = float;
    using Mask = bool;
    static constexpr std::size_t width = 1;
};

template <class T>
using Mask = typename LaneTraits<T>::Mask;

template <class T>
inline constexpr std::size_t lane_width = LaneTraits<T>::width;

// The same number in every element, rounded to the precision of T.
template <class T>
MADNIS_FN T constant(double x) {
    return T(static_cast<typename LaneTraits<T>::Number>(x));
}

// a where the mask is set, b elsewhere.
MADNIS_FN inline double select(bool mask, double a, double b) { return mask ? a : b; }
MADNIS_FN inline float select(bool mask, float a, float b) { return mask ? a : b; }

MADNIS_FN inline bool any(bool mask) { return mask; }
MADNIS_FN inline bool all(bool mask) { return mask; }

// Apply a scalar function to every element: for table look-ups and functions without a vector form.
template <class F>
MADNIS_FN inline double lane_map(F&& f, double x) {
    return f(x);
}

// The first `count` elements come from memory, the others repeat the last one: a partial block at
// the end of a batch runs through the same instructions as a full one, so results never depend on
// the position inside the batch.
template <class T>
MADNIS_FN inline T load(const double* data, std::size_t count);

template <>
MADNIS_FN inline double load<double>(const double* data, std::size_t) {
    return *data;
}

template <>
MADNIS_FN inline float load<float>(const double* data, std::size_t) {
    return static_cast<float>(*data);
}

// As load, for elements `stride` doubles apart (rows of a C-contiguous array).
template <class T>
MADNIS_FN inline T load_strided(const double* data, std::size_t stride, std::size_t count);

template <>
MADNIS_FN inline double load_strided<double>(const double* data, std::size_t, std::size_t) {
    return *data;
}

template <>
MADNIS_FN inline float load_strided<float>(const double* data, std::size_t, std::size_t) {
    return static_cast<float>(*data);
}

MADNIS_FN inline void store(double* data, double value, std::size_t) { *data = value; }
MADNIS_FN inline void store_strided(double* data, std::size_t, double value, std::size_t) {
    *data = value;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

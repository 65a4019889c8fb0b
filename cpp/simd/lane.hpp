// The number type of the kernels: formulas are written once for T and compiled for T = double and
// T = Lane.
//
// A Lane holds as many doubles as the instruction set has room for; lane e of it belongs to event e
// of the batch. Branches become select(mask, a, b). Integer-valued quantities (bin numbers) stay in
// T, gathers go through lane_map.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <experimental/simd>

#include "simd/isa.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

namespace stdx = std::experimental;

using Lane = stdx::native_simd<double>;
using FloatLane = stdx::native_simd<float>;  // of the networks

template <class T>
struct LaneTraits;

template <>
struct LaneTraits<double> {
    using Number = double;
    using Mask = bool;
    static constexpr std::size_t width = 1;
};

template <>
struct LaneTraits<Lane> {
    using Number = double;
    using Mask = Lane::mask_type;
    static constexpr std::size_t width = Lane::size();
};

template <>
struct LaneTraits<FloatLane> {
    using Number = float;
    using Mask = FloatLane::mask_type;
    static constexpr std::size_t width = FloatLane::size();
};

template <class T>
using Mask = typename LaneTraits<T>::Mask;

template <class T>
inline constexpr std::size_t lane_width = LaneTraits<T>::width;

// The same number in every element, rounded to the precision of T.
template <class T>
T constant(double x) {
    return T(static_cast<typename LaneTraits<T>::Number>(x));
}

// a where the mask is set, b elsewhere.
inline double select(bool mask, double a, double b) { return mask ? a : b; }

inline Lane select(const Lane::mask_type& mask, const Lane& a, const Lane& b) {
    Lane result = b;
    stdx::where(mask, result) = a;
    return result;
}

inline FloatLane select(const FloatLane::mask_type& mask, const FloatLane& a, const FloatLane& b) {
    FloatLane result = b;
    stdx::where(mask, result) = a;
    return result;
}

inline bool any(bool mask) { return mask; }
inline bool any(const Lane::mask_type& mask) { return stdx::any_of(mask); }
inline bool all(bool mask) { return mask; }
inline bool all(const Lane::mask_type& mask) { return stdx::all_of(mask); }

// Apply a scalar function to every element: for table look-ups and functions without a vector form.
template <class F>
inline double lane_map(F&& f, double x) {
    return f(x);
}

template <class F>
inline Lane lane_map(F&& f, const Lane& x) {
    return Lane([&](auto i) { return f(static_cast<double>(x[i])); });
}

// The first `count` elements come from memory, the others repeat the last one: a partial block at
// the end of a batch runs through the same instructions as a full one, so results never depend on
// the position inside the batch.
template <class T>
inline T load(const double* data, std::size_t count);

template <>
inline double load<double>(const double* data, std::size_t) {
    return *data;
}

template <>
inline Lane load<Lane>(const double* data, std::size_t count) {
    if (count >= Lane::size()) return Lane(data, stdx::element_aligned);
    return Lane([&](auto i) { return data[i < count ? std::size_t(i) : count - 1]; });
}

template <>
inline FloatLane load<FloatLane>(const double* data, std::size_t count) {
    return FloatLane(
        [&](auto i) { return static_cast<float>(data[i < count ? std::size_t(i) : count - 1]); });
}

// As load, for elements `stride` doubles apart (rows of a C-contiguous array).
template <class T>
inline T load_strided(const double* data, std::size_t stride, std::size_t count) {
    if constexpr (lane_width<T> == 1) {
        return *data;
    } else {
        using Number = typename LaneTraits<T>::Number;
        return T([&](auto i) {
            return static_cast<Number>(data[(i < count ? std::size_t(i) : count - 1) * stride]);
        });
    }
}

inline void store(double* data, double value, std::size_t) { *data = value; }

inline void store(double* data, const Lane& value, std::size_t count) {
    if (count >= Lane::size()) {
        value.copy_to(data, stdx::element_aligned);
    } else {
        for (std::size_t i = 0; i < count; ++i) data[i] = value[i];
    }
}

inline void store(double* data, const FloatLane& value, std::size_t count) {
    for (std::size_t i = 0; i < std::min(count, FloatLane::size()); ++i) data[i] = double(value[i]);
}

inline void store_strided(double* data, std::size_t, double value, std::size_t) { *data = value; }

inline void store_strided(double* data, std::size_t stride, const Lane& value, std::size_t count) {
    const std::size_t n = count < Lane::size() ? count : Lane::size();
    for (std::size_t i = 0; i < n; ++i) data[i * stride] = value[i];
}

inline void store_strided(double* data, std::size_t stride, const FloatLane& value,
                          std::size_t count) {
    for (std::size_t i = 0; i < std::min(count, FloatLane::size()); ++i) {
        data[i * stride] = double(value[i]);
    }
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

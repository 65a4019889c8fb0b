// Lanes: as many doubles as the instruction set has room for, with the operations of
// lane_scalar.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <experimental/simd>

#include "simd/lane_scalar.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

namespace stdx = std::experimental;

using Lane = stdx::native_simd<double>;
using FloatLane = stdx::native_simd<float>;  // of the networks

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

inline bool any(const Lane::mask_type& mask) { return stdx::any_of(mask); }
inline bool all(const Lane::mask_type& mask) { return stdx::all_of(mask); }

template <class F>
inline Lane lane_map(F&& f, const Lane& x) {
    return Lane([&](auto i) { return f(static_cast<double>(x[i])); });
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

template <class T>
inline T load_lanes_strided(const double* data, std::size_t stride, std::size_t count) {
    using Number = typename LaneTraits<T>::Number;
    return T([&](auto i) {
        return static_cast<Number>(data[(i < count ? std::size_t(i) : count - 1) * stride]);
    });
}

template <>
inline Lane load_strided<Lane>(const double* data, std::size_t stride, std::size_t count) {
    return load_lanes_strided<Lane>(data, stride, count);
}

template <>
inline FloatLane load_strided<FloatLane>(const double* data, std::size_t stride,
                                         std::size_t count) {
    return load_lanes_strided<FloatLane>(data, stride, count);
}

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

// Workspaces: numbers that a formula keeps for one event, or for one group of events in lanes.
//
// Those of a group in lanes lie one after the other. On a GPU, number k of one event lies beside
// number k of the next one, so that the threads of a warp read and write neighbours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/lane.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Number k is at data[k * stride].
template <class T>
class StridedSlots {
public:
    MADNIS_INLINE StridedSlots(T* data, std::uint32_t stride) : data_(data), stride_(stride) {}

    MADNIS_INLINE T& operator[](std::uint32_t k) const { return data_[std::uint64_t(k) * stride_]; }

    MADNIS_INLINE friend StridedSlots operator+(const StridedSlots& slots, std::uint32_t count) {
        return {&slots[count], slots.stride_};
    }

private:
    T* data_;
    std::uint32_t stride_;
};

namespace detail {

template <class T>
struct SlotsOf {
    using Type = T*;
};

template <>
struct SlotsOf<double> {
    using Type = StridedSlots<double>;
};

template <>
struct SlotsOf<float> {
    using Type = StridedSlots<float>;
};

}  // namespace detail

// Consecutive numbers of a workspace, used like a pointer to the first of them.
template <class T>
using Slots = typename detail::SlotsOf<T>::Type;

// Areas of a workspace, handed out one after the other.
template <class T>
class Workspace {
public:
    MADNIS_FN explicit Workspace(Slots<T> numbers) : next_(numbers) {}

    MADNIS_FN Slots<T> take(std::size_t count) {
        const Slots<T> area = next_;
        next_ = next_ + count;
        return area;
    }

private:
    Slots<T> next_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

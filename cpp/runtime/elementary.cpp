#include "runtime/elementary.hpp"

#include "runtime/sweep.hpp"
#include "simd/lane_math.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

template <class T>
T value_of(Elementary function, const T& x) {
    switch (function) {
        case Elementary::exp: return exp(x);
        case Elementary::expm1: return expm1(x);
        case Elementary::log: return log(x);
        case Elementary::log1p: return log1p(x);
        case Elementary::sin: return sin(x);
        case Elementary::cos: return cos(x);
        case Elementary::tan: return tan(x);
        case Elementary::atan: return atan(x);
        case Elementary::asinh: return asinh(x);
    }
    return x;
}

void apply(Elementary function, const double* x, std::size_t events, double* y) {
    sweep(events, [&](std::size_t event, std::size_t count) {
        store(y + event, value_of(function, load<Lane>(x + event, count)), count);
    });
}

void exp_float32(const float* x, std::size_t events, float* y) {
    for (std::size_t event = 0; event < events; event += FloatLane::size()) {
        const std::size_t count = std::min(FloatLane::size(), events - event);
        const FloatLane value =
            exp(FloatLane([&](auto i) { return i < count ? x[event + i] : 0.f; }));
        for (std::size_t i = 0; i < count; ++i) y[event + i] = value[i];
    }
}

void arc_tangent(const double* y, const double* x, std::size_t events, double* angle) {
    sweep(events, [&](std::size_t event, std::size_t count) {
        store(angle + event, atan2(load<Lane>(y + event, count), load<Lane>(x + event, count)),
              count);
    });
}

}  // namespace

const ElementaryKernels elementary_kernels_table = {
    .lane_width = Lane::size(),
    .apply = apply,
    .exp_float32 = exp_float32,
    .arc_tangent = arc_tangent,
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

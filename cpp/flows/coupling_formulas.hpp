// What the kernels of coupling blocks have in common on the processor and on a GPU.
#pragma once

#include <numbers>

#include "flows/spline.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// sqrt(12): conditions of variance 1 for uniform points.
inline constexpr double condition_scale = 2 * std::numbers::sqrt3;

// Of LeakyReLU for negative numbers.
template <class Number>
inline constexpr Number leaky_slope = Number(0.01);

// Factors of one logarithm: derivatives lie between 1e-13 and 1e5, so that their product is finite.
inline constexpr std::size_t slopes_per_log = 16;

// Weights and biases of one channel.
template <class Number>
struct ChannelParameters {
    const Number* const* arrays;
    std::size_t channel;

    MADNIS_FN const Number* at(const ParameterSpec& place) const {
        return arrays[place.array] + channel * place.size;
    }
};

// From data to latent, through the blocks in order.
struct Forward {
    static constexpr double sign = 1;  // of the logarithms of the derivatives

    MADNIS_FN static const CouplingBlockSpec& block(const CouplingSpec& spec, std::size_t step) {
        return spec.blocks[step];
    }

    template <class Rows, class T>
    MADNIS_FN static SplineValue<T> spline(const SplineSpec& spec, const Rows& rows, const T& x) {
        return spline_forward(spec, rows, x);
    }
};

// From latent to data, through the blocks in reverse order.
struct Inverse {
    static constexpr double sign = -1;

    MADNIS_FN static const CouplingBlockSpec& block(const CouplingSpec& spec, std::size_t step) {
        return spec.blocks[spec.n_blocks - 1 - step];
    }

    template <class Rows, class T>
    MADNIS_FN static SplineValue<T> spline(const SplineSpec& spec, const Rows& rows, const T& y) {
        return spline_inverse(spec, rows, y);
    }
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

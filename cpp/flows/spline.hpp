// Monotonic rational-quadratic splines on the unit interval, Durkan et al., arXiv:1906.04032, with
// the parameters of Eq. (3.49)-(3.51) of the MadNIS thesis: K widths, K heights, K + 1 derivatives.
// The formulas, their order and the limits are those of flows/splines.py, so that zero parameters
// give the identity bit for bit.
//
// NaN parameters give a NaN log-Jacobian.
#pragma once

#include <numbers>

#include "flows/coupling_specs.hpp"
#include "simd/lane_math.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// As std::clamp, and NaN stays NaN.
template <class T>
MADNIS_FN T limited(const T& x, const T& low, const T& high) {
    return select(x < low, low, select(x > high, high, x));
}

template <class T>
MADNIS_FN T limited_to_unit(const T& x) {
    return limited(x, T(0), T(1));
}

template <class T>
struct Softplus {
    T value, slope;
};

// log(1 + e^x), x itself beyond 20 as torch has it, and its derivative; for x above -700.
template <class T>
MADNIS_FN Softplus<T> softplus(const T& x) {
    const auto far = x > 20.;
    const T power = exp(select(far, T(20.), x));
    const T sum = 1. + power, per_sum = 1. / sum;
    return {select(far, x, log(sum) + (power - (sum - 1.)) * per_sum),
            select(far, T(1), power * per_sum)};
}

// `Rows` below is where the parameters of a spline are: growth(axis, k) is exp(theta_k - max theta)
// of the widths (axis 0) and heights (axis 1), derivative(k) the parameter of the derivative at
// knot k; set_.. store.
template <class T>
struct Knots {
    T total[2];  // sum of the unnormalised sizes
    T floor[2];  // smallest unnormalised size, added to each growth
};

template <class T, class Rows>
MADNIS_FN Knots<T> sum_of_sizes(const SplineSpec& spec, const Rows& rows) {
    Knots<T> knots;
    const double covered = double(spec.bins) * spec.min_bin_size;
    for (int axis = 0; axis < 2; ++axis) {
        T sum = rows.growth(axis, 0);
        for (std::size_t k = 1; k < spec.bins; ++k) sum += rows.growth(axis, k);
        knots.floor[axis] = sum * (spec.min_bin_size / (1 - covered));
        knots.total[axis] = sum / (1 - covered);
    }
    return knots;
}

// The bin of an argument (axis 0) or of a value (axis 1).
template <class T>
struct SplineBin {
    T index;          // integer-valued
    T scale[2];       // of unnormalised sizes
    T corner[2];      // lower left, (x, y)
    T size[2];        // width and height
    T parameter[2];   // of the derivatives at both ends
    T derivative[2];  // dy/dx at both ends
    T gain[2];        // its derivative with respect to the parameter
    T end[2];         // the same in units of the slope height / width
};

template <class T, class Rows>
MADNIS_FN SplineBin<T> find_bin(const SplineSpec& spec, const Rows& rows, const T& value,
                                int axis) {
    const auto knots = sum_of_sizes<T>(spec, rows);
    const T threshold = value * knots.total[axis];
    SplineBin<T> bin;
    bin.index = T(0);
    T next[2], below[2] = {T(0), T(0)}, sum[2] = {T(0), T(0)};
    for (int side = 0; side < 2; ++side) {
        bin.size[side] = next[side] = rows.growth(side, 0) + knots.floor[side];
        bin.parameter[side] = rows.derivative(std::size_t(side));
    }
    T left = bin.parameter[1];
    for (std::size_t k = 1; k < spec.bins; ++k) {
        for (int side = 0; side < 2; ++side) sum[side] += next[side];
        const auto passed = sum[axis] <= threshold;
        for (int side = 0; side < 2; ++side) {
            next[side] = rows.growth(side, k) + knots.floor[side];
            below[side] = select(passed, sum[side], below[side]);
            bin.size[side] = select(passed, next[side], bin.size[side]);
        }
        const T right = rows.derivative(k + 1);
        bin.parameter[0] = select(passed, left, bin.parameter[0]);
        bin.parameter[1] = select(passed, right, bin.parameter[1]);
        bin.index = select(passed, T(double(k)), bin.index);
        left = right;
    }
    for (int side = 0; side < 2; ++side) {
        bin.scale[side] = 1. / knots.total[side];
        bin.corner[side] = below[side] * bin.scale[side];
        bin.size[side] *= bin.scale[side];
    }
    const T inverse_slope = bin.size[0] / bin.size[1];
    for (int side = 0; side < 2; ++side) {
        const T& parameter = bin.parameter[side];
        const T inside =
            limited(parameter, T(spec.derivative_range[0]), T(spec.derivative_range[1]));
        const auto [value, slope] = softplus(inside);
        bin.derivative[side] = value / std::numbers::ln2;
        bin.gain[side] = select(inside == parameter, slope / std::numbers::ln2, T(0));
        bin.end[side] = bin.derivative[side] * inverse_slope;
    }
    return bin;
}

// With the end derivatives in units of the slope, y = Y + h (xi + bend) at the position xi in
// [0, 1] along the bin, bend = xi (1 - xi) (left - 1 - t xi) / (1 + t xi (1 - xi)),
// t = left + right - 2. The numerator of dy/dx is a sum of positive terms.
template <class T>
struct SplinePoint {
    T xi, rest, product, curvature, denominator, bend, numerator;

    MADNIS_FN SplinePoint(const SplineBin<T>& bin, const T& position) : xi(position) {
        const T &left = bin.end[0], &right = bin.end[1];
        rest = 1. - xi;
        curvature = left + right - 2.;
        product = xi * rest;
        denominator = 1. + curvature * product;
        bend = product * (left - 1. - curvature * xi) / denominator;
        numerator = xi * (right * xi + rest) + rest * (xi + left * rest);
    }

    // y - x
    MADNIS_FN T shift(const SplineBin<T>& bin) const {
        return (bin.corner[1] - bin.corner[0]) + (bin.size[1] - bin.size[0]) * xi +
               bin.size[1] * bend;
    }

    // dy/dx
    MADNIS_FN T slope(const SplineBin<T>& bin) const {
        return bin.size[1] / bin.size[0] * numerator / square(denominator);
    }
};

// The position along the bin at which the spline has climbed the fraction eta of its height: the
// quadratic equation in a form without cancellation, see splines.py.
template <class T>
MADNIS_FN T solve_bin(const SplineBin<T>& bin, const T& eta) {
    const T rest = 1. - eta;
    const T u = bin.end[0] * rest - bin.end[1] * eta;
    const T size = abs(u) + sqrt(square(u) + 4. * eta * rest);
    return select(u >= 0., 2. * eta / (2. * eta + size), size / (size + 2. * rest));
}

template <class T>
struct SplineValue {
    T value, slope;
};

// y and dy/dx at x.
template <class T, class Rows>
MADNIS_FN SplineValue<T> spline_forward(const SplineSpec& spec, const Rows& rows, const T& x) {
    const auto bin = find_bin(spec, rows, x, 0);
    const SplinePoint<T> point(bin, limited_to_unit<T>((x - bin.corner[0]) / bin.size[0]));
    return {limited_to_unit<T>(x + point.shift(bin)), point.slope(bin)};
}

// x and dy/dx at y.
template <class T, class Rows>
MADNIS_FN SplineValue<T> spline_inverse(const SplineSpec& spec, const Rows& rows, const T& y) {
    const auto bin = find_bin(spec, rows, y, 1);
    const SplinePoint<T> point(
        bin, solve_bin<T>(bin, limited_to_unit<T>((y - bin.corner[1]) / bin.size[1])));
    return {limited_to_unit<T>(y - point.shift(bin)), point.slope(bin)};
}

// Replace the parameters by the gradient with respect to them; returns the gradient with respect to
// x. gy and gl are the gradients with respect to y and log dy/dx. The limits of y and of the
// position in the bin have no part in them: only rounding takes these across.
//
// A knot is the sum of the normalised sizes before it, so that with the normalised sizes c s_j,
// dE_k / dtheta_j = c s_j ([j < k] - sum of s_i over i < k).
template <class T, class Rows>
MADNIS_FN T spline_backward(const SplineSpec& spec, const Rows& rows, const T& x, const T& gy,
                            const T& gl) {
    const auto bin = find_bin(spec, rows, x, 0);
    const SplinePoint<T> p(bin, limited_to_unit<T>((x - bin.corner[0]) / bin.size[0]));
    const T &width = bin.size[0], &height = bin.size[1], &left = bin.end[0], &right = bin.end[1];

    const T per_denominator = 1. / p.denominator;
    const T per_numerator = 1. / p.numerator;
    const T per_width = 1. / width;
    const T climbed = p.xi + p.bend;
    // Minus the gradient of the denominator.
    const T gd = (gy * height * climbed + 2. * gl) * per_denominator;
    const T gn = gl * per_numerator;  // gradient of the numerator
    const T g_left =
        gy * height * p.product * per_denominator - gd * p.product + gn * square(p.rest);
    const T g_right = gn * square(p.xi) - gd * p.product;
    const T climb_slope = p.numerator * square(per_denominator);
    const T g_xi = gy * height * climb_slope +
                   2. * gn * (right * p.xi + (p.rest - p.xi) - left * p.rest) -
                   2. * gl * per_denominator * p.curvature * (p.rest - p.xi);
    // Gradient of width / height.
    const T g_ratio = g_left * bin.derivative[0] + g_right * bin.derivative[1];

    const T gx = g_xi * per_width;
    const T ratio = width / height;
    const T g_corner[2] = {-gx, gy};
    const T g_size[2] = {(g_ratio * ratio - gl - g_xi * p.xi) * per_width,
                         gy * climbed + (gl - g_ratio * ratio) / height};

    const double covered = double(spec.bins) * spec.min_bin_size;
    for (int axis = 0; axis < 2; ++axis) {
        const T softmax_below = (bin.corner[axis] - spec.min_bin_size * bin.index) / (1 - covered);
        const T softmax = (bin.size[axis] - spec.min_bin_size) / (1 - covered);
        const T mean = g_corner[axis] * softmax_below + g_size[axis] * softmax;
        for (std::size_t k = 0; k < spec.bins; ++k) {
            const T knot = T(static_cast<double>(k));
            const T own = select(knot < bin.index, g_corner[axis],
                                 select(knot == bin.index, g_size[axis], T(0)));
            rows.set_growth(axis, k, rows.growth(axis, k) * bin.scale[axis] * (own - mean));
        }
    }
    const T g_parameter[2] = {g_left * ratio * bin.gain[0], g_right * ratio * bin.gain[1]};
    for (std::size_t k = 0; k <= spec.bins; ++k) {
        const T knot = T(static_cast<double>(k));
        rows.set_derivative(k, select(knot == bin.index, g_parameter[0],
                                      select(knot == bin.index + 1., g_parameter[1], T(0))));
    }
    return gx;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

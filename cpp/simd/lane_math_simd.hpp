// Elementary functions of lanes: range reduction and a polynomial, within a few units in the last
// place of the C library over the full range. Every element goes through the same instructions
// wherever it is in a lane.
#pragma once

#include <bit>
#include <cstdint>

#include "simd/lane_math_scalar.hpp"
#include "simd/lane_simd.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

using stdx::abs;
using stdx::copysign;
using stdx::max;
using stdx::min;
using stdx::sqrt;

namespace bits {

using Integers = stdx::rebind_simd_t<std::int64_t, Lane>;

// Adding this number moves an integer |k| < 2^51 into the low bits of the significand.
inline constexpr double shift = 0x1.8p52;

inline Integers of(const Lane& x) { return std::bit_cast<Integers>(x); }
inline Lane to_lane(const Integers& bits) { return std::bit_cast<Lane>(bits); }

inline Lane nearest_integer(const Lane& x) { return (x + shift) - shift; }

// 2^k for integer-valued k in [-1022, 1023].
inline Lane power_of_two(const Lane& k) { return to_lane((of(k + shift) + 1023) << 52); }

// x 2^k in two steps, right into the denormals.
inline Lane scale(const Lane& x, const Lane& k) {
    const Lane half = nearest_integer(k * 0.5);
    return x * power_of_two(half) * power_of_two(k - half);
}

}  // namespace bits

namespace detail {

inline constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;

// x = k ln 2 + r with |r| <= ln 2 / 2; e^r - 1 by its Taylor series up to r^13.
struct ExponentialParts {
    Lane k, expm1_r;
};

inline ExponentialParts exponential_parts(const Lane& x) {
    static constexpr double inverse_factorials[] = {
        1. / 2,     1. / 6,      1. / 24,      1. / 120,      1. / 720,       1. / 5040,
        1. / 40320, 1. / 362880, 1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800};
    const Lane k = bits::nearest_integer(x * std::numbers::log2e);
    const Lane r = (x - k * ln2_high) - k * ln2_low;
    return {k, r + r * r * polynomial(r, inverse_factorials)};
}

}  // namespace detail

inline Lane exp(const Lane& x) {
    const auto [k, expm1_r] = detail::exponential_parts(min(max(x, Lane(-746.)), Lane(710.)));
    return select(x == x, bits::scale(Lane(1.) + expm1_r, k), x);
}

inline Lane expm1(const Lane& x) {
    const auto [k, expm1_r] = detail::exponential_parts(min(max(x, Lane(-60.)), Lane(60.)));
    const Lane power = bits::power_of_two(k);
    const Lane value = select(abs(x) < 50., power * expm1_r + (power - 1.), exp(x) - 1.);
    return select(x == x && x != 0., value, x);
}

// As for doubles, with a series up to r^7.
inline FloatLane exp(const FloatLane& x) {
    using Integers = stdx::rebind_simd_t<std::int32_t, FloatLane>;
    static constexpr float shift = 0x1.8p23f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const auto power_of_two = [](const FloatLane& k) {
        return std::bit_cast<FloatLane>((std::bit_cast<Integers>(k + shift) + 127) << 23);
    };
    const FloatLane bounded = min(max(x, FloatLane(-104.f)), FloatLane(89.f));
    const FloatLane k = (bounded * std::numbers::log2e_v<float> + shift) - shift;
    const FloatLane r = (bounded - k * ln2_high) - k * ln2_low;
    FloatLane series(1.f / 5040);
    for (const float c : {1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 1.f / 2}) {
        series = series * r + c;
    }
    const FloatLane half = (k * 0.5f + shift) - shift;
    const FloatLane value =
        (1.f + (r + r * r * series)) * power_of_two(half) * power_of_two(k - half);
    return select(x == x, value, x);
}

// The algorithm of fdlibm's e_log.c: x = 2^k (1 + f) with sqrt(1/2) < 1 + f < sqrt(2), series in
// f / (2 + f).
inline Lane log(const Lane& x) {
    static constexpr double series[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
                                        2.857142874366239149e-01, 2.222219843214978396e-01,
                                        1.818357216161805012e-01, 1.531383769920937332e-01,
                                        1.479819860511658591e-01};
    const auto tiny = x < std::numeric_limits<double>::min();
    const auto pattern =
        bits::of(select(tiny, x * 0x1p54, x)) - bits::of(Lane(std::numbers::sqrt2 / 2));
    // Arithmetic shift: the exponent relative to sqrt(1/2) as a signed integer.
    const auto exponent = pattern >> 52;
    const Lane mantissa =
        bits::to_lane((pattern & 0x000fffffffffffff) + bits::of(Lane(std::numbers::sqrt2 / 2)));
    const Lane k = (bits::to_lane(exponent + bits::of(Lane(bits::shift))) - bits::shift) -
                   select(tiny, Lane(54.), Lane(0.));
    const Lane f = mantissa - 1.;
    const Lane s = f / (f + 2.);
    const Lane z = s * s;
    const Lane half_square = 0.5 * f * f;
    const Lane value =
        k * detail::ln2_high -
        ((half_square - (s * (half_square + z * polynomial(z, series)) + k * detail::ln2_low)) - f);
    const Lane finite =
        select(x > 0., value, select(x == 0., Lane(-detail::infinity), Lane(detail::nan)));
    return select(x < detail::infinity, finite, x);
}

inline Lane log1p(const Lane& x) {
    const Lane u = x + 1.;
    const Lane value = log(u) + (x - (u - 1.)) / u;
    return select(x > -1. && x < detail::infinity && x != 0., value, select(x == 0., x, log(u)));
}

namespace detail {

// fdlibm's k_sin.c and k_cos.c, |r| <= pi / 4.
inline Lane sin_series(const Lane& r) {
    static constexpr double c[] = {-1.66666666666666324348e-01, 8.33333333332248946124e-03,
                                   -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                                   -2.50507602534068634195e-08, 1.58969099521155010221e-10};
    const Lane z = r * r;
    return r + r * (z * polynomial(z, c));
}

inline Lane cos_series(const Lane& r) {
    static constexpr double c[] = {4.16666666666666019037e-02, -1.38888888888741095749e-03,
                                   2.48015872894767294178e-05, -2.75573143513906633035e-07,
                                   2.08757232129817482790e-09, -1.13596475577881948265e-11};
    const Lane z = r * r;
    const Lane half = 0.5 * z;
    const Lane w = 1. - half;
    return w + (((1. - w) - half) + z * (z * polynomial(z, c)));
}

struct SinCos {
    Lane sin, cos;
};

// sin and cos of r + quarter pi / 2, `quarter` integer-valued.
inline SinCos turn_by_quarters(const Lane& r, const Lane& quarter) {
    const auto n = bits::of(quarter + bits::shift);
    const auto bit = [&](std::int64_t mask) {
        return bits::to_lane((n & mask) + bits::of(Lane(1.))) != 1.;
    };
    const Lane s = sin_series(r), c = cos_series(r);
    const auto odd = bit(1);
    const Lane sine = select(odd, c, s), cosine = select(odd, s, c);
    const auto lower_half = bit(2);
    return {select(lower_half, -sine, sine), select(lower_half != odd, -cosine, cosine)};
}

// Cody-Waite reduction with fdlibm's pieces of pi / 2, 33 bits each: exact products for |x| < 10^5.
inline constexpr double reduction_limit = 1e5;

inline SinCos sincos(const Lane& x) {
    const Lane quarter = bits::nearest_integer(x * (2 / std::numbers::pi));
    const Lane r =
        ((x - quarter * 1.57079632673412561417e+00) - quarter * 6.07710050630396597660e-11) -
        quarter * 2.02226624879595063154e-21;
    return turn_by_quarters(r, quarter);
}

// Beyond the limit of the reduction the C library answers, element by element.
template <class F>
Lane with_far_arguments(const Lane& x, const Lane& value, F&& scalar) {
    const auto near = abs(x) < reduction_limit;
    if (all(near)) return value;
    return select(near, value, lane_map(scalar, x));
}

}  // namespace detail

inline Lane sin(const Lane& x) {
    const Lane value = select(x != 0., detail::sincos(x).sin, x);
    return detail::with_far_arguments(x, value, [](double v) { return std::sin(v); });
}

inline Lane cos(const Lane& x) {
    return detail::with_far_arguments(x, detail::sincos(x).cos,
                                      [](double v) { return std::cos(v); });
}

inline Lane tan(const Lane& x) {
    const auto [s, c] = detail::sincos(x);
    const Lane value = select(x != 0., s / c, x);
    return detail::with_far_arguments(x, value, [](double v) { return std::tan(v); });
}

inline Direction<Lane> direction(const Lane& x) {
    const Lane quarter = bits::nearest_integer(4. * x);
    const auto [s, c] =
        detail::turn_by_quarters((x - 0.25 * quarter) * (2 * std::numbers::pi), quarter);
    return {c, s};
}

// Angle of the point (x, y) in the first quadrant; the rational function of Cephes' atan.c.
inline Lane first_quadrant_angle(const Lane& y, const Lane& x) {
    static constexpr double numerator[] = {-6.485021904942025371773e1, -1.228866684490136173410e2,
                                           -7.500855792314704667340e1, -1.615753718733365076637e1,
                                           -8.750608600031904122785e-1};
    static constexpr double denominator[] = {1.945506571482613964425e2, 4.853903996359136964868e2,
                                             4.328810604912902668951e2, 1.650270098316988542046e2,
                                             2.485846490142306297962e1, 1.0};
    static constexpr double half_pi = std::numbers::pi / 2;
    static constexpr double half_pi_low = 6.123233995736765886130e-17;
    const auto steep = y > 2.41421356237309504880 * x;
    const auto middle = y > 0.66 * x && !steep;
    const Lane above = select(steep, -x, select(middle, y - x, y));
    const Lane below = select(steep, y, select(middle, y + x, x));
    const Lane t = select(below > 0., above / below, above);
    const Lane z = t * t;
    const Lane offset = select(steep, Lane(half_pi), select(middle, Lane(half_pi / 2), Lane(0.)));
    const Lane offset_low =
        select(steep, Lane(half_pi_low), select(middle, Lane(half_pi_low / 2), Lane(0.)));
    const Lane series = t * (z * polynomial(z, numerator) / polynomial(z, denominator));
    return offset + ((series + offset_low) + t);
}

inline Lane atan(const Lane& x) {
    const Lane clamped = min(abs(x), Lane(1e300));
    return select(x == x && x != 0., copysign(first_quadrant_angle(clamped, Lane(1.)), x), x);
}

// Signs of zeros and quadrants as the C library; arguments beyond 10^300 count as 10^300.
inline Lane atan2(const Lane& y, const Lane& x) {
    const Lane limit(1e300);
    // Out of the denormals.
    const Lane scale = select(max(abs(y), abs(x)) < 1e-290, Lane(0x1p300), Lane(1.));
    const Lane angle = first_quadrant_angle(min(abs(y), limit) * scale, min(abs(x), limit) * scale);
    const auto left = copysign(Lane(1.), x) < 0.;
    const Lane turned =
        select(left, Lane(std::numbers::pi) - (angle - 1.2246467991473532e-16), angle);
    return select(x == x && y == y, copysign(turned, y), Lane(detail::nan));
}

inline Lane asinh(const Lane& x) {
    const Lane a = abs(x);
    const Lane near = log1p(a + a * a / (1. + sqrt(a * a + 1.)));
    const Lane value = select(a < 1e8, near, log(a) + std::numbers::ln2);
    return select(x != 0., copysign(value, x), x);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

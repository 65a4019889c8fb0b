// Waves of sixteen components, those of spin 2 and 3/2: external states by adding spins, and
// numerators of massive propagators in unitary gauge.
#pragma once

#include <type_traits>

#include "waves/vertices.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// T^{mu nu}, row mu, or a vector of spinors.
template <class T>
struct WideWave {
    Wave<T> row[4];
};

// Whether they are computed: not by a thread of a GPU, where they would take registers in all
// tapes.
template <class T>
inline constexpr bool has_wide_waves = !std::is_same_v<T, double> && !std::is_same_v<T, float>;

template <class T>
MADNIS_FN Wave<T> zero_wave() {
    const Complex<T> zero = {T(0), T(0)};
    return {{zero, zero, zero, zero}};
}

template <class T>
MADNIS_FN FourVector<T> opposite(const FourVector<T>& p) {
    const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
    return nothing - p;
}

// wave += factor * a^mu b
template <class T>
MADNIS_FN void add_product(WideWave<T>& wave, const T& factor, const Wave<T>& a, const Wave<T>& b) {
    for (int mu = 0; mu < 4; ++mu) add(wave.row[mu], Complex<T>(factor * a.c[mu]), b);
}

template <class T>
MADNIS_FN WideWave<T> zero_wide() {
    const auto zero = zero_wave<T>();
    return {{zero, zero, zero, zero}};
}

// Incoming particle of spin 2, helicity -2 ... 2, from two polarisations of spin 1.
template <class T>
MADNIS_FN WideWave<T> tensor_state(const FourVector<T>& p, const T& mass, int helicity) {
    const Axis<T> axis(p);
    auto wave = zero_wide<T>();
    const auto state = [&](int one) { return polarisation(axis, p, mass, one); };
    const auto add_states = [&](double factor, int one, int two) {
        add_product(wave, constant<T>(factor), state(one), state(two));
    };
    constexpr double root_half = std::numbers::sqrt2 / 2;
    constexpr double root_sixth = root_half / std::numbers::sqrt3;
    if (helicity == 0) {
        add_states(root_sixth, 1, -1);
        add_states(root_sixth, -1, 1);
        add_states(2 * root_sixth, 0, 0);
    } else if (helicity == 1 || helicity == -1) {
        add_states(root_half, helicity, 0);
        add_states(root_half, 0, helicity);
    } else {
        add_states(1, helicity / 2, helicity / 2);
    }
    return wave;
}

// u^mu(p) of a particle of spin 3/2, helicity -3 ... 3 in units of 1/2, from spin 1 and 1/2.
template <class T>
MADNIS_FN WideWave<T> vector_spinor(const FourVector<T>& p, const T& mass, int helicity) {
    const Axis<T> axis(p);
    const SpinorFrame<T> frame(p, mass);
    const int side = helicity > 0 ? 1 : -1;
    auto wave = zero_wide<T>();
    const auto across = polarisation(axis, p, T(abs(mass)), side);
    if (helicity == 3 * side) {
        add_product(wave, T(1), across, spinor(frame, side, true));
        return wave;
    }
    // Spinors and polarisations are turned from the z axis alike where n_z >= 0; below, their
    // phases differ by a sign between the helicities.
    constexpr double root_third = 1 / std::numbers::sqrt3;
    const T sign = select(axis.z >= T(0), constant<T>(root_third), constant<T>(-root_third));
    add_product(wave, sign, across, spinor(frame, -side, true));
    const auto along = polarisation(axis, p, T(abs(mass)), 0);
    add_product(wave, constant<T>(root_third * std::numbers::sqrt2), along,
                spinor(frame, side, true));
    return wave;
}

template <class T>
MADNIS_FN WideWave<T> conjugate(const WideWave<T>& wave) {
    return {{conjugate(wave.row[0]), conjugate(wave.row[1]), conjugate(wave.row[2]),
             conjugate(wave.row[3])}};
}

template <class T>
MADNIS_FN WideWave<T> conjugate_spinor(const WideWave<T>& wave) {
    return {{conjugate_spinor(wave.row[0]), conjugate_spinor(wave.row[1]),
             conjugate_spinor(wave.row[2]), conjugate_spinor(wave.row[3])}};
}

// C psi-bar^T of rows psi-bar: v^mu from u-bar^mu.
template <class T>
MADNIS_FN WideWave<T> charge_conjugate(const WideWave<T>& rows) {
    WideWave<T> wave = rows;
    for (int mu = 0; mu < 4; ++mu) {
        const auto& bar = rows.row[mu];
        wave.row[mu] = {{-bar.c[1], bar.c[0], bar.c[3], -bar.c[2]}};
    }
    return wave;
}

// p_mu wave^mu
template <class T>
MADNIS_FN Wave<T> along(const FourVector<T>& p, const WideWave<T>& wave) {
    auto sum = zero_wave<T>();
    add(sum, p.e, wave.row[0]);
    add(sum, T(-p.x), wave.row[1]);
    add(sum, T(-p.y), wave.row[2]);
    add(sum, T(-p.z), wave.row[3]);
    return sum;
}

// Minus sum T^{mu nu} T*^{alpha beta} of massive spin 2, off the mass shell as well:
// P^{mu alpha} P^{nu beta} symmetrised less P^{mu nu} P^{alpha beta} / 3, P = -g + p p / M^2.
template <class T>
MADNIS_FN WideWave<T> tensor_numerator(const FourVector<T>& p, const T& mass,
                                       const WideWave<T>& g) {
    const T inverse = T(1) / (mass * mass);
    const T q[4] = {p.e, p.x, p.y, p.z};
    WideWave<T> projected;
    const auto rows = along(p, g);
    for (int mu = 0; mu < 4; ++mu) {
        auto row = g.row[mu];
        add(row, T(-inverse * q[mu]), rows);
        projected.row[mu] = unitary_gauge(p, mass, row);
    }
    const auto trace = g.row[0].c[0] - g.row[1].c[1] - g.row[2].c[2] - g.row[3].c[3];
    const auto scalar =
        constant<T>(1. / 3) * Complex<T>(Complex<T>(inverse * dot(p, rows)) - trace);
    WideWave<T> wave;
    const T half = constant<T>(-0.5);
    for (int mu = 0; mu < 4; ++mu) {
        for (int nu = 0; nu < 4; ++nu) {
            T projector = inverse * q[mu] * q[nu];
            if (mu == nu) projector = mu == 0 ? T(projector - T(1)) : T(projector + T(1));
            wave.row[mu].c[nu] =
                half * Complex<T>(projected.row[mu].c[nu] + projected.row[nu].c[mu]) +
                projector * scalar;
        }
    }
    return wave;
}

// gamma^mu psi
template <class T>
MADNIS_FN Wave<T> gamma_on(int mu, const Wave<T>& psi) {
    const auto& c = psi.c;
    switch (mu) {
        case 0: return {{c[2], c[3], c[0], c[1]}};
        case 1: return {{c[3], c[2], -c[1], -c[0]}};
        case 2: return {{-times_i(c[3]), times_i(c[2]), times_i(c[1]), -times_i(c[0])}};
        default: return {{c[2], -c[3], -c[0], c[1]}};
    }
}

// psi gamma^mu of a row
template <class T>
MADNIS_FN Wave<T> gamma_after(const Wave<T>& psi, int mu) {
    const auto& c = psi.c;
    switch (mu) {
        case 0: return {{c[2], c[3], c[0], c[1]}};
        case 1: return {{-c[3], -c[2], c[1], c[0]}};
        case 2: return {{-times_i(c[3]), times_i(c[2]), times_i(c[1]), -times_i(c[0])}};
        default: return {{-c[2], c[3], c[0], -c[1]}};
    }
}

// (p-slash + m) (psi^mu - gamma^mu (s + q / m) / 3 + p^mu (s - 2 q / m) / (3 m)), where
// s = gamma.psi and q = p.psi: minus sum u^mu u-bar^nu of massive spin 3/2, off the mass shell as
// well. p along the arrow of the line.
template <class T>
MADNIS_FN WideWave<T> vector_spinor_numerator(const FourVector<T>& p, const T& mass,
                                              const WideWave<T>& psi) {
    const T inverse = T(1) / mass, third = constant<T>(1. / 3);
    const T q[4] = {p.e, p.x, p.y, p.z};
    auto trace = gamma_on(0, psi.row[0]);
    for (int mu = 1; mu < 4; ++mu) add(trace, T(-1), gamma_on(mu, psi.row[mu]));
    const auto contracted = along(p, psi);
    auto of_gamma = times(T(-third), trace);
    add(of_gamma, T(-third * inverse), contracted);
    auto of_momentum = times(T(third * inverse), trace);
    add(of_momentum, T(T(-2) * third * inverse * inverse), contracted);
    WideWave<T> wave;
    for (int mu = 0; mu < 4; ++mu) {
        auto inside = psi.row[mu];
        add(inside, T(1), gamma_on(mu, of_gamma));
        add(inside, q[mu], of_momentum);
        wave.row[mu] = times(T(-1), fermion_numerator(p, mass, inside));
    }
    return wave;
}

// The same for rows from the right, -p along the arrow of the line.
template <class T>
MADNIS_FN WideWave<T> vector_spinor_numerator_left(const FourVector<T>& momentum, const T& mass,
                                                   const WideWave<T>& psi) {
    const auto p = opposite(momentum);
    const T inverse = T(1) / mass, third = constant<T>(1. / 3);
    const T q[4] = {p.e, p.x, p.y, p.z};
    WideWave<T> wave;
    for (int mu = 0; mu < 4; ++mu) {
        wave.row[mu] = times(T(-1), fermion_numerator_left(p, mass, psi.row[mu]));
    }
    auto trace = gamma_after(wave.row[0], 0);
    for (int mu = 1; mu < 4; ++mu) add(trace, T(-1), gamma_after(wave.row[mu], mu));
    const auto contracted = along(p, wave);
    auto of_gamma = times(T(-third), trace);
    add(of_gamma, T(third * inverse), contracted);
    auto of_momentum = times(T(-third * inverse), trace);
    add(of_momentum, T(T(-2) * third * inverse * inverse), contracted);
    for (int mu = 0; mu < 4; ++mu) {
        add(wave.row[mu], T(1), gamma_after(of_gamma, mu));
        add(wave.row[mu], q[mu], of_momentum);
    }
    return wave;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// Runs a tape over one group of events, lane by lane the same: currents first, then what is made of
// them.
#pragma once

#include "amplitudes/tape.hpp"
#include "amplitudes/vertices.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_INLINE Wave<T> read_wave(const T* data) {
    Wave<T> wave;
    for (int mu = 0; mu < 4; ++mu) wave.c[mu] = {data[2 * mu], data[2 * mu + 1]};
    return wave;
}

template <class T>
MADNIS_INLINE Wave<T> read_scalar(const T* data) {
    Wave<T> wave;
    wave.c[0] = {data[0], data[1]};
    return wave;
}

template <class T>
MADNIS_INLINE void write_wave(T* data, const Wave<T>& wave) {
    for (int mu = 0; mu < 4; ++mu) {
        data[2 * mu] = wave.c[mu].re;
        data[2 * mu + 1] = wave.c[mu].im;
    }
}

// An instance of a current; returns where the next one goes.
template <class T>
MADNIS_INLINE T* write_instance(WaveKind kind, T* data, const Wave<T>& wave) {
    if (kind != WaveKind::scalar) {
        write_wave(data, wave);
        return data + wave_numbers;
    }
    data[0] = wave.c[0].re;
    data[1] = wave.c[0].im;
    return data + scalar_numbers;
}

// The currents of one group of events.
//
// `momenta` has room for n_legs + n_momenta four-vectors, `propagators` for n_propagators numbers.
template <class T>
class CurrentsRunner {
public:
    CurrentsRunner(const CurrentsSpec& spec, T* workspace, FourVector<T>* momenta,
                   Complex<T>* propagators)
        : spec_(spec), memory_(workspace), momenta_(momenta), propagators_(propagators) {}

    // `physical` holds the momenta of the legs as they are, `helicities` those chosen per event
    // (or null).
    void run(const FourVector<T>* physical, const T* helicities) {
        for (int k = 0; k < zero_numbers; ++k) memory_[k] = T(0);
        for (std::size_t begin = 0, end = 0; begin < spec_.n_externals; begin = end) {
            while (end < spec_.n_externals &&
                   spec_.externals[end].leg == spec_.externals[begin].leg) {
                ++end;
            }
            leg(begin, end, physical, helicities);
        }
        const FourVector<T>* legs = momenta_;
        for (std::size_t k = 0; k < spec_.n_momenta; ++k) {
            const auto& row = spec_.momenta[k];
            momenta_[spec_.n_legs + k] = legs[row.a] + legs[row.b];
        }
        for (std::size_t k = 0; k < spec_.n_propagators; ++k) {
            const auto& row = spec_.propagators[k];
            propagators_[k] = propagator(momenta_[row.momentum], real_constant(row.mass),
                                         real_constant(row.width));
        }
        for (std::size_t k = 0; k < spec_.n_nodes; ++k) node(spec_.nodes[k]);
    }

private:
    T real_constant(std::int32_t index) const { return constant<T>(spec_.constants[2 * index]); }

    // All states of one leg, rows [begin, end).
    void leg(std::size_t begin, std::size_t end, const FourVector<T>* physical,
             const T* helicities) {
        const auto& row = spec_.externals[begin];
        const auto& p = physical[row.leg];
        const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
        momenta_[row.leg] = row.incoming ? p : nothing - p;
        const T mass = real_constant(row.mass);
        const auto store_states = [&](const auto& wavefunction) {
            for (std::size_t k = begin; k < end; ++k) {
                const auto helicity = spec_.externals[k].helicity;
                const bool chosen = helicity == chosen_helicity;
                write_instance(WaveKind(row.kind), memory_ + spec_.externals[k].offset,
                               chosen ? chosen_state(row, wavefunction, helicities[row.leg])
                                      : wavefunction(helicity));
            }
        };
        switch (WaveKind(row.kind)) {
            case WaveKind::scalar: return store_states([](int) { return unit_scalar<T>(); });
            case WaveKind::vector: {
                const Axis<T> axis(p);
                return store_states([&](int helicity) {
                    if (helicity == momentum_helicity) return direction(p);
                    const auto wave = polarisation(axis, p, mass, helicity);
                    return row.incoming ? wave : conjugate(wave);
                });
            }
            default: {
                const SpinorFrame<T> frame(p, mass);
                return store_states([&](int helicity) {
                    const auto wave = spinor(frame, helicity, !row.antiparticle);
                    return WaveKind(row.kind) == WaveKind::ket ? wave : conjugate_spinor(wave);
                });
            }
        }
    }

    // The state that each event asks for.
    template <class Wavefunction>
    static Wave<T> chosen_state(const ExternalRow& row, const Wavefunction& wavefunction,
                                const T& wanted) {
        Wave<T> chosen = wavefunction(row.spin == 0 ? 0 : -1);
        for (int state = row.spin == 2 ? 0 : 1; row.spin > 0 && state <= 1; ++state) {
            const auto other = wavefunction(state);
            const auto here = wanted == T(state);
            for (int mu = 0; mu < 4; ++mu) {
                chosen.c[mu] = {select(here, other.c[mu].re, chosen.c[mu].re),
                                select(here, other.c[mu].im, chosen.c[mu].im)};
            }
        }
        return chosen;
    }

    void node(const NodeRow& row) {
        T* out = memory_ + row.offset;
        const TermRow* terms = spec_.terms + row.first_term;
        for (std::int32_t instance = 0; instance < row.instances; ++instance) {
            const Complex<T> zero = {T(0), T(0)};
            Wave<T> sum = {{zero, zero, zero, zero}};
            for (std::int32_t k = 0; k < row.terms; ++k) {
                const std::int32_t* children = spec_.index + terms[k].index + 3 * instance;
                if (children[0] < 0) continue;
                if (terms[k].complex) {
                    term(terms[k], children, complex_coefficients(terms[k]), sum);
                } else {
                    term(terms[k], children, real_coefficients(terms[k]), sum);
                }
            }
            finish(row, sum);
            out = write_instance(WaveKind(row.kind), out, sum);
        }
    }

    template <class Factor>
    struct Coefficients {
        Factor c[3];
        Chiral<Factor> chiral() const { return {c[0], c[1]}; }
    };

    Coefficients<T> real_coefficients(const TermRow& term) const {
        const double* c = spec_.constants + 2 * term.coefficient;
        return {{constant<T>(c[0]), constant<T>(c[2]), constant<T>(c[4])}};
    }

    Coefficients<Complex<T>> complex_coefficients(const TermRow& term) const {
        const double* c = spec_.constants + 2 * term.coefficient;
        return {{{constant<T>(c[0]), constant<T>(c[1])},
                 {constant<T>(c[2]), constant<T>(c[3])},
                 {constant<T>(c[4]), constant<T>(c[5])}}};
    }

    template <class Factor>
    MADNIS_INLINE void term(const TermRow& row, const std::int32_t* child,
                            const Coefficients<Factor>& g, Wave<T>& sum) const {
        const auto wave = [&](std::int32_t offset, int k) __attribute__((always_inline)) {
            return read_wave(memory_ + offset + wave_numbers * child[k]);
        };
        const auto number = [&](std::int32_t offset, int k) __attribute__((always_inline)) {
            return read_scalar(memory_ + offset + scalar_numbers * child[k]);
        };
        const auto scaled = [&](const Complex<T>& factor, const Wave<T>& a) {
            add(sum, factor, a);
        };
        switch (Operation(row.operation)) {
            case Operation::ffv_vector:
                return ffv_vector(sum, g.chiral(), wave(row.a, 0), wave(row.b, 1));
            case Operation::ffv_ket:
                return ffv_ket(sum, g.chiral(), wave(row.a, 0), wave(row.b, 1));
            case Operation::ffv_bra:
                return ffv_bra(sum, g.chiral(), wave(row.a, 0), wave(row.b, 1));
            case Operation::ffs_scalar:
                return ffs_scalar(sum, g.chiral(), wave(row.a, 0), wave(row.b, 1));
            case Operation::ffs_ket:
            case Operation::ffs_bra:
                return ffs_spinor(sum, g.chiral(), wave(row.a, 0), number(row.b, 1));
            case Operation::vvv:
                return vvv(sum, g.c[0], wave(row.a, 0), momenta_[row.momentum_a], wave(row.b, 1),
                           momenta_[row.momentum_b]);
            case Operation::vvvv:
                return vvvv(sum, g.c, wave(row.a, 0), wave(row.b, 1), wave(row.c, 2));
            case Operation::vvs_scalar:
                sum.c[0] += g.c[0] * dot(wave(row.a, 0), wave(row.b, 1));
                return;
            case Operation::vvs_vector:
                return scaled(g.c[0] * number(row.b, 1).c[0], wave(row.a, 0));
            case Operation::vvss_scalar:
                sum.c[0] += g.c[0] *
                            Complex<T>(dot(wave(row.a, 0), wave(row.b, 1)) * number(row.c, 2).c[0]);
                return;
            case Operation::vvss_vector:
                return scaled(g.c[0] * Complex<T>(number(row.b, 1).c[0] * number(row.c, 2).c[0]),
                              wave(row.a, 0));
            case Operation::sss:
                sum.c[0] += g.c[0] * Complex<T>(number(row.a, 0).c[0] * number(row.b, 1).c[0]);
                return;
            case Operation::ssss:
                sum.c[0] +=
                    g.c[0] * Complex<T>(Complex<T>(number(row.a, 0).c[0] * number(row.b, 1).c[0]) *
                                        number(row.c, 2).c[0]);
                return;
        }
    }

    MADNIS_INLINE void finish(const NodeRow& row, Wave<T>& sum) const {
        const FourVector<T>& p = momenta_[row.momentum];
        const auto times = [&](const Complex<T>& factor) {
            for (int mu = 0; mu < 4; ++mu) sum.c[mu] = factor * sum.c[mu];
        };
        switch (Finish(row.finish)) {
            case Finish::raw: return;
            case Finish::scalar: sum.c[0] = -(propagators_[row.propagator] * sum.c[0]); return;
            case Finish::vector:
                for (int mu = 0; mu < 4; ++mu) {
                    sum.c[mu] = propagators_[row.propagator].re * sum.c[mu];
                }
                return;
            case Finish::massive_vector:
                sum = unitary_gauge(p, real_constant(row.mass), sum);
                return times(propagators_[row.propagator]);
            case Finish::ket:
                sum = fermion_numerator(p, real_constant(row.mass), sum);
                return times(propagators_[row.propagator]);
            case Finish::bra: {
                const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
                sum = fermion_numerator_left(FourVector<T>(nothing - p), real_constant(row.mass),
                                             sum);
                return times(propagators_[row.propagator]);
            }
        }
    }

    const CurrentsSpec& spec_;
    T* memory_;
    FourVector<T>* momenta_;
    Complex<T>* propagators_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

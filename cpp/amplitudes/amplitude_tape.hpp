// Currents of a tape, run for one event, or for one group of events lane by lane the same.
#pragma once

#include "amplitudes/polarised_propagators.hpp"
#ifndef MADNIS_DEVICE
#include "amplitudes/step_functions.hpp"
#endif
#include "amplitudes/tape.hpp"
#include "phase_space/rest_frames.hpp"
#include "simd/slots.hpp"
#include "waves/vertices.hpp"
#include "waves/wide_waves.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
MADNIS_INLINE Complex<T> read_complex(const Slots<T>& data) {
    return {data[0], data[1]};
}

template <class T>
MADNIS_INLINE void write_complex(const Slots<T>& data, const Complex<T>& z) {
    data[0] = z.re;
    data[1] = z.im;
}

// Four lanes stay where they are: a vertex that read all of its momenta at once would run out of
// registers.
template <class T>
MADNIS_INLINE decltype(auto) read_momentum(const Slots<T>& data) {
    if constexpr (lane_width<T> == 1) {
        return FourVector<T>{data[0], data[1], data[2], data[3]};
    } else {
        return *reinterpret_cast<const FourVector<T>*>(data);
    }
}

template <class T>
MADNIS_INLINE void write_momentum(const Slots<T>& data, const FourVector<T>& p) {
    data[0] = p.e;
    data[1] = p.x;
    data[2] = p.y;
    data[3] = p.z;
}

template <class T>
MADNIS_INLINE Wave<T> read_wave(const Slots<T>& data) {
    Wave<T> wave;
    for (int mu = 0; mu < 4; ++mu) wave.c[mu] = read_complex<T>(data + 2 * mu);
    return wave;
}

template <class T>
MADNIS_INLINE Wave<T> read_scalar(const Slots<T>& data) {
    Wave<T> wave;
    wave.c[0] = read_complex<T>(data);
    return wave;
}

template <class T>
MADNIS_FN WideWave<T> read_wide(const Slots<T>& data) {
    WideWave<T> wave;
    for (int mu = 0; mu < 4; ++mu) wave.row[mu] = read_wave<T>(data + wave_numbers * mu);
    return wave;
}

template <class T>
MADNIS_FN void write_wide(const Slots<T>& data, const WideWave<T>& wave) {
    for (int k = 0; k < 16; ++k) write_complex<T>(data + 2 * k, wave.row[k / 4].c[k % 4]);
}

// g^power of g^2 = 4 pi alpha_s.
template <class T>
MADNIS_FN T power_of(const T& g2, std::int32_t power) {
    T result = T(1);
    for (std::int32_t k = 0; k < power / 2; ++k) result = result * g2;
    return power % 2 == 1 ? T(result * sqrt(g2)) : result;
}

// An instance of a current; returns where the next one goes.
template <class T>
MADNIS_INLINE Slots<T> write_instance(WaveKind kind, const Slots<T>& data, const Wave<T>& wave) {
    if (kind == WaveKind::scalar) {
        write_complex<T>(data, wave.c[0]);
        return data + scalar_numbers;
    }
    for (int mu = 0; mu < 4; ++mu) write_complex<T>(data + 2 * mu, wave.c[mu]);
    return data + wave_numbers;
}

// The currents of one group of events, in areas that it takes of a workspace.
template <class T>
class CurrentsRunner {
public:
    MADNIS_FN CurrentsRunner(const CurrentsSpec& spec, Workspace<T>& workspace)
        : spec_(spec),
          memory_(workspace.take(spec.workspace)),
          momenta_(workspace.take(4 * (spec.n_legs + spec.n_momenta))),
          propagators_(workspace.take(2 * spec.n_propagators)),
          registers_(workspace.take(2 * spec.n_registers)) {}

    // Those of the events [event, event + lanes), `count` of which exist.
    MADNIS_FN void run(const EventInput& input, std::size_t event, std::size_t count) {
        for (std::size_t k = 0; k < spec_.zeros; ++k) memory_[k] = T(0);
        for (std::size_t begin = 0, end = 0; begin < spec_.n_externals; begin = end) {
            while (end < spec_.n_externals &&
                   spec_.externals[end].leg == spec_.externals[begin].leg) {
                ++end;
            }
            leg(begin, end, input, event, count);
        }
        for (std::size_t k = 0; k < spec_.n_momenta; ++k) {
            const auto& row = spec_.momenta[k];
            write_momentum<T>(momenta_ + 4 * (spec_.n_legs + k), momentum(row.a) + momentum(row.b));
        }
        for (std::size_t k = 0; k < spec_.n_propagators; ++k) {
            const auto& row = spec_.propagators[k];
            if (row.degree > 0) {
                write_complex<T>(propagators_ + 2 * k, inverse_polynomial(row));
                continue;
            }
            write_complex<T>(propagators_ + 2 * k,
                             propagator(momentum(row.momentum), real_constant(row.mass),
                                        real_constant(row.width)));
        }
        for (std::size_t k = 0; k < spec_.n_nodes; ++k) node(spec_.nodes[k]);
    }

    // Where the currents are, by the offsets of the tape.
    MADNIS_FN Slots<T> memory() const { return memory_; }

private:
    MADNIS_INLINE T real_constant(std::int32_t index) const {
        return constant<T>(spec_.constants[2 * index]);
    }

    MADNIS_INLINE decltype(auto) momentum(std::int32_t index) const {
        return read_momentum<T>(momenta_ + 4 * index);
    }

    MADNIS_OUT_OF_LINE Complex<T> inverse_polynomial(const PropagatorRow& row) const {
        const auto p = momentum(row.momentum);
        const T square = dot(p, p);
        Complex<T> sum = {T(0), T(0)};
        for (std::int32_t k = row.degree; k >= 0; --k) {
            const double* c = spec_.constants + 2 * (row.first + k);
            sum = Complex<T>{constant<T>(c[0]), constant<T>(c[1])} + Complex<T>(square * sum);
        }
        return T(T(1) / norm(sum)) * conj(sum);
    }

    // All states of one leg, rows [begin, end).
    MADNIS_FN void leg(std::size_t begin, std::size_t end, const EventInput& input,
                       std::size_t event, std::size_t count) {
        const auto& row = spec_.externals[begin];
        const auto p = momentum_of(row.leg, input.p, event, count);
        const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
        write_momentum<T>(momenta_ + 4 * row.leg, row.incoming ? p : nothing - p);
        const T mass = real_constant(row.mass);
        const auto store_states = [&](const auto& wavefunction) {
            for (std::size_t k = begin; k < end; ++k) {
                const auto& state = spec_.externals[k];
                const bool chosen = state.helicity == chosen_helicity;
                auto wave = chosen ? chosen_state(row, wavefunction, input, event, count)
                                   : wavefunction(state.helicity);
                if (state.scale >= 0) wave = times(real_constant(state.scale), wave);
                write_instance<T>(WaveKind(row.kind), memory_ + state.offset, wave);
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
            case WaveKind::tensor:
            case WaveKind::vector_ket:
            case WaveKind::vector_bra:
                if constexpr (has_wide_waves<T>) wide_leg(begin, end, p, input, event, count);
                return;
            default: {
                const SpinorFrame<T> frame(p, mass);
                return store_states([&](int helicity) {
                    const auto wave = spinor(frame, helicity, !row.antiparticle);
                    return WaveKind(row.kind) == WaveKind::ket ? wave : conjugate_spinor(wave);
                });
            }
        }
    }

    // The same of spin 2 and 3/2.
    MADNIS_OUT_OF_LINE void wide_leg(std::size_t begin, std::size_t end, const FourVector<T>& p,
                                     const EventInput& input, std::size_t event,
                                     std::size_t count) {
        for (std::size_t k = begin; k < end; ++k) {
            const auto& row = spec_.externals[k];
            WideWave<T> wave;
            if (row.helicity == chosen_helicity) {
                const T wanted = load_strided<T>(input.helicities.at(event, row.leg),
                                                 input.helicities.event_stride, count);
                const int most = WaveKind(row.kind) == WaveKind::tensor ? 2 : 3;
                wave = zero_wide<T>();
                for (int state = -most; state <= most; state += 2 * most / row.spin) {
                    const auto here = select(wanted == T(state), T(1), T(0));
                    const auto other = wide_state(row, p, state);
                    for (int mu = 0; mu < 4; ++mu) add(wave.row[mu], here, other.row[mu]);
                }
            } else {
                wave = wide_state(row, p, row.helicity);
            }
            if (row.scale >= 0) {
                for (auto& one : wave.row) one = times(real_constant(row.scale), one);
            }
            write_wide<T>(memory_ + row.offset, wave);
        }
    }

    MADNIS_FN WideWave<T> wide_state(const ExternalRow& row, const FourVector<T>& p,
                                     int helicity) const {
        const T mass = real_constant(row.mass);
        if (WaveKind(row.kind) == WaveKind::tensor) {
            const auto wave = tensor_state(p, mass, helicity);
            return row.incoming ? wave : conjugate(wave);
        }
        auto wave = vector_spinor(p, mass, helicity);
        if (row.antiparticle) wave = charge_conjugate(conjugate_spinor(wave));
        return WaveKind(row.kind) == WaveKind::vector_ket ? wave : conjugate_spinor(wave);
    }

    // The momentum of a leg in the frame that defines helicities.
    MADNIS_FN FourVector<T> momentum_of(std::int32_t leg, const ConstBatch& p, std::size_t event,
                                        std::size_t count) const {
        const auto momentum = load_momentum<T>(p, leg, event, count);
        if (spec_.n_frame == 0) return momentum;
        auto total = load_momentum<T>(p, spec_.frame[0], event, count);
        for (std::size_t k = 1; k < spec_.n_frame; ++k) {
            total = total + load_momentum<T>(p, spec_.frame[k], event, count);
        }
        return at_rest(momentum, total, T(sqrt(dot(total, total))));
    }

    // The state that each event asks for.
    template <class Wavefunction>
    MADNIS_FN static Wave<T> chosen_state(const ExternalRow& row, const Wavefunction& wavefunction,
                                          const EventInput& input, std::size_t event,
                                          std::size_t count) {
        const T wanted = load_strided<T>(input.helicities.at(event, row.leg),
                                         input.helicities.event_stride, count);
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

    MADNIS_FN void node(const NodeRow& row) {
        Slots<T> out = memory_ + row.offset;
        const TermRow* terms = spec_.terms + row.first_term;
        if (row.terms > 0 && Operation(terms[0].operation) == Operation::tensor) {
            return general_node(row);
        }
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
            out = write_instance<T>(WaveKind(row.kind), out, sum);
        }
    }

    // A node of any kind whose terms are programs.
    MADNIS_OUT_OF_LINE void general_node(const NodeRow& row) {
        const auto kind = WaveKind(row.kind);
        Slots<T> out = memory_ + row.offset;
        for (std::int32_t instance = 0; instance < row.instances; ++instance) {
            for (std::int32_t k = 0; k < numbers_of(kind); ++k) out[k] = T(0);
            for (std::int32_t k = 0; k < row.terms; ++k) {
                const TermRow& term = spec_.terms[row.first_term + k];
                const auto& program = spec_.programs[term.b];
                const std::int32_t* child = spec_.index + term.index + program.children * instance;
                if (child[0] >= 0) run_program(program, term, child, out);
            }
            if (numbers_of(kind) == wide_numbers) {
                if constexpr (has_wide_waves<T>) finish_wide(row, out);
            } else {
                Wave<T> sum = kind == WaveKind::scalar ? read_scalar<T>(out) : read_wave<T>(out);
                finish(row, sum);
                write_instance<T>(kind, out, sum);
            }
            out = out + numbers_of(kind);
        }
    }

    MADNIS_FN void run_program(const ProgramRow& program, const TermRow& term,
                               const std::int32_t* child, const Slots<T>& out) {
        const OperandRow* operands = spec_.operands + term.a;
        for (std::int32_t k = 0; k < program.loads; ++k) {
            const auto& load = spec_.loads[program.first_load + k];
            write_complex<T>(registers_ + 2 * k, loaded(load, operands, child));
        }
        for (std::int32_t k = 0; k < program.steps; ++k) {
            const auto& step = spec_.steps[program.first_step + k];
#ifndef MADNIS_DEVICE
            if (StepFunction(step.function) != StepFunction::product) {
                if constexpr (has_wide_waves<T>) apply_function(step);
                continue;
            }
#endif
            auto product = read_complex<T>(registers_ + 2 * step.a);
            if (step.b >= 0) product = product * read_complex<T>(registers_ + 2 * step.b);
            product = multiplied(step.number, product);
            const auto target = registers_ + 2 * step.target;
            write_complex<T>(target,
                             step.first ? product : Complex<T>(read_complex<T>(target) + product));
        }
        for (std::int32_t k = 0; k < program.outputs; ++k) {
            const auto& row = spec_.outputs[program.first_output + k];
            const auto value = multiplied(row.number, read_complex<T>(registers_ + 2 * row.source));
            const auto target = out + 2 * row.component;
            write_complex<T>(target, read_complex<T>(target) + multiplied(term.coefficient, value));
        }
    }

#ifndef MADNIS_DEVICE
    void apply_function(const StepRow& step) {
        const auto function = StepFunction(step.function);
        const auto a = read_complex<T>(registers_ + 2 * step.a);
        const auto target = registers_ + 2 * step.target;
        if (function != StepFunction::choice) {
            return write_complex<T>(target, step_function_of<T>(function, a));
        }
        const auto kept = read_complex<T>(target), other = read_complex<T>(registers_ + 2 * step.b);
        const auto taken = a.re > T(0);
        write_complex<T>(target,
                         {select(taken, other.re, kept.re), select(taken, other.im, kept.im)});
    }
#endif

    MADNIS_FN Complex<T> loaded(const LoadRow& row, const OperandRow* operands,
                                const std::int32_t* child) const {
        if (row.child < 0) return {T(1), T(0)};
        const auto& operand = operands[row.child];
        if (row.component >= momentum_component) {
            return {momenta_[4 * operand.momentum + row.component - momentum_component], T(0)};
        }
        return read_complex<T>(memory_ + operand.offset + operand.numbers * child[row.child] +
                               2 * row.component);
    }

    // A constant times a number.
    MADNIS_FN Complex<T> multiplied(std::int32_t index, const Complex<T>& number) const {
        const double* c = spec_.constants + 2 * index;
        if (c[1] == 0) return c[0] == 1 ? number : Complex<T>(constant<T>(c[0]) * number);
        return Complex<T>{constant<T>(c[0]), constant<T>(c[1])} * number;
    }

    // The propagators of spin 2 and 3/2.
    MADNIS_FN void finish_wide(const NodeRow& row, const Slots<T>& data) const {
        if (Finish(row.finish) == Finish::raw) return;
        const auto factor = read_complex<T>(propagators_ + 2 * row.propagator);
        const auto p = momentum(row.momentum);
        const T mass = real_constant(row.mass);
        WideWave<T> wave = read_wide<T>(data);
        switch (Finish(row.finish)) {
            case Finish::factor: break;
            case Finish::tensor: wave = tensor_numerator(p, mass, wave); break;
            case Finish::vector_ket: wave = vector_spinor_numerator(p, mass, wave); break;
            default: wave = vector_spinor_numerator_left(p, mass, wave);
        }
        for (auto& one : wave.row) one = times(factor, one);
        write_wide<T>(data, wave);
    }

    template <class Factor>
    struct Coefficients {
        Factor c[3];
        MADNIS_FN Chiral<Factor> chiral() const { return {c[0], c[1]}; }
    };

    MADNIS_FN Coefficients<T> real_coefficients(const TermRow& term) const {
        const double* c = spec_.constants + 2 * term.coefficient;
        return {{constant<T>(c[0]), constant<T>(c[2]), constant<T>(c[4])}};
    }

    MADNIS_FN Coefficients<Complex<T>> complex_coefficients(const TermRow& term) const {
        const double* c = spec_.constants + 2 * term.coefficient;
        return {{{constant<T>(c[0]), constant<T>(c[1])},
                 {constant<T>(c[2]), constant<T>(c[3])},
                 {constant<T>(c[4]), constant<T>(c[5])}}};
    }

    template <class Factor>
    MADNIS_INLINE void term(const TermRow& row, const std::int32_t* child,
                            const Coefficients<Factor>& g, Wave<T>& sum) const {
        const auto wave = [&](std::int32_t offset, int k) MADNIS_INLINE_LAMBDA {
            return read_wave<T>(memory_ + offset + wave_numbers * child[k]);
        };
        const auto number = [&](std::int32_t offset, int k) MADNIS_INLINE_LAMBDA {
            return read_scalar<T>(memory_ + offset + scalar_numbers * child[k]);
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
                return vvv(sum, g.c[0], wave(row.a, 0), momentum(row.momentum_a), wave(row.b, 1),
                           momentum(row.momentum_b));
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
            case Operation::vss_scalar:
                sum.c[0] += g.c[0] * vss_scalar(wave(row.a, 0), momentum(row.momentum_a),
                                                number(row.b, 1).c[0], momentum(row.momentum_b));
                return;
            case Operation::vss_vector: {
                const FourVector<T> d = momentum(row.momentum_a) - momentum(row.momentum_b);
                const Complex<T> phi =
                    g.c[0] * Complex<T>(number(row.a, 0).c[0] * number(row.b, 1).c[0]);
                sum.c[0] += d.e * phi;
                sum.c[1] += d.x * phi;
                sum.c[2] += d.y * phi;
                sum.c[3] += d.z * phi;
                return;
            }
            case Operation::tensor: return;  // in `general_node`
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
        const auto factor = [&]() MADNIS_INLINE_LAMBDA {
            return read_complex<T>(propagators_ + 2 * row.propagator);
        };
        const auto multiply = [&]() MADNIS_INLINE_LAMBDA {
            const auto z = factor();
            for (int mu = 0; mu < 4; ++mu) sum.c[mu] = z * sum.c[mu];
        };
        switch (Finish(row.finish)) {
            case Finish::raw: return;
            case Finish::scalar: sum.c[0] = -(factor() * sum.c[0]); return;
            case Finish::vector: {
                const T real = factor().re;
                for (int mu = 0; mu < 4; ++mu) sum.c[mu] = real * sum.c[mu];
                return;
            }
            case Finish::massive_vector:
                sum = unitary_gauge(momentum(row.momentum), real_constant(row.mass), sum);
                return multiply();
            case Finish::ket:
                sum = fermion_numerator(momentum(row.momentum), real_constant(row.mass), sum);
                return multiply();
            case Finish::bra: {
                const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
                sum = fermion_numerator_left(FourVector<T>(nothing - momentum(row.momentum)),
                                             real_constant(row.mass), sum);
                return multiply();
            }
            case Finish::polarised_vector:
                sum = polarised_vector<T>(row.states, row.brings, momentum(row.momentum),
                                          real_constant(row.mass), sum);
                return multiply();
            case Finish::polarised_ket:
                sum = polarised_ket<T>(row.states, row.brings, momentum(row.momentum), sum);
                return multiply();
            case Finish::polarised_bra:
                sum = polarised_bra<T>(row.states, row.brings, momentum(row.momentum), sum);
                return multiply();
            case Finish::factor: return multiply();
            case Finish::complex_vector:
            case Finish::complex_ket:
            case Finish::complex_bra: apply_complex_mass(row, sum); return multiply();
            case Finish::tensor:
            case Finish::vector_ket:
            case Finish::vector_bra: return;  // in `finish_wide`
        }
    }

    // Numerators with a complex mass.
    MADNIS_OUT_OF_LINE void apply_complex_mass(const NodeRow& row, Wave<T>& sum) const {
        const double* c = spec_.constants + 2 * row.mass;
        const Complex<T> mass = {constant<T>(c[0]), constant<T>(c[1])};
        const FourVector<T> p = momentum(row.momentum);
        const FourVector<T> nothing = {T(0), T(0), T(0), T(0)};
        switch (Finish(row.finish)) {
            case Finish::complex_vector: sum = unitary_gauge(p, mass, sum); return;
            case Finish::complex_ket: sum = fermion_numerator(p, mass, sum); return;
            default: sum = fermion_numerator_left(FourVector<T>(nothing - p), mass, sum);
        }
    }

    const CurrentsSpec& spec_;
    Slots<T> memory_;       // instances of the currents
    Slots<T> momenta_;      // four numbers each
    Slots<T> propagators_;  // complex numbers
    Slots<T> registers_;    // of programs, complex numbers
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

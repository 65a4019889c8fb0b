// Tapes run over blocks of events: currents, colour sums, squares of single diagrams.
#include <algorithm>

#include "amplitudes/amplitude_tape.hpp"
#include "amplitudes/tape_kernels.hpp"
#include "runtime/parallel.hpp"
#include "runtime/thread_memory.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

constexpr std::size_t events_per_task = 64;

// Lanes of a thread's memory, handed out one area after the other.
template <class T>
class LaneMemory {
public:
    explicit LaneMemory(std::size_t numbers)
        : next_(static_cast<T*>(thread_memory(ThreadMemory::tile, numbers * sizeof(T)))) {}

    template <class Value = T>
    Value* take(std::size_t count) {
        auto* area = reinterpret_cast<Value*>(next_);
        next_ += count * (sizeof(Value) / sizeof(T));
        return area;
    }

private:
    T* next_;
};

inline std::size_t numbers_of_currents(const CurrentsSpec& spec) {
    return spec.workspace + 4 * (2 * spec.n_legs + spec.n_momenta) + 2 * spec.n_propagators +
           spec.n_legs;
}

// Currents of the events [event, event + lanes), `count` of which exist; returns the workspace.
template <class T>
const T* run_currents(const CurrentsSpec& spec, LaneMemory<T>& memory, const EventInput& input,
                      std::size_t event, std::size_t count) {
    T* workspace = memory.take(spec.workspace);
    auto* momenta = memory.template take<FourVector<T>>(spec.n_legs + spec.n_momenta);
    auto* physical = memory.template take<FourVector<T>>(spec.n_legs);
    auto* propagators = memory.template take<Complex<T>>(spec.n_propagators);
    T* helicities = memory.take(spec.n_legs);
    for (std::size_t leg = 0; leg < spec.n_legs; ++leg) {
        physical[leg] = load_momentum<T>(input.p, leg, event, count);
        if (input.helicities.data != nullptr) {
            helicities[leg] = load_strided<T>(input.helicities.at(event, leg),
                                              input.helicities.event_stride, count);
        }
    }
    CurrentsRunner<T>(spec, workspace, momenta, propagators).run(physical, helicities);
    return workspace;
}

// g^power of g^2 = 4 pi alpha_s.
template <class T>
T power_of(const T& g2, std::int32_t power) {
    T result = T(1);
    for (std::int32_t k = 0; k < power / 2; ++k) result = result * g2;
    return power % 2 == 1 ? T(result * sqrt(g2)) : result;
}

// Hermitian form sum_ab colour_ab Re(conj(column_a) column_b); the elements below the diagonal are
// counted above it.
template <class T>
T colour_sum(const double* colour, const Complex<T>* columns, std::size_t n) {
    constexpr std::size_t block = 4;
    T sum = T(0);
    std::size_t a = 0;
    for (; a + block <= n; a += block) {
        T re[block], im[block];
        for (std::size_t k = 0; k < block; ++k) re[k] = im[k] = T(0);
        for (std::size_t b = a; b < n; ++b) {
            const Complex<T> column = columns[b];
            for (std::size_t k = 0; k < block; ++k) {
                const T element = constant<T>(colour[(a + k) * n + b]);
                re[k] += element * column.re;
                im[k] += element * column.im;
            }
        }
        for (std::size_t k = 0; k < block; ++k) {
            sum += columns[a + k].re * re[k] + columns[a + k].im * im[k];
        }
    }
    for (; a < n; ++a) {
        for (std::size_t b = a; b < n; ++b) {
            sum += constant<T>(colour[a * n + b]) *
                   (columns[a].re * columns[b].re + columns[a].im * columns[b].im);
        }
    }
    return sum;
}

template <class T>
class AmplitudeRunner {
public:
    AmplitudeRunner(const AmplitudeSpec& spec, const EventInput& input,
                    const AmplitudeOutput& output)
        : spec_(spec), input_(input), output_(output) {}

    static std::size_t numbers(const AmplitudeSpec& spec) {
        return numbers_of_currents(spec.currents) + 2 * (spec.n_amplitudes + spec.n_columns) +
               spec.n_columns;
    }

    void run(std::size_t event, std::size_t count) {
        LaneMemory<T> memory(numbers(spec_));
        workspace_ = run_currents<T>(spec_.currents, memory, input_, event, count);
        amplitudes_ = memory.template take<Complex<T>>(spec_.n_amplitudes);
        if (spec_.assembly) assembled_ = memory.template take<Complex<T>>(spec_.n_columns);
        T* squares = memory.take(spec_.n_columns);
        for (std::size_t k = 0; k < spec_.n_columns; ++k) squares[k] = T(0);
        g2_ = constant<T>(four_pi) * load<T>(input_.alpha_s + event, count);
        const T scale = constant<T>(spec_.average) * power_of(g2_, 2 * spec_.power);

        T total = T(0);
        for (std::size_t h = 0; h < spec_.n_helicities; ++h) {
            contract_all(spec_.instances + h * spec_.n_contracted);
            const Complex<T>* columns = spec_.assembly ? assembled() : amplitudes_;
            const T square = colour_sum(spec_.colour, columns, spec_.n_columns);
            total += square;
            if (output_.helicities.data) {
                store_strided(output_.helicities.at(event, h), output_.helicities.event_stride,
                              T(scale * square), count);
            }
            if (output_.flows.data) {
                for (std::size_t k = 0; k < spec_.n_columns; ++k) squares[k] += norm(columns[k]);
            }
        }
        store(output_.me2 + event, T(scale * total), count);
        if (output_.flows.data) store_flows(squares, event, count);
    }

private:
    void contract_all(const std::int32_t* offsets) {
        for (std::size_t k = 0; k < spec_.n_amplitudes; ++k) amplitudes_[k] = {T(0), T(0)};
        for (std::size_t k = 0; k < spec_.n_contractions;) {
            const auto& row = spec_.contractions[k];
            std::size_t end = k + 1;
            while (end < spec_.n_contractions && spec_.contractions[end].current == row.current) {
                ++end;
            }
            const T* current = workspace_ + offsets[row.current];
            switch (WaveKind(row.kind)) {
                case WaveKind::scalar:
                    contract_with(k, end, offsets,
                                  [c = Complex<T>{current[0], current[1]}](const T* source) {
                                      return c * Complex<T>{source[0], source[1]};
                                  });
                    break;
                case WaveKind::vector: {
                    auto wave = read_wave(current);
                    for (int mu = 1; mu < 4; ++mu) wave.c[mu] = -wave.c[mu];
                    contract_with(k, end, offsets,
                                  [&wave](const T* s) { return product(wave, read_wave(s)); });
                    break;
                }
                default: {
                    const auto wave = read_wave(current);
                    contract_with(k, end, offsets,
                                  [&wave](const T* s) { return product(wave, read_wave(s)); });
                }
            }
            k = end;
        }
    }

    template <class Contract>
    void contract_with(std::size_t begin, std::size_t end, const std::int32_t* offsets,
                       const Contract& with) {
        for (std::size_t k = begin; k < end; ++k) {
            const auto& row = spec_.contractions[k];
            amplitudes_[row.amplitude] += constant<T>(spec_.contraction_factors[k]) *
                                          Complex<T>(with(workspace_ + offsets[row.source]));
        }
    }

    // Columns of the colour matrix that several amplitudes make up.
    const Complex<T>* assembled() {
        for (std::size_t k = 0; k < spec_.n_columns; ++k) assembled_[k] = {T(0), T(0)};
        for (std::size_t k = 0; k < spec_.n_assembly; ++k) {
            const auto& row = spec_.assembly[k];
            const T factor = constant<T>(spec_.assembly_factors[k]) * power_of(g2_, row.power);
            assembled_[row.column] += factor * amplitudes_[row.amplitude];
        }
        return assembled_;
    }

    void store_flows(const T* squares, std::size_t event, std::size_t count) const {
        const T strong = power_of(g2_, 2 * spec_.power);
        for (std::size_t k = 0; k < spec_.n_flows; ++k) {
            const T square =
                strong * constant<T>(spec_.flow_factors[k]) * squares[spec_.flow_columns[k]];
            store_strided(output_.flows.at(event, k), output_.flows.event_stride, square, count);
        }
    }

    const AmplitudeSpec& spec_;
    const EventInput& input_;
    const AmplitudeOutput& output_;
    const T* workspace_ = nullptr;
    Complex<T>* amplitudes_ = nullptr;
    Complex<T>* assembled_ = nullptr;
    T g2_ = T(0);
};

// Numbers of a density matrix: the diagonal, then real and imaginary parts above it.
inline constexpr std::size_t density_size = 16;

template <class T>
void density(const DensityRow& row, const T* data, T* rho) {
    for (std::size_t k = 0; k < density_size; ++k) rho[k] = T(0);
    if (WaveKind(row.kind) == WaveKind::scalar) {
        for (std::int32_t i = 0; i < row.instances; ++i) {
            rho[0] += norm(read_scalar(data + scalar_numbers * i).c[0]);
        }
        return;
    }
    for (std::int32_t i = 0; i < row.instances; ++i) {
        const auto wave = read_wave(data + wave_numbers * i);
        std::size_t next = 4;
        for (int mu = 0; mu < 4; ++mu) {
            rho[mu] += norm(wave.c[mu]);
            for (int nu = mu + 1; nu < 4; ++nu) {
                const auto element = wave.c[mu] * conj(wave.c[nu]);
                rho[next++] += element.re;
                rho[next++] += element.im;
            }
        }
    }
}

// sum_{mu nu} g_mu g_nu rho_mu_nu sigma_mu_nu with the metric g of vectors, 1 for spinors.
template <class T>
T density_product(WaveKind kind, const T* rho, const T* sigma) {
    T sum = rho[0] * sigma[0];
    if (kind == WaveKind::scalar) return sum;
    for (std::size_t mu = 1; mu < 4; ++mu) sum += rho[mu] * sigma[mu];
    T time = T(0), space = T(0);
    for (std::size_t k = 4; k < 10; k += 2) time += rho[k] * sigma[k] - rho[k + 1] * sigma[k + 1];
    for (std::size_t k = 10; k < density_size; k += 2) {
        space += rho[k] * sigma[k] - rho[k + 1] * sigma[k + 1];
    }
    return kind == WaveKind::vector ? T(sum + T(2) * (space - time))
                                    : T(sum + T(2) * (space + time));
}

template <class T>
void diagram_group(const DiagramSquaresSpec& spec, const EventInput& input,
                   const MutableBatch& squares, std::size_t event, std::size_t count) {
    LaneMemory<T> memory(numbers_of_currents(spec.currents) + density_size * spec.n_densities +
                         spec.n_diagrams);
    const T* workspace = run_currents<T>(spec.currents, memory, input, event, count);
    T* densities = memory.take(density_size * spec.n_densities);
    T* sums = memory.take(spec.n_diagrams);
    for (std::size_t k = 0; k < spec.n_densities; ++k) {
        density(spec.densities[k], workspace + spec.densities[k].offset,
                densities + density_size * k);
    }
    for (std::size_t k = 0; k < spec.n_diagrams; ++k) sums[k] = T(0);
    for (std::size_t k = 0; k < spec.n_pairs; ++k) {
        const auto& row = spec.pairs[k];
        sums[row.diagram] +=
            constant<T>(spec.pair_factors[k]) *
            density_product(WaveKind(row.kind), densities + density_size * row.current,
                            densities + density_size * row.source);
    }
    const T g2 = constant<T>(four_pi) * load<T>(input.alpha_s + event, count);
    for (std::size_t k = 0; k < spec.n_diagrams; ++k) {
        // Negative is what rounding leaves of large terms; NaN stays.
        const T sum = select(sums[k] < 0., T(0.), sums[k]);
        const T square = power_of(g2, 2 * spec.powers[k]) * sum;
        store_strided(squares.at(event, k), squares.event_stride, square, count);
    }
}

template <class T, class Group>
void over_groups(std::size_t events, const Group& group) {
    parallel_for(
        events,
        [&](std::size_t begin, std::size_t end) {
            constexpr std::size_t width = lane_width<T>;
            for (std::size_t event = begin; event < end; event += width) {
                group(event, std::min(width, end - event));
            }
        },
        events_per_task);
}

template <class T>
void amplitude_of(const AmplitudeSpec& spec, const EventInput& input,
                  const AmplitudeOutput& output) {
    over_groups<T>(input.p.count, [&](std::size_t event, std::size_t count) {
        AmplitudeRunner<T>(spec, input, output).run(event, count);
    });
}

template <class T>
void squares_of(const DiagramSquaresSpec& spec, const EventInput& input,
                const MutableBatch& squares) {
    over_groups<T>(input.p.count, [&](std::size_t event, std::size_t count) {
        diagram_group<T>(spec, input, squares, event, count);
    });
}

void amplitude(const AmplitudeSpec& spec, const EventInput& input, const AmplitudeOutput& output,
               bool single) {
    single ? amplitude_of<FloatLane>(spec, input, output) : amplitude_of<Lane>(spec, input, output);
}

void diagram_squares(const DiagramSquaresSpec& spec, const EventInput& input,
                     MutableBatch squares) {
    squares_of<Lane>(spec, input, squares);
}

}  // namespace

const TapeKernels tape_kernels_table = {.amplitude = amplitude, .diagram_squares = diagram_squares};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

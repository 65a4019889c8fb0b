// |M|^2 of a tape: its currents contracted to amplitudes, which are summed over colours.
#pragma once

#include "amplitudes/amplitude_tape.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Hermitian form sum_ab colour_ab Re(conj(column_a) column_b); the elements below the diagonal are
// counted above it.
template <class T>
MADNIS_INLINE T colour_sum(const double* colour, const Slots<T>& columns, std::size_t n) {
    constexpr std::size_t block = 4;
    T sum = T(0);
    std::size_t a = 0;
    for (; a + block <= n; a += block) {
        T re[block], im[block];
        for (std::size_t k = 0; k < block; ++k) re[k] = im[k] = T(0);
        for (std::size_t b = a; b < n; ++b) {
            const auto column = read_complex<T>(columns + 2 * b);
            for (std::size_t k = 0; k < block; ++k) {
                const T element = constant<T>(colour[(a + k) * n + b]);
                re[k] += element * column.re;
                im[k] += element * column.im;
            }
        }
        for (std::size_t k = 0; k < block; ++k) {
            const auto column = read_complex<T>(columns + 2 * (a + k));
            sum += column.re * re[k] + column.im * im[k];
        }
    }
    for (; a < n; ++a) {
        const auto row = read_complex<T>(columns + 2 * a);
        for (std::size_t b = a; b < n; ++b) {
            const auto column = read_complex<T>(columns + 2 * b);
            sum += constant<T>(colour[a * n + b]) * (row.re * column.re + row.im * column.im);
        }
    }
    return sum;
}

// g_mu g_nu a^{mu nu} b^{mu nu}, or g_mu a^mu b^mu of vectors of spinors.
template <class T>
MADNIS_OUT_OF_LINE Complex<T> wide_product(const Slots<T>& a, const Slots<T>& b, bool spinors) {
    Complex<T> sum = {T(0), T(0)};
    for (int k = 0; k < 16; ++k) {
        const bool minus = (k >= 4) != (!spinors && k % 4 > 0);
        const auto term = read_complex<T>(a + 2 * k) * read_complex<T>(b + 2 * k);
        sum = minus ? Complex<T>(sum - term) : Complex<T>(sum + term);
    }
    return sum;
}

// |M|^2 of one event, or of one group of events lane by lane the same, in a workspace of
// workspace_numbers(spec).
template <class T>
class AmplitudeRunner {
public:
    MADNIS_FN AmplitudeRunner(const AmplitudeSpec& spec, const EventInput& input,
                              const AmplitudeOutput& output, Workspace<T> workspace)
        : spec_(spec),
          input_(input),
          output_(output),
          currents_(spec.currents, workspace),
          amplitudes_(workspace.take(2 * spec.n_amplitudes)),
          assembled_(workspace.take(2 * spec.n_columns)),
          squares_(workspace.take(spec.n_columns)) {}

    // The events [event, event + lanes), `count` of which exist.
    MADNIS_INLINE void run(std::size_t event, std::size_t count) {
        currents_.run(input_, event, count);
        for (std::size_t k = 0; k < spec_.n_columns; ++k) squares_[k] = T(0);
        g2_ = constant<T>(four_pi) * load<T>(input_.alpha_s + event, count);
        const T scale = constant<T>(spec_.average) * power_of(g2_, 2 * spec_.power);

        T total = T(0);
        for (std::size_t h = 0; h < spec_.n_helicities; ++h) {
            contract_all(spec_.instances + h * spec_.n_contracted);
            const Slots<T> columns = spec_.assembly ? assembled() : amplitudes_;
            const T square = colour_sum<T>(spec_.colour, columns, spec_.n_columns);
            total += square;
            if (output_.helicities.data) {
                store_strided(output_.helicities.at(event, h), output_.helicities.event_stride,
                              T(scale * square), count);
            }
            if (output_.flows.data) {
                for (std::size_t k = 0; k < spec_.n_columns; ++k) {
                    squares_[k] += norm(read_complex<T>(columns + 2 * k));
                }
            }
        }
        store(output_.me2 + event, T(scale * total), count);
        if (output_.flows.data) store_flows(event, count);
    }

private:
    MADNIS_FN void contract_all(const std::int32_t* offsets) {
        for (std::size_t k = 0; k < spec_.n_amplitudes; ++k) write_zero(amplitudes_, k);
        for (std::size_t k = 0; k < spec_.n_contractions;) {
            const auto& row = spec_.contractions[k];
            std::size_t end = k + 1;
            while (end < spec_.n_contractions && spec_.contractions[end].current == row.current) {
                ++end;
            }
            const auto current = currents_.memory() + offsets[row.current];
            switch (WaveKind(row.kind)) {
                case WaveKind::scalar:
                    contract_with(k, end, offsets,
                                  [c = read_complex<T>(current)](const Slots<T>& source) {
                                      return c * read_complex<T>(source);
                                  });
                    break;
                case WaveKind::vector: {
                    auto wave = read_wave<T>(current);
                    for (int mu = 1; mu < 4; ++mu) wave.c[mu] = -wave.c[mu];
                    contract_with(k, end, offsets, [&wave](const Slots<T>& source) {
                        return product(wave, read_wave<T>(source));
                    });
                    break;
                }
                case WaveKind::tensor:
                case WaveKind::vector_ket:
                case WaveKind::vector_bra: {
                    const bool spinors = WaveKind(row.kind) != WaveKind::tensor;
                    contract_with(k, end, offsets, [&](const Slots<T>& source) {
                        return wide_product<T>(current, source, spinors);
                    });
                    break;
                }
                default: {
                    const auto wave = read_wave<T>(current);
                    contract_with(k, end, offsets, [&wave](const Slots<T>& source) {
                        return product(wave, read_wave<T>(source));
                    });
                }
            }
            k = end;
        }
    }

    template <class Contract>
    MADNIS_FN void contract_with(std::size_t begin, std::size_t end, const std::int32_t* offsets,
                                 const Contract& with) {
        for (std::size_t k = begin; k < end; ++k) {
            const auto& row = spec_.contractions[k];
            add_to(amplitudes_, row.amplitude,
                   constant<T>(spec_.contraction_factors[k]) *
                       Complex<T>(with(currents_.memory() + offsets[row.source])));
        }
    }

    // Columns of the colour matrix that several amplitudes make up.
    MADNIS_FN Slots<T> assembled() {
        for (std::size_t k = 0; k < spec_.n_columns; ++k) write_zero(assembled_, k);
        for (std::size_t k = 0; k < spec_.n_assembly; ++k) {
            const auto& row = spec_.assembly[k];
            const T factor = constant<T>(spec_.assembly_factors[k]) * power_of(g2_, row.power);
            add_to(assembled_, row.column,
                   factor * read_complex<T>(amplitudes_ + 2 * row.amplitude));
        }
        return assembled_;
    }

    MADNIS_INLINE static void write_zero(const Slots<T>& numbers, std::size_t k) {
        write_complex<T>(numbers + 2 * k, {T(0), T(0)});
    }

    MADNIS_INLINE static void add_to(const Slots<T>& numbers, std::size_t k, const Complex<T>& z) {
        write_complex<T>(numbers + 2 * k, read_complex<T>(numbers + 2 * k) + z);
    }

    MADNIS_FN void store_flows(std::size_t event, std::size_t count) const {
        const T strong = power_of(g2_, 2 * spec_.power);
        for (std::size_t k = 0; k < spec_.n_flows; ++k) {
            const T square =
                strong * constant<T>(spec_.flow_factors[k]) * squares_[spec_.flow_columns[k]];
            store_strided(output_.flows.at(event, k), output_.flows.event_stride, square, count);
        }
    }

    const AmplitudeSpec& spec_;
    const EventInput& input_;
    const AmplitudeOutput& output_;
    CurrentsRunner<T> currents_;
    Slots<T> amplitudes_, assembled_;  // complex numbers
    Slots<T> squares_;                 // of the columns, summed over helicities
    T g2_ = T(0);
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

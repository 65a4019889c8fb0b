// Matrix elements, one event per thread: tapes, and Drell-Yan in closed form.
#include "amplitudes/amplitude_runner.hpp"
#include "amplitudes/diagram_squares.hpp"
#include "amplitudes/drell_yan.hpp"
#include "cuda/launch.hpp"

using namespace madnis;

namespace {

// Rows (rows, n) of a batch, event-fastest.
template <class Number>
MADNIS_GPU_FN BatchView<Number> event_fastest(Number* data, std::int64_t n, std::size_t rows) {
    return {data, std::size_t(n), rows, 1, std::size_t(n)};
}

// The event of a thread that works on live events [first, first + m), or -1.
MADNIS_GPU_FN inline std::int64_t event_of_slice(const LiveEvents& live, std::int64_t thread,
                                                 std::int64_t first, std::int64_t m) {
    return thread < m ? live.event(first + thread) : -1;
}

template <class T>
MADNIS_GPU_FN void amplitude_of(const AmplitudeSpec& spec, const double* p, const double* alpha_s,
                                const LiveEvents& live, T* workspace, std::int64_t first,
                                std::int64_t m, double* me2, const double* helicities,
                                double* flows, double* helicity_parts) {
    const std::int64_t thread = thread_index();
    const std::int64_t event = event_of_slice(live, thread, first, m);
    if (event < 0) return;
    const std::size_t n_legs = spec.currents.n_legs;
    const EventInput input{event_fastest(p, live.n, 4 * n_legs), alpha_s,
                           event_fastest(helicities, live.n, n_legs)};
    const AmplitudeOutput output{me2, event_fastest(flows, live.n, spec.n_flows),
                                 event_fastest(helicity_parts, live.n, spec.n_helicities)};
    const Workspace<T> numbers(Slots<T>(workspace + thread, std::uint32_t(m)));
    AmplitudeRunner<T>(spec, input, output, numbers).run(std::size_t(event), 1);
}

}  // namespace

// |M|^2 (n,) of the events [first, first + m) of the live ones, in a workspace for m events.
//
// Momenta (4 n_legs, n), alpha_s (n,) and, where the tape takes them from the events, helicities
// (n_legs, n), else null. Where they are not null, |J_k|^2 of the colour flows goes to
// flows (n_flows, n) and the part of each helicity to helicity_parts (n_helicities, n).
MADNIS_KERNEL(amplitude, const AmplitudeSpec* spec, const double* p, const double* alpha_s,
              const std::int64_t* live, const std::int64_t* n_live, double* workspace,
              std::int64_t first, std::int64_t m, std::int64_t n, double* me2,
              const double* helicities, double* flows, double* helicity_parts) {
    amplitude_of<double>(*spec, p, alpha_s, {live, n_live, n}, workspace, first, m, me2, helicities,
                         flows, helicity_parts);
}

// The same in single precision.
MADNIS_KERNEL(amplitude_single, const AmplitudeSpec* spec, const double* p, const double* alpha_s,
              const std::int64_t* live, const std::int64_t* n_live, float* workspace,
              std::int64_t first, std::int64_t m, std::int64_t n, double* me2,
              const double* helicities, double* flows, double* helicity_parts) {
    amplitude_of<float>(*spec, p, alpha_s, {live, n_live, n}, workspace, first, m, me2, helicities,
                        flows, helicity_parts);
}

// |M_i|^2 (n_diagrams, n) of the events [first, first + m) of the live ones, in a workspace for m
// events, at momenta (4 n_legs, n) and alpha_s (n,).
MADNIS_KERNEL(diagram_squares, const DiagramSquaresSpec* spec, const double* p,
              const double* alpha_s, const std::int64_t* live, const std::int64_t* n_live,
              double* workspace, std::int64_t first, std::int64_t m, std::int64_t n,
              double* squares) {
    const std::int64_t thread = thread_index();
    const std::int64_t event = event_of_slice({live, n_live, n}, thread, first, m);
    if (event < 0) return;
    const EventInput input{event_fastest(p, n, 4 * spec->currents.n_legs), alpha_s, {}};
    const Workspace<double> numbers(Slots<double>(workspace + thread, std::uint32_t(m)));
    const MutableBatch output = event_fastest(squares, n, spec->n_diagrams);
    DiagramSquaresRunner<double>(*spec, input, output, numbers).run(std::size_t(event), 1);
}

// |M|^2 (n,) of q q~ -> l- l+ and |M_k|^2 per mediator (n_mediators, n) at momenta (16, n).
MADNIS_KERNEL(drell_yan, const DrellYanSpec* spec, const double* p, const std::int64_t* live,
              const std::int64_t* n_live, double* me2, double* squares, std::int64_t n) {
    const std::int64_t event = LiveEvents{live, n_live, n}.event(thread_index());
    if (event < 0) return;
    const ConstBatch in = event_fastest(p, n, 16);
    const auto leg = [&](std::size_t k) {
        return load_momentum<double>(in, spec->legs[k], std::size_t(event), 1);
    };
    DrellYanAmplitude<double> sum(mandelstam(leg(0), leg(1), leg(2), leg(3)));
    for (std::size_t k = 0; k < spec->n_mediators; ++k) {
        squares[k * std::size_t(n) + std::size_t(event)] = sum.add(spec->mediators[k]);
    }
    me2[event] = spec->average * sum.squared();
}

// Tapes run over blocks of events.
#include <algorithm>

#include "amplitudes/amplitude_runner.hpp"
#include "amplitudes/diagram_squares.hpp"
#include "amplitudes/tape_kernels.hpp"
#include "runtime/parallel.hpp"
#include "runtime/thread_memory.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

constexpr std::size_t events_per_task = 64;

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

// In the memory of this thread.
template <class T, class Spec>
Workspace<T> thread_workspace(const Spec& spec) {
    const std::size_t bytes = workspace_numbers(spec) * sizeof(T);
    return Workspace<T>(static_cast<T*>(thread_memory(ThreadMemory::tile, bytes)));
}

template <class T>
void amplitude_of(const AmplitudeSpec& spec, const EventInput& input,
                  const AmplitudeOutput& output) {
    over_groups<T>(input.p.count, [&](std::size_t event, std::size_t count) {
        AmplitudeRunner<T>(spec, input, output, thread_workspace<T>(spec)).run(event, count);
    });
}

template <class T>
void squares_of(const DiagramSquaresSpec& spec, const EventInput& input,
                const MutableBatch& squares) {
    over_groups<T>(input.p.count, [&](std::size_t event, std::size_t count) {
        DiagramSquaresRunner<T>(spec, input, squares, thread_workspace<T>(spec)).run(event, count);
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

// Kernels that run a tape; `single` computes with floats.
#pragma once

#include "amplitudes/tape.hpp"
#include "runtime/kernel_tables.hpp"

namespace madnis {

struct TapeKernels {
    void (*amplitude)(const AmplitudeSpec& spec, const EventInput& input,
                      const AmplitudeOutput& output, bool single);
    void (*diagram_squares)(const DiagramSquaresSpec& spec, const EventInput& input,
                            MutableBatch squares);
};

MADNIS_KERNELS(TapeKernels, tape_kernels)

}  // namespace madnis

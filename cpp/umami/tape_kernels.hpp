// The kernels of a tape alone, so that nothing else is linked into a library with a matrix element.
#pragma once

#include "amplitudes/tape.hpp"

namespace madnis {

struct TapeKernels {
    const char* name;
    void (*amplitude)(const AmplitudeSpec& spec, const EventInput& input, const AmplitudeOutput& output, bool single);
    void (*diagram_squares)(const DiagramSquaresSpec& spec, const EventInput& input, MutableBatch squares);
};

// Those of the fastest instruction set of this processor, see instruction_set.hpp.
const TapeKernels& tape_kernels();

}  // namespace madnis

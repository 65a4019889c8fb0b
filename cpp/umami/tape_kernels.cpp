#include "umami/tape_kernels.hpp"

#include "runtime/instruction_set.hpp"

namespace madnis {

#define MADNIS_TAPE_KERNELS(isa)                                                                                     \
    namespace isa {                                                                                                  \
    void amplitude(const AmplitudeSpec& spec, const EventInput& input, const AmplitudeOutput& output, bool single); \
    void diagram_squares(const DiagramSquaresSpec& spec, const EventInput& input, MutableBatch squares);            \
    const TapeKernels tape_kernels = {#isa, amplitude, diagram_squares};                                            \
    }

MADNIS_TAPE_KERNELS(baseline)
#ifdef MADNIS_X86
MADNIS_TAPE_KERNELS(avx2)
MADNIS_TAPE_KERNELS(avx512)
#endif

namespace {

const TapeKernels& choose() {
    Available<TapeKernels> found;
    found.add(baseline::tape_kernels);
#ifdef MADNIS_X86
    if (has_avx2()) found.add(avx2::tape_kernels);
    if (has_avx512()) found.add(avx512::tape_kernels);
#endif
    return found.chosen();
}

}  // namespace

const TapeKernels& tape_kernels() {
    static const TapeKernels& chosen = choose();
    return chosen;
}

}  // namespace madnis

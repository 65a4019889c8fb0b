// Kernels of cuts and of the features of networks.
#pragma once

#include "observables/cut_specs.hpp"
#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

struct ObservableKernels {
    // mask[e] says whether event e passes all cuts; those on ranks are no part of them.
    void (*cuts)(const CutSetSpec& set, ConstBatch p, bool* mask);

    // Per selected particle log(p_T / GeV), pseudorapidity, phi: rows 3 * k + (0, 1, 2) of
    // `features`.
    void (*features)(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles,
                     MutableBatch features);
};

MADNIS_KERNELS(ObservableKernels, observable_kernels)

}  // namespace madnis

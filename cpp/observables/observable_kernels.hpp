// Observables of events: the plain description of a cut, and their kernels.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

enum class Observable { pt, eta, rapidity, energy, mass, pt_sum, dr };

struct CutSpec {
    Observable observable;
    const std::int64_t* particles;
    std::size_t n_particles;
    double minimum, maximum;
};

struct ObservableKernels {
    // mask[e] says whether event e passes all cuts.
    void (*cuts)(const CutSpec* list, std::size_t n_cuts, ConstBatch p, bool* mask);

    // Per selected particle log(p_T / GeV), pseudorapidity, phi: rows 3 * k + (0, 1, 2) of
    // `features`.
    void (*features)(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles,
                     MutableBatch features);
};

MADNIS_KERNELS(ObservableKernels, observable_kernels)

}  // namespace madnis

// Kernels of the mappings of phase space; Jacobians are 0 outside of the support.
#pragma once

#include "phase_space/mapping_specs.hpp"
#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

// Maps of one invariant, s in GeV^2, and of 2 -> 2 scattering through it.
struct SChannelKernels {
    void (*invariant_forward)(const InvariantSpec& spec, const double* z, std::size_t events,
                              double* s, double* jacobian);
    void (*invariant_inverse)(const InvariantSpec& spec, const double* s, std::size_t events,
                              double* z, double* jacobian);
    void (*forward)(const SChannelSpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
    void (*inverse)(const SChannelSpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
};

MADNIS_KERNELS(SChannelKernels, s_channel_kernels)

struct TopologyKernels {
    void (*forward)(const TopologySpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
    void (*inverse)(const TopologySpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
};

MADNIS_KERNELS(TopologyKernels, topology_kernels)

}  // namespace madnis

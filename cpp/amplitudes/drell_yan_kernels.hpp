// q q~ -> neutral vector bosons -> l- l+: its plain description and its kernel.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>

#include "runtime/kernel_tables.hpp"
#include "simd/batch.hpp"

namespace madnis {

// A neutral vector boson with real couplings (g_L, g_R), the unit charge included.
struct MediatorSpec {
    double mass, width;  // GeV
    double quark[2], lepton[2];
};

struct DrellYanSpec {
    const MediatorSpec* mediators;
    std::size_t n_mediators;
    std::size_t legs[4];  // positions of quark, antiquark, lepton, antilepton
    double average;       // colour sum over spin and colour average
};

struct DrellYanKernels {
    // |M|^2 averaged and summed, and per mediator the helicity sum of its |M_k|^2.
    void (*evaluate)(const DrellYanSpec& spec, ConstBatch p, double* me2, MutableBatch diagrams);
};

MADNIS_KERNELS(DrellYanKernels, drell_yan_kernels)

}  // namespace madnis

// Plain description of q q~ -> neutral vector bosons -> l- l+.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>

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

}  // namespace madnis

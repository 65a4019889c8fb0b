// Plain descriptions of mappings, cuts and matrix elements: what bindings hand to kernels.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one instruction set must
// not be shared with another (see isa.hpp). Who fills a description keeps the arrays alive.
#pragma once

#include <cstddef>
#include <cstdint>

namespace madnis {

enum class InvariantKind { flat, breit_wigner, massless };

// How a squared invariant mass is drawn between s_min and s_max (GeV^2).
struct InvariantSpec {
    InvariantKind kind;
    double mass, width;  // GeV, of the Breit-Wigner
    double power;        // of the massless propagator, 1 / s^power
    double s_min, s_max;
};

// 2 -> 2 through one time-like invariant; beams along the z axis, massless.
struct SChannelSpec {
    double beam_energies[2];  // GeV
    double masses[2];         // GeV, of the outgoing particles
    InvariantSpec invariant;  // of the partonic energy squared; not used where the beams are the partons
    bool partonic;
};

enum class Observable { pt, eta, rapidity, energy, mass, pt_sum, dr };

struct CutSpec {
    Observable observable;
    const std::int64_t* particles;
    std::size_t n_particles;
    double minimum, maximum;
};

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

// Limits and size of the splines of flows/splines.py.
struct SplineSpec {
    std::size_t bins;
    double min_bin_size, derivative_range[2];
};

// A linear layer of the subnetworks of all channels. Its weights, (n_channels, n_out, n_in), are parameter array
// `array`, its biases, (n_channels, n_out), the next one.
struct LayerSpec {
    std::size_t n_in, n_out, array;
    std::size_t offset;     // parameters of one channel before its weights
    std::size_t input_row;  // of the inputs in the memory of a block
};

// The block's memory has rows for the inputs of each layer and then for the outputs of the last one, which are the
// spline parameters (3 K + 1, n_transformed).
struct CouplingBlockSpec {
    const std::size_t *transformed, *fixed;  // features, ascending
    std::size_t n_transformed, n_fixed;
    const LayerSpec* layers;
    std::size_t n_layers, n_rows;
};

// Coupling blocks from data to latent.
struct CouplingSpec {
    const CouplingBlockSpec* blocks;
    std::size_t n_blocks, dim, n_channels;
    std::size_t n_parameters;  // of one channel
    std::size_t widest;        // most inputs of a layer, rounded up to a multiple of 64
    SplineSpec spline;
};

// Events [begin, end) of one channel. What a range adds to the gradients is summed apart, in slot `partial`, and then
// added to the first range of its channel, which has partial = 0.
struct EventRange {
    std::size_t channel, begin, end, partial;
};

struct EventRanges {
    const EventRange* data;
    std::size_t count, n_partials;
};

enum class Elementary { exp, expm1, log, log1p, sin, cos, tan, atan, asinh };

}  // namespace madnis

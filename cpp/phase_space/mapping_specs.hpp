// Plain descriptions of the mappings of phase space: what bindings hand to kernels.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/isa.hpp"

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
    // Of the partonic energy squared; not used where the beams are the partons.
    InvariantSpec invariant;
    bool partonic;
};

// 2 -> 1: two partons to a particle on its mass shell.
struct OnShellSpec {
    double beam_energies[2];  // GeV
    double mass;              // GeV
};

// How the squared mass of a line is drawn between the limits of each event: a Breit-Wigner,
// 1 / (s - pole)^power, a share of the points by the one and the others by the other, or as flat
// phase space of `count` massless particles has it.
enum class LineKind : std::int32_t { resonance, power, mixture, flat };

struct LineSpec {
    LineKind kind;
    double mass, width;  // GeV, of the resonance
    double power, pole;  // pole in GeV^2, below all limits
    double share;        // of the resonance in a mixture
    std::int32_t count;  // particles of flat phase space
};

// Most legs of a map, incoming ones counted.
inline constexpr std::size_t max_legs = 16;

// Most clusters with so many legs: each final particle and each decay is one.
constexpr std::size_t most_clusters(std::size_t legs) { return 2 * (legs - 2); }

// Final particles that come from one line. Children stand before parents.
struct ClusterSpec {
    std::int64_t left, right;  // positions of the children, -1 for a leg
    std::int64_t leg;          // among the legs of the map, incoming ones counted
    double minimum;            // GeV: least mass that the cuts leave, the mass of a leg
    double maximum;            // GeV: greatest mass that the cuts leave
    LineSpec line;

    MADNIS_INLINE bool is_leg() const { return left < 0; }
};

// Which share of its beam a parton carries: all of it, a share whose density is smooth, or one
// whose density has a peak (1 - x)^(power - 1), see collision.hpp.
enum class ShareKind : std::int32_t { whole, smooth, peaked };

// Distance of a peaked share from 1 below which it is not resolved.
inline constexpr double least_rest = 1e-12;

// A beam along the z axis and the parton that it brings.
struct BeamSpec {
    double energy;  // GeV, of a parton that carries all of it
    double mass;    // GeV, of the parton; 0 where its share varies
    ShareKind share;
    double power;  // of the peak
};

// Phase space of a diagram; see topology.hpp.
struct TopologySpec {
    BeamSpec beams[2];
    LineSpec s_hat;
    double s_min, s_max;  // GeV^2
    const ClusterSpec* clusters;
    std::size_t n_clusters;
    const std::int64_t* top;  // clusters along the line from the first parton
    std::size_t n_top;
    const LineSpec* exchanges;  // n_top - 1 momentum transfers, as -t
    const double* least_rest;   // GeV: least mass of the clusters of the line from each on, then 0
    LineSpec rest;              // what is left after a cluster
    const std::int64_t* legs;   // position of every leg of the map among the particles of an event
    std::size_t n_legs, dim;
};

}  // namespace madnis

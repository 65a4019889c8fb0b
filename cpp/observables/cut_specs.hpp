// Plain descriptions of cuts: what bindings hand to kernels.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>
#include <cstdint>

namespace madnis {

enum class Observable {
    pt,
    eta,
    rapidity,
    energy,
    partonic_energy,
    mass,
    pt_sum,
    dr,
    deta,
    dy,
    dphi,
    eta_product,
    ht
};

struct CutSpec {
    Observable observable;
    const std::int64_t* particles;
    std::size_t n_particles;
    double minimum, maximum;
};

// Most particles of a cut, and most among which one is chosen.
inline constexpr std::size_t most_particles = 16;

// The particle with the rank-th largest transverse momentum among some, counted from 1; the first
// of equal ones comes first.
struct RankedSpec {
    const std::int64_t* particles;
    std::size_t n_particles, rank;
};

// A cut on particles that are chosen event by event.
struct RankedCutSpec {
    Observable observable;
    const RankedSpec* particles;
    std::size_t n_particles;
    double minimum, maximum;
};

// Smooth isolation of a particle from others, hep-ph/9801442: in every cone around it with
// Delta R = R <= radius they have at most epsilon p_T ((1 - cos R) / (1 - cos radius))^exponent of
// transverse momentum.
struct IsolationSpec {
    std::int64_t particle;
    const std::int64_t* others;
    std::size_t n_others;
    double radius, exponent, epsilon;
};

// Cuts that an event has to pass all.
struct CutSetSpec {
    const CutSpec* fixed;
    std::size_t n_fixed;
    const RankedCutSpec* ranked;
    std::size_t n_ranked;
    const IsolationSpec* isolations;
    std::size_t n_isolations;
};

// Cuts that every event has to pass, and further sets of which one is enough.
struct SelectionSpec {
    CutSetSpec common;
    const CutSetSpec* further;
    std::size_t n_further;
};

}  // namespace madnis

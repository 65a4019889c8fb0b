// Plain description of a cut: what bindings hand to kernels.
//
// Pointers and counts instead of containers: member functions of std:: containers compiled for one
// instruction set must not be shared with another (see simd/isa.hpp). Who fills a description keeps
// the arrays alive.
#pragma once

#include <cstddef>
#include <cstdint>

namespace madnis {

enum class Observable { pt, eta, rapidity, energy, mass, pt_sum, dr };

struct CutSpec {
    Observable observable;
    const std::int64_t* particles;
    std::size_t n_particles;
    double minimum, maximum;
};

}  // namespace madnis

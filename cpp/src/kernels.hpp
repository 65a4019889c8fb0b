// Declarations of the kernels of one instruction set; table.cpp collects them.
#pragma once

#include "madnis/isa.hpp"
#include "madnis/kernel_table.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

void observables(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles, MutableBatch features);

}  // inline namespace MADNIS_ISA
}  // namespace madnis

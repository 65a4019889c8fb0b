// Declarations of the kernels of one instruction set; table.cpp collects them.
#pragma once

#include "madnis/isa.hpp"
#include "madnis/kernel_table.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

void observables(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles, MutableBatch features);

void pdf_density(const PdfGrid& grid, const double* x, const double* q2, std::size_t count, const std::int64_t* columns,
                 std::size_t n_columns, double* xf);

void alpha_s(const AlphaSTable& table, const double* q2, std::size_t count, double* result);

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// The kernels of one instruction set behind plain function pointers. Each <topic> adds its functions here, defines
// them in src/<topic>.cpp (compiled once per instruction set) and fills them in in src/table.cpp.
#pragma once

#include "madnis/batch.hpp"

namespace madnis {

struct PdfGrid;
struct AlphaSTable;

struct KernelTable {
    const char* name;         // "baseline", "avx2", "avx512"
    std::size_t lane_width;   // doubles per SIMD register

    // Per selected particle log(p_T / GeV), pseudorapidity, phi: rows 3 * k + (0, 1, 2) of `features`.
    void (*observables)(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles,
                        MutableBatch features);

    // x f(x, Q^2) of the flavours numbered `columns` (-1: zero) to xf (count, n_columns). 0 for x outside (0, last
    // knot], NaN for NaN and for Q^2 < 0.
    void (*pdf_density)(const PdfGrid& grid, const double* x, const double* q2, std::size_t count,
                        const std::int64_t* columns, std::size_t n_columns, double* xf);

    // alpha_s(Q^2); NaN for NaN and for Q^2 < 0.
    void (*alpha_s)(const AlphaSTable& table, const double* q2, std::size_t count, double* result);
};

// The fastest table this processor runs, chosen once. The environment variable MADNIS_PY_ISA names another one.
const KernelTable& kernels();

// The tables of this build that this processor can run, slowest first, ending with a null pointer.
const KernelTable* const* available_kernels();

}  // namespace madnis

// Kernels of parton densities and of the strong coupling; NaN for NaN and for Q^2 < 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pdf/pdf_specs.hpp"
#include "runtime/kernel_tables.hpp"

namespace madnis {

struct PdfKernels {
    // x f(x, Q^2) of the flavours numbered `columns` (-1: zero) to xf (count, n_columns). 0
    // for x outside (0, last knot].
    void (*density)(const PdfGridSpec& grid, const double* x, const double* q2, std::size_t count,
                    const std::int64_t* columns, std::size_t n_columns, double* xf);

    void (*alpha_s)(const AlphaSSpec& table, const double* q2, std::size_t count, double* result);
};

MADNIS_KERNELS(PdfKernels, pdf_kernels)

}  // namespace madnis

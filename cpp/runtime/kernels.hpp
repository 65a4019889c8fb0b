// Declarations of the kernels of one instruction set; table.cpp collects them.
#pragma once

#include "runtime/kernel_table.hpp"
#include "simd/isa.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

extern const CouplingKernels<float> coupling_float32;
extern const CouplingKernels<double> coupling_float64;

void amplitude(const AmplitudeSpec& spec, const EventInput& input, const AmplitudeOutput& output, bool single);
void diagram_squares(const DiagramSquaresSpec& spec, const EventInput& input, MutableBatch squares);

void cuts(const CutSpec* list, std::size_t n_cuts, ConstBatch p, bool* mask);

void drell_yan(const DrellYanSpec& spec, ConstBatch p, double* me2, MutableBatch diagrams);

void elementary(Elementary function, const double* x, std::size_t events, double* y);
void exp_float32(const float* x, std::size_t events, float* y);
void arc_tangent(const double* y, const double* x, std::size_t events, double* angle);

void observables(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles, MutableBatch features);

void invariant_forward(const InvariantSpec& spec, const double* z, std::size_t events, double* s, double* jacobian);
void invariant_inverse(const InvariantSpec& spec, const double* s, std::size_t events, double* z, double* jacobian);
void s_channel_forward(const SChannelSpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
void s_channel_inverse(const SChannelSpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
void topology_forward(const TopologySpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
void topology_inverse(const TopologySpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
void pdf_density(const PdfGrid& grid, const double* x, const double* q2, std::size_t count, const std::int64_t* columns,
                 std::size_t n_columns, double* xf);

void alpha_s(const AlphaSTable& table, const double* q2, std::size_t count, double* result);

}  // inline namespace MADNIS_ISA
}  // namespace madnis

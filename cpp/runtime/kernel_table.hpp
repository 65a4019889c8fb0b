// The kernels of one instruction set behind plain function pointers. Each <topic> adds its functions here, defines
// them in <topic>/<name>.cpp (compiled once per instruction set) and fills them in in runtime/table.cpp.
#pragma once

#include "amplitudes/drell_yan_spec.hpp"
#include "amplitudes/tape.hpp"
#include "observables/cut_spec.hpp"
#include "phase_space/mapping_specs.hpp"
#include "runtime/elementary.hpp"
#include "simd/batch.hpp"

namespace madnis {

struct PdfGrid;
struct AlphaSTable;
template <class Number>
struct CouplingKernels;

struct KernelTable {
    const char* name;         // "baseline", "avx2", "avx512"
    std::size_t lane_width;   // doubles per SIMD register

    // amplitude: see tape.hpp; `single` computes with floats.
    void (*amplitude)(const AmplitudeSpec& spec, const EventInput& input, const AmplitudeOutput& output, bool single);
    void (*diagram_squares)(const DiagramSquaresSpec& spec, const EventInput& input, MutableBatch squares);

    // coupling: see coupling.hpp; by the number type of the subnetworks.
    const CouplingKernels<float>* coupling_float32;
    const CouplingKernels<double>* coupling_float64;

    // cuts: mask[e] says whether event e passes all of them.
    void (*cuts)(const CutSpec* list, std::size_t n_cuts, ConstBatch p, bool* mask);

    // drell_yan: |M|^2 averaged and summed, and per mediator the helicity sum of its |M_k|^2.
    void (*drell_yan)(const DrellYanSpec& spec, ConstBatch p, double* me2, MutableBatch diagrams);

    // elementary: the functions of lane_math.hpp, for their tests.
    void (*elementary)(Elementary function, const double* x, std::size_t events, double* y);
    void (*exp_float32)(const float* x, std::size_t events, float* y);
    void (*arc_tangent)(const double* y, const double* x, std::size_t events, double* angle);

    // observables: per selected particle log(p_T / GeV), pseudorapidity, phi: rows 3 * k + (0, 1, 2) of `features`.
    void (*observables)(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles,
                        MutableBatch features);

    // phase_space: maps of one invariant, s in GeV^2, and of 2 -> 2 scattering; jacobian 0 outside the support.
    void (*invariant_forward)(const InvariantSpec& spec, const double* z, std::size_t events, double* s,
                              double* jacobian);
    void (*invariant_inverse)(const InvariantSpec& spec, const double* s, std::size_t events, double* z,
                              double* jacobian);
    void (*s_channel_forward)(const SChannelSpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
    void (*s_channel_inverse)(const SChannelSpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
    void (*topology_forward)(const TopologySpec& spec, ConstBatch x, MutableBatch p, double* jacobian);
    void (*topology_inverse)(const TopologySpec& spec, ConstBatch p, MutableBatch x, double* jacobian);
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

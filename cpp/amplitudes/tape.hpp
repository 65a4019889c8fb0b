// The tape: what Python writes and the kernels run. Plain arrays; whoever fills them keeps them
// alive.
//
// Memory of one event, or of one group of events in lanes: a workspace of numbers (simd/slots.hpp),
// those of the currents first. Every current has one instance per combination of the helicities of
// its legs, of `numbers_of` its kind; the first `CurrentsSpec::zeros` are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numbers>

#include "simd/batch.hpp"

namespace madnis {

// `tensor`: spin 2, `vector_ket` and `vector_bra`: spin 3/2, a vector of spinors.
enum class WaveKind : std::int32_t { scalar, vector, ket, bra, tensor, vector_ket, vector_bra };

// Numbers of an instance: real and imaginary parts of the one component of a scalar, of the sixteen
// of spin 2 and 3/2, or of the four of any other wave.
inline constexpr std::int32_t scalar_numbers = 2, wave_numbers = 8, wide_numbers = 32;

MADNIS_FN constexpr std::int32_t numbers_of(WaveKind kind) {
    if (kind == WaveKind::scalar) return scalar_numbers;
    return kind <= WaveKind::bra ? wave_numbers : wide_numbers;
}

enum class Operation : std::int32_t {
    ffv_vector,
    ffv_ket,
    ffv_bra,
    ffs_scalar,
    ffs_ket,
    ffs_bra,
    vvv,
    vvvv,
    vvs_scalar,
    vvs_vector,
    vvss_scalar,
    vvss_vector,
    sss,
    ssss,
    vss_scalar,
    vss_vector,
    tensor,  // the last one: a program of steps, `ProgramRow`
};

// What happens to a sum of vertices: nothing, or a propagator.
enum class Finish : std::int32_t {
    raw,
    scalar,
    vector,
    massive_vector,
    ket,
    bra,
    polarised_vector,
    polarised_ket,
    polarised_bra,
    tensor,
    vector_ket,
    vector_bra,
    factor,          // 1 / denominator alone
    complex_vector,  // with the complex mass of `NodeRow::mass` in the numerator
    complex_ket,
    complex_bra,
};

// Helicity of an external row that is taken from the event.
inline constexpr std::int32_t chosen_helicity = 100;

// Helicity of an external row with p / E in place of the polarisation: gauge invariance gives zero.
inline constexpr std::int32_t momentum_helicity = 101;

// State of a polarised vector beside its helicities, along its momentum.
inline constexpr std::int32_t auxiliary_state = 2;

// The bit of a state of a polarised propagator: its helicity, twice its value for fermions, or
// `auxiliary_state`.
MADNIS_FN constexpr std::int32_t state_bit(std::int32_t state) { return 1 << (state + 1); }

// Rows of the tables: `columns` are what Python calls their members.

struct ExternalRow {  // `scale`: the constant that multiplies the wavefunction, < 0 for none
    std::int32_t leg, kind, antiparticle, incoming, helicity, spin, mass, scale, offset;
    static constexpr const char* columns[] = {
        "leg", "kind", "antiparticle", "incoming", "helicity", "spin", "mass", "scale", "offset"};
};

struct MomentumRow {  // sum of two earlier ones; the first are those of the legs, all incoming
    std::int32_t a, b;
    static constexpr const char* columns[] = {"a", "b"};
};

// 1 / (p^2 - M^2 + i M Gamma), or where `degree` > 0, 1 / sum of constants[first + k] (p^2)^k.
struct PropagatorRow {
    std::int32_t momentum, mass, width, first, degree;
    static constexpr const char* columns[] = {"momentum", "mass", "width", "first", "degree"};
};

struct NodeRow {  // `states`, `brings`: of polarised propagators
    std::int32_t kind, finish, offset, instances, first_term, terms, propagator, momentum, mass,
        states, brings;
    static constexpr const char* columns[] = {"kind",       "finish", "offset",     "instances",
                                              "first_term", "terms",  "propagator", "momentum",
                                              "mass",       "states", "brings"};
};

struct TermRow {
    std::int32_t operation, complex, a, b, c, momentum_a, momentum_b, coefficient, index;
    static constexpr const char* columns[] = {
        "operation", "complex", "a", "b", "c", "momentum_a", "momentum_b", "coefficient", "index"};
};

// How the components of a current follow from those of others, any Lorentz structure: registers,
// complex numbers, are loaded and then filled step by step. A term with it has the first of its
// `OperandRow`s in `a`, its program in `b`, and an index of as many columns as children.
struct ProgramRow {
    std::int32_t children, first_load, loads, first_step, steps, first_output, outputs;
    static constexpr const char* columns[] = {"children", "first_load",   "loads",  "first_step",
                                              "steps",    "first_output", "outputs"};
};

struct OperandRow {  // a child: its first instance, the numbers of each, its momentum
    std::int32_t offset, numbers, momentum;
    static constexpr const char* columns[] = {"offset", "numbers", "momentum"};
};

struct
    LoadRow {  // `component`: of the wave, or `momentum_component` + mu; `child` < 0: the number 1
    std::int32_t child, component;
    static constexpr const char* columns[] = {"child", "component"};
};

// Of a step of a form factor: product, or a function of register `a`; `choice` takes register `b`
// where the real part of `a` is above zero, and leaves the target as it is elsewhere.
enum class StepFunction : std::int32_t {
    product,
    inverse,
    root,
    exponential,
    logarithm,
    conjugated,
    choice,
};

// Register `target` = or, unless it is `first`, += number x a x b; `b` < 0 for none.
struct StepRow {
    std::int32_t target, first, number, a, b, function;
    static constexpr const char* columns[] = {"target", "first", "number", "a", "b", "function"};
};

struct OutputRow {  // component of what comes out += number x register
    std::int32_t component, number, source;
    static constexpr const char* columns[] = {"component", "number", "source"};
};

inline constexpr std::int32_t momentum_component = 16;

// g_s^2 = 4 pi alpha_s
inline constexpr double four_pi = 4 * std::numbers::pi;

struct CurrentsSpec {
    std::size_t n_legs, workspace;  // numbers
    const std::int32_t* frame;      // legs whose rest frame helicities are defined in
    std::size_t n_frame;            // 0: the frame of the momenta
    const ExternalRow* externals;
    std::size_t n_externals;
    const MomentumRow* momenta;
    std::size_t n_momenta;
    const PropagatorRow* propagators;
    std::size_t n_propagators;
    const NodeRow* nodes;
    std::size_t n_nodes;
    const TermRow* terms;
    // Per term and instance the instances of a, b, c; a < 0 where the term vanishes.
    const std::int32_t* index;
    const double* constants;  // complex numbers, real and imaginary parts
    std::size_t zeros;        // numbers, an instance of any kind that vanishes
    std::size_t n_registers;  // of the largest program
    const ProgramRow* programs;
    std::size_t n_programs;
    const OperandRow* operands;
    std::size_t n_operands;
    const LoadRow* loads;
    std::size_t n_loads;
    const StepRow* steps;
    std::size_t n_steps;
    const OutputRow* outputs;
    std::size_t n_outputs;
};

// A current times a source, added to an amplitude.
struct ContractionRow {
    std::int32_t kind, current, source, amplitude;
    static constexpr const char* columns[] = {"kind", "current", "source", "amplitude"};
};

// A part of a column of the colour matrix: amplitude times g_s^power.
struct AssemblyRow {
    std::int32_t column, amplitude, power;
    static constexpr const char* columns[] = {"column", "amplitude", "power"};
};

struct AmplitudeSpec {
    CurrentsSpec currents;
    const std::int32_t* instances;  // (n_helicities, n_contracted): offsets in the workspace
    std::size_t n_helicities, n_contracted;
    const ContractionRow* contractions;
    const double* contraction_factors;
    std::size_t n_contractions, n_amplitudes;
    const AssemblyRow* assembly;  // null: the amplitudes are the columns
    const double* assembly_factors;
    std::size_t n_assembly, n_columns;
    const double* colour;  // (n_columns, n_columns), row a holds twice the elements b > a
    const std::int32_t* flow_columns;  // column and square of the factor of each flow
    const double* flow_factors;
    std::size_t n_flows;
    std::int32_t power;  // of g_s, common to all amplitudes
    double average;
};

// A density matrix of a node: hermitian, sum over its instances.
struct DensityRow {
    std::int32_t kind, offset, instances;
    static constexpr const char* columns[] = {"kind", "offset", "instances"};
};

struct PairRow {
    std::int32_t kind, current, source, diagram;
    static constexpr const char* columns[] = {"kind", "current", "source", "diagram"};
};

struct DiagramSquaresSpec {
    CurrentsSpec currents;
    const DensityRow* densities;
    std::size_t n_densities;
    const PairRow* pairs;
    const double* pair_factors;
    std::size_t n_pairs;
    const std::int32_t* powers;  // of g_s, per diagram
    std::size_t n_diagrams;
};

// What an amplitude is evaluated at.
struct EventInput {
    ConstBatch p;
    const double* alpha_s;
    ConstBatch helicities;  // (n, n_legs) where the tape takes them from the event, null otherwise
};

struct AmplitudeOutput {
    double* me2;
    MutableBatch flows;       // (n, n_flows) |J_k|^2, or null
    MutableBatch helicities;  // (n, n_helicities), or null
};

// Numbers of a density matrix: the diagonal, then real and imaginary parts above it.
inline constexpr std::size_t density_size = 16;

inline namespace MADNIS_ISA {

// Numbers of the workspace of a tape.

inline std::size_t workspace_numbers(const CurrentsSpec& spec) {
    return spec.workspace + 4 * (spec.n_legs + spec.n_momenta) + 2 * spec.n_propagators +
           2 * spec.n_registers;
}

inline std::size_t workspace_numbers(const AmplitudeSpec& spec) {
    return workspace_numbers(spec.currents) + 2 * (spec.n_amplitudes + spec.n_columns) +
           spec.n_columns;
}

inline std::size_t workspace_numbers(const DiagramSquaresSpec& spec) {
    return workspace_numbers(spec.currents) + density_size * spec.n_densities + spec.n_diagrams;
}

}  // inline namespace MADNIS_ISA

}  // namespace madnis

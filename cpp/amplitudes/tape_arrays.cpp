#include "amplitudes/tape_arrays.hpp"

#include <stdexcept>
#include <tuple>
#include <utility>

namespace madnis {
namespace {

template <class Map>
const typename Map::mapped_type& find(const Map& map, const std::string& name) {
    const auto found = map.find(name);
    if (found == map.end()) {
        throw std::invalid_argument("tape: expected an array " + name + "; got none");
    }
    return found->second;
}

template <class Row>
std::pair<const Row*, std::size_t> rows(const TapeArrays& arrays, const char* name) {
    constexpr std::size_t columns = sizeof(Row) / sizeof(std::int32_t);
    const auto& data = arrays.integers(name);
    if (data.size() % columns != 0) {
        throw std::invalid_argument(std::string(name) + ": expected whole rows");
    }
    return {reinterpret_cast<const Row*>(data.data()), data.size() / columns};
}

std::size_t size(const TapeArrays& arrays, const char* name, std::size_t place) {
    return std::size_t(arrays.integers(name).at(place));
}

// `sizes` is [n_legs, workspace, ...] of the tape, `registers` [zeros, registers of programs].
CurrentsSpec currents_spec(const TapeArrays& arrays) {
    CurrentsSpec spec{};
    spec.n_legs = size(arrays, "sizes", 0);
    spec.workspace = size(arrays, "sizes", 1);
    spec.frame = arrays.integers("frame").data();
    spec.n_frame = arrays.integers("frame").size();
    std::tie(spec.externals, spec.n_externals) = rows<ExternalRow>(arrays, "externals");
    std::tie(spec.momenta, spec.n_momenta) = rows<MomentumRow>(arrays, "momenta");
    std::tie(spec.propagators, spec.n_propagators) = rows<PropagatorRow>(arrays, "propagators");
    std::tie(spec.nodes, spec.n_nodes) = rows<NodeRow>(arrays, "nodes");
    spec.terms = rows<TermRow>(arrays, "terms").first;
    spec.index = arrays.integers("index").data();
    spec.constants = arrays.numbers("constants").data();
    spec.zeros = size(arrays, "registers", 0);
    spec.n_registers = size(arrays, "registers", 1);
    std::tie(spec.programs, spec.n_programs) = rows<ProgramRow>(arrays, "programs");
    std::tie(spec.operands, spec.n_operands) = rows<OperandRow>(arrays, "operands");
    std::tie(spec.loads, spec.n_loads) = rows<LoadRow>(arrays, "loads");
    std::tie(spec.steps, spec.n_steps) = rows<StepRow>(arrays, "steps");
    std::tie(spec.outputs, spec.n_outputs) = rows<OutputRow>(arrays, "outputs");
    return spec;
}

CurrentsSpec relocated(CurrentsSpec spec, const TapeArrays& arrays, Image& image) {
    spec.frame = image.put(spec.frame, spec.n_frame);
    spec.externals = image.put(spec.externals, spec.n_externals);
    spec.momenta = image.put(spec.momenta, spec.n_momenta);
    spec.propagators = image.put(spec.propagators, spec.n_propagators);
    spec.nodes = image.put(spec.nodes, spec.n_nodes);
    spec.terms = image.put(spec.terms, rows<TermRow>(arrays, "terms").second);
    spec.index = image.put(spec.index, arrays.integers("index").size());
    spec.constants = image.put(spec.constants, arrays.numbers("constants").size());
    spec.programs = image.put(spec.programs, spec.n_programs);
    spec.operands = image.put(spec.operands, spec.n_operands);
    spec.loads = image.put(spec.loads, spec.n_loads);
    spec.steps = image.put(spec.steps, spec.n_steps);
    spec.outputs = image.put(spec.outputs, spec.n_outputs);
    return spec;
}

}  // namespace

const std::vector<double>& TapeArrays::numbers(const std::string& name) const {
    return find(numbers_, name);
}
const std::vector<std::int32_t>& TapeArrays::integers(const std::string& name) const {
    return find(integers_, name);
}

AmplitudeSpec amplitude_spec(const TapeArrays& arrays, double average) {
    AmplitudeSpec spec{};
    spec.currents = currents_spec(arrays);
    spec.n_helicities = size(arrays, "sizes", 2);
    spec.n_contracted = size(arrays, "sizes", 3);
    spec.n_amplitudes = size(arrays, "sizes", 4);
    spec.n_columns = size(arrays, "sizes", 5);
    spec.power = std::int32_t(size(arrays, "sizes", 6));
    spec.instances = arrays.integers("instances").data();
    std::tie(spec.contractions, spec.n_contractions) = rows<ContractionRow>(arrays, "contractions");
    spec.contraction_factors = arrays.numbers("contraction_factors").data();
    std::tie(spec.assembly, spec.n_assembly) = rows<AssemblyRow>(arrays, "assembly");
    if (spec.n_assembly == 0) spec.assembly = nullptr;
    spec.assembly_factors = arrays.numbers("assembly_factors").data();
    spec.colour = arrays.numbers("colour").data();
    spec.flow_columns = arrays.integers("flow_columns").data();
    spec.n_flows = arrays.integers("flow_columns").size();
    spec.flow_factors = arrays.numbers("flow_factors").data();
    spec.average = average;
    return spec;
}

DiagramSquaresSpec diagram_squares_spec(const TapeArrays& arrays) {
    DiagramSquaresSpec spec{};
    spec.currents = currents_spec(arrays);
    std::tie(spec.densities, spec.n_densities) = rows<DensityRow>(arrays, "densities");
    std::tie(spec.pairs, spec.n_pairs) = rows<PairRow>(arrays, "pairs");
    spec.pair_factors = arrays.numbers("pair_factors").data();
    spec.powers = arrays.integers("powers").data();
    spec.n_diagrams = arrays.integers("powers").size();
    return spec;
}

AmplitudeSpec relocated(AmplitudeSpec spec, const TapeArrays& arrays, Image& image) {
    spec.currents = relocated(spec.currents, arrays, image);
    spec.instances = image.put(spec.instances, spec.n_helicities * spec.n_contracted);
    spec.contractions = image.put(spec.contractions, spec.n_contractions);
    spec.contraction_factors = image.put(spec.contraction_factors, spec.n_contractions);
    spec.assembly = image.put(spec.assembly, spec.n_assembly);
    spec.assembly_factors = image.put(spec.assembly_factors, spec.n_assembly);
    spec.colour = image.put(spec.colour, spec.n_columns * spec.n_columns);
    spec.flow_columns = image.put(spec.flow_columns, spec.n_flows);
    spec.flow_factors = image.put(spec.flow_factors, spec.n_flows);
    return spec;
}

DiagramSquaresSpec relocated(DiagramSquaresSpec spec, const TapeArrays& arrays, Image& image) {
    spec.currents = relocated(spec.currents, arrays, image);
    spec.densities = image.put(spec.densities, spec.n_densities);
    spec.pairs = image.put(spec.pairs, spec.n_pairs);
    spec.pair_factors = image.put(spec.pair_factors, spec.n_pairs);
    spec.powers = image.put(spec.powers, spec.n_diagrams);
    return spec;
}

}  // namespace madnis

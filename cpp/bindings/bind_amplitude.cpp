#include <pybind11/stl.h>

#include <map>
#include <optional>

#include "arrays.hpp"
#include "madnis/kernel_table.hpp"
#include "madnis/tape.hpp"

namespace madnis::bindings {
namespace {

// The arrays of a tape by name. Tables of rows are int32 (n, columns), copied here once.
class Arrays {
public:
    using Dict = std::map<std::string, py::array>;

    explicit Arrays(const Dict& arrays) {
        for (const auto& [name, array] : arrays) {
            if (py::dtype::of<double>().equal(array.dtype())) {
                numbers_[name] = copy<double>(array);
            } else {
                const auto* data = typed<std::int32_t>(array, name.c_str(), "int32 or float64");
                if (!(array.flags() & py::array::c_style)) fail(name.c_str(), "a C-contiguous array", array);
                integers_[name].assign(data, data + array.size());
            }
        }
    }

    const std::vector<double>& numbers(const char* name) const { return find(numbers_, name); }
    const std::vector<std::int32_t>& integers(const char* name) const { return find(integers_, name); }

    template <class Row>
    std::pair<const Row*, std::size_t> rows(const char* name) const {
        constexpr std::size_t columns = sizeof(Row) / sizeof(std::int32_t);
        const auto& data = integers(name);
        if (data.size() % columns != 0) throw py::value_error(std::string(name) + ": expected whole rows");
        return {reinterpret_cast<const Row*>(data.data()), data.size() / columns};
    }

    std::size_t size(const char* name, std::size_t place) const { return std::size_t(integers(name).at(place)); }

private:
    template <class Number>
    static std::vector<Number> copy(const py::array& array) {
        const auto* data = static_cast<const Number*>(array.data());
        return {data, data + array.size()};
    }

    template <class Map>
    static const typename Map::mapped_type& find(const Map& map, const char* name) {
        const auto found = map.find(name);
        if (found == map.end()) throw py::value_error(std::string("tape: expected an array ") + name + "; got none");
        return found->second;
    }

    std::map<std::string, std::vector<std::int32_t>> integers_;
    std::map<std::string, std::vector<double>> numbers_;
};

// `sizes` is [n_legs, workspace, ...] of the tape.
CurrentsSpec currents_of(const Arrays& arrays) {
    CurrentsSpec spec{};
    spec.n_legs = arrays.size("sizes", 0);
    spec.workspace = arrays.size("sizes", 1);
    std::tie(spec.externals, spec.n_externals) = arrays.rows<ExternalRow>("externals");
    std::tie(spec.momenta, spec.n_momenta) = arrays.rows<MomentumRow>("momenta");
    std::tie(spec.propagators, spec.n_propagators) = arrays.rows<PropagatorRow>("propagators");
    std::tie(spec.nodes, spec.n_nodes) = arrays.rows<NodeRow>("nodes");
    spec.terms = arrays.rows<TermRow>("terms").first;
    spec.index = arrays.integers("index").data();
    spec.constants = arrays.numbers("constants").data();
    return spec;
}

class AmplitudeTape {
public:
    AmplitudeTape(const Arrays::Dict& arrays, double average) : arrays_(arrays), spec_{} {
        spec_.currents = currents_of(arrays_);
        spec_.n_helicities = arrays_.size("sizes", 2);
        spec_.n_contracted = arrays_.size("sizes", 3);
        spec_.n_amplitudes = arrays_.size("sizes", 4);
        spec_.n_columns = arrays_.size("sizes", 5);
        spec_.power = std::int32_t(arrays_.size("sizes", 6));
        spec_.instances = arrays_.integers("instances").data();
        std::tie(spec_.contractions, spec_.n_contractions) = arrays_.rows<ContractionRow>("contractions");
        spec_.contraction_factors = arrays_.numbers("contraction_factors").data();
        std::tie(spec_.assembly, spec_.n_assembly) = arrays_.rows<AssemblyRow>("assembly");
        if (spec_.n_assembly == 0) spec_.assembly = nullptr;
        spec_.assembly_factors = arrays_.numbers("assembly_factors").data();
        spec_.colour = arrays_.numbers("colour").data();
        spec_.flow_columns = arrays_.integers("flow_columns").data();
        spec_.n_flows = arrays_.integers("flow_columns").size();
        spec_.flow_factors = arrays_.numbers("flow_factors").data();
        spec_.average = average;
    }

    AmplitudeTape(const AmplitudeTape&) = delete;

    py::tuple evaluate(const py::array& p, const py::array& alpha_s, const std::optional<py::array>& helicities,
                       bool flow_weights, bool helicity_weights, bool single) const {
        EventInput input{momenta(p, "p", spec_.currents.n_legs), nullptr, {}};
        input.alpha_s = scalars(alpha_s, "alpha_s", input.p.count);
        if (helicities) {
            input.helicities = points(*helicities, "helicities", spec_.currents.n_legs);
            if (input.helicities.count != input.p.count) fail("helicities", "as many events as p", *helicities);
        }
        py::array_t<double> me2(py::ssize_t(input.p.count));
        AmplitudeOutput output{me2.mutable_data(), {}, {}};
        py::object flows = py::none(), states = py::none();
        if (flow_weights) {
            auto made = new_points(input.p.count, spec_.n_flows);
            output.flows = made.view;
            flows = made.array;
        }
        if (helicity_weights) {
            auto made = new_points(input.p.count, spec_.n_helicities);
            output.helicities = made.view;
            states = made.array;
        }
        {
            py::gil_scoped_release release;  // pure C++ inside
            kernels().amplitude(spec_, input, output, single);
        }
        return py::make_tuple(std::move(me2), flows, states);
    }

private:
    Arrays arrays_;
    AmplitudeSpec spec_;
};

class DiagramTape {
public:
    explicit DiagramTape(const Arrays::Dict& arrays) : arrays_(arrays), spec_{} {
        spec_.currents = currents_of(arrays_);
        std::tie(spec_.densities, spec_.n_densities) = arrays_.rows<DensityRow>("densities");
        std::tie(spec_.pairs, spec_.n_pairs) = arrays_.rows<PairRow>("pairs");
        spec_.pair_factors = arrays_.numbers("pair_factors").data();
        spec_.powers = arrays_.integers("powers").data();
        spec_.n_diagrams = arrays_.integers("powers").size();
    }

    DiagramTape(const DiagramTape&) = delete;

    py::array evaluate(const py::array& p, const py::array& alpha_s) const {
        EventInput input{momenta(p, "p", spec_.currents.n_legs), nullptr, {}};
        input.alpha_s = scalars(alpha_s, "alpha_s", input.p.count);
        auto squares = new_points(input.p.count, spec_.n_diagrams);
        {
            py::gil_scoped_release release;  // pure C++ inside
            kernels().diagram_squares(spec_, input, squares.view);
        }
        return std::move(squares.array);
    }

private:
    Arrays arrays_;
    DiagramSquaresSpec spec_;
};

}  // namespace

void bind_amplitude(py::module_& m) {
    py::class_<AmplitudeTape>(m, "AmplitudeTape", "|M|^2 of a process from the arrays of its tape.")
        .def(py::init<const Arrays::Dict&, double>(), py::arg("arrays"), py::arg("average"))
        .def("evaluate", &AmplitudeTape::evaluate, py::arg("p"), py::arg("alpha_s"), py::arg("helicities"),
             py::arg("flow_weights"), py::arg("helicity_weights"), py::arg("single"),
             "|M|^2, float64 (n,), |J_k|^2 of the colour flows, float64 (n, n_flows), and the parts of the helicities, "
             "float64 (n, n_helicities), the last two None where they are not wanted.");
    py::class_<DiagramTape>(m, "DiagramTape", "|M_i|^2 of the diagrams of a process from the arrays of its tape.")
        .def(py::init<const Arrays::Dict&>(), py::arg("arrays"))
        .def("evaluate", &DiagramTape::evaluate, py::arg("p"), py::arg("alpha_s"),
             "Helicity sums without colour and averages, float64 (n, n_diagrams).");
}

}  // namespace madnis::bindings

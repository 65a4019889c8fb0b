#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <map>
#include <optional>

#include "amplitudes/tape_arrays.hpp"
#include "amplitudes/tape_kernels.hpp"
#include "runtime/arrays.hpp"

namespace madnis::bindings {
namespace {

using Dict = std::map<std::string, py::array>;

template <class Number>
std::vector<Number> copy(const py::array& array, const char* name) {
    const auto* data = typed<Number>(array, name, "int32 or float64");
    return {data, data + array.size()};
}

TapeArrays arrays_of(const Dict& arrays) {
    TapeArrays copies;
    for (const auto& [name, array] : arrays) {
        if (!(array.flags() & py::array::c_style)) {
            fail(name.c_str(), "a C-contiguous array", array);
        }
        if (py::dtype::of<double>().equal(array.dtype())) {
            copies.set(name, copy<double>(array, name.c_str()));
        } else {
            copies.set(name, copy<std::int32_t>(array, name.c_str()));
        }
    }
    return copies;
}

class AmplitudeTape {
public:
    AmplitudeTape(const Dict& arrays, double average)
        : arrays_(arrays_of(arrays)), spec_(amplitude_spec(arrays_, average)) {}

    AmplitudeTape(const AmplitudeTape&) = delete;

    py::tuple evaluate(const py::array& p, const py::array& alpha_s,
                       const std::optional<py::array>& helicities, bool flow_weights,
                       bool helicity_weights, bool single) const {
        EventInput input{momenta(p, "p", spec_.currents.n_legs), nullptr, {}};
        input.alpha_s = scalars(alpha_s, "alpha_s", input.p.count);
        if (helicities) {
            input.helicities = points(*helicities, "helicities", spec_.currents.n_legs);
            if (input.helicities.count != input.p.count) {
                fail("helicities", "as many events as p", *helicities);
            }
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
            tape_kernels().amplitude(spec_, input, output, single);
        }
        return py::make_tuple(std::move(me2), flows, states);
    }

    py::bytes image(std::uintptr_t address) const {
        return image_of<AmplitudeSpec>(
            address, [this](Image& image) { return relocated(spec_, arrays_, image); });
    }

    std::size_t numbers() const { return workspace_numbers(spec_); }

private:
    TapeArrays arrays_;
    AmplitudeSpec spec_;
};

class DiagramTape {
public:
    explicit DiagramTape(const Dict& arrays)
        : arrays_(arrays_of(arrays)), spec_(diagram_squares_spec(arrays_)) {}

    DiagramTape(const DiagramTape&) = delete;

    py::array evaluate(const py::array& p, const py::array& alpha_s) const {
        EventInput input{momenta(p, "p", spec_.currents.n_legs), nullptr, {}};
        input.alpha_s = scalars(alpha_s, "alpha_s", input.p.count);
        auto squares = new_points(input.p.count, spec_.n_diagrams);
        {
            py::gil_scoped_release release;  // pure C++ inside
            tape_kernels().diagram_squares(spec_, input, squares.view);
        }
        return std::move(squares.array);
    }

    py::bytes image(std::uintptr_t address) const {
        return image_of<DiagramSquaresSpec>(
            address, [this](Image& image) { return relocated(spec_, arrays_, image); });
    }

    std::size_t numbers() const { return workspace_numbers(spec_); }

private:
    TapeArrays arrays_;
    DiagramSquaresSpec spec_;
};

template <class Row>
py::tuple columns_of() {
    static_assert(sizeof(Row) == std::size(Row::columns) * sizeof(std::int32_t));
    py::tuple names(std::size(Row::columns));
    for (std::size_t k = 0; k < names.size(); ++k) names[k] = Row::columns[k];
    return names;
}

constexpr const char* image_doc =
    "Bytes of the description, with pointers as if it lay at the address.";
constexpr const char* workspace_doc = "Numbers of the workspace of one event.";

// What Python writes tapes with.
void bind_tape(py::module_& m) {
    py::native_enum<WaveKind>(m, "WaveKind", "enum.IntEnum", "What a current is.")
        .value("scalar", WaveKind::scalar)
        .value("vector", WaveKind::vector)
        .value("ket", WaveKind::ket)
        .value("bra", WaveKind::bra)
        .value("tensor", WaveKind::tensor)
        .value("vector_ket", WaveKind::vector_ket)
        .value("vector_bra", WaveKind::vector_bra)
        .finalize();
    py::native_enum<Operation>(m, "Operation", "enum.IntEnum", "Vertices by what comes out.")
        .value("ffv_vector", Operation::ffv_vector)
        .value("ffv_ket", Operation::ffv_ket)
        .value("ffv_bra", Operation::ffv_bra)
        .value("ffs_scalar", Operation::ffs_scalar)
        .value("ffs_ket", Operation::ffs_ket)
        .value("ffs_bra", Operation::ffs_bra)
        .value("vvv", Operation::vvv)
        .value("vvvv", Operation::vvvv)
        .value("vvs_scalar", Operation::vvs_scalar)
        .value("vvs_vector", Operation::vvs_vector)
        .value("vvss_scalar", Operation::vvss_scalar)
        .value("vvss_vector", Operation::vvss_vector)
        .value("sss", Operation::sss)
        .value("ssss", Operation::ssss)
        .value("vss_scalar", Operation::vss_scalar)
        .value("vss_vector", Operation::vss_vector)
        .value("tensor", Operation::tensor)
        .finalize();
    py::native_enum<Finish>(m, "Finish", "enum.IntEnum", "What happens to a sum of vertices.")
        .value("raw", Finish::raw)
        .value("scalar", Finish::scalar)
        .value("vector", Finish::vector)
        .value("massive_vector", Finish::massive_vector)
        .value("ket", Finish::ket)
        .value("bra", Finish::bra)
        .value("polarised_vector", Finish::polarised_vector)
        .value("polarised_ket", Finish::polarised_ket)
        .value("polarised_bra", Finish::polarised_bra)
        .value("tensor", Finish::tensor)
        .value("vector_ket", Finish::vector_ket)
        .value("vector_bra", Finish::vector_bra)
        .value("factor", Finish::factor)
        .value("complex_vector", Finish::complex_vector)
        .value("complex_ket", Finish::complex_ket)
        .value("complex_bra", Finish::complex_bra)
        .finalize();
    py::native_enum<StepFunction>(m, "StepFunction", "enum.IntEnum",
                                  "What a step of a program does with its registers.")
        .value("product", StepFunction::product)
        .value("inverse", StepFunction::inverse)
        .value("root", StepFunction::root)
        .value("exponential", StepFunction::exponential)
        .value("logarithm", StepFunction::logarithm)
        .value("conjugated", StepFunction::conjugated)
        .value("choice", StepFunction::choice)
        .finalize();
    m.attr("CHOSEN_HELICITY") = chosen_helicity;
    m.attr("MOMENTUM_HELICITY") = momentum_helicity;
    m.def(
        "state_bit", [](int state) { return state_bit(state); }, py::arg("state"),
        "The bit of a state of a polarised propagator: helicity -1, 0, 1, or 2 for the auxiliary.");
    m.attr("AUXILIARY_STATE") = auxiliary_state;
    m.attr("SCALAR_NUMBERS") = scalar_numbers;
    m.attr("WAVE_NUMBERS") = wave_numbers;
    m.attr("WIDE_NUMBERS") = wide_numbers;
    m.attr("MOMENTUM_COMPONENT") = momentum_component;
    py::dict columns;
    columns["externals"] = columns_of<ExternalRow>();
    columns["momenta"] = columns_of<MomentumRow>();
    columns["propagators"] = columns_of<PropagatorRow>();
    columns["nodes"] = columns_of<NodeRow>();
    columns["terms"] = columns_of<TermRow>();
    columns["programs"] = columns_of<ProgramRow>();
    columns["operands"] = columns_of<OperandRow>();
    columns["loads"] = columns_of<LoadRow>();
    columns["steps"] = columns_of<StepRow>();
    columns["outputs"] = columns_of<OutputRow>();
    columns["contractions"] = columns_of<ContractionRow>();
    columns["assembly"] = columns_of<AssemblyRow>();
    columns["densities"] = columns_of<DensityRow>();
    columns["pairs"] = columns_of<PairRow>();
    m.attr("TAPE_COLUMNS") = columns;
}

}  // namespace

void bind_amplitude(py::module_& m) {
    bind_tape(m);
    py::class_<AmplitudeTape>(m, "AmplitudeTape", "|M|^2 of a process from the arrays of its tape.")
        .def(py::init<const Dict&, double>(), py::arg("arrays"), py::arg("average"))
        .def("evaluate", &AmplitudeTape::evaluate, py::arg("p"), py::arg("alpha_s"),
             py::arg("helicities"), py::arg("flow_weights"), py::arg("helicity_weights"),
             py::arg("single"),
             "|M|^2, float64 (n,), |J_k|^2 of the colour flows, float64 (n, n_flows), and the "
             "parts of the helicities, float64 (n, n_helicities), the last two None where they are "
             "not wanted.")
        .def("image", &AmplitudeTape::image, py::arg("address"), image_doc)
        .def_property_readonly("workspace_numbers", &AmplitudeTape::numbers, workspace_doc);
    py::class_<DiagramTape>(m, "DiagramTape",
                            "|M_i|^2 of the diagrams of a process from the arrays of its tape.")
        .def(py::init<const Dict&>(), py::arg("arrays"))
        .def("evaluate", &DiagramTape::evaluate, py::arg("p"), py::arg("alpha_s"),
             "Helicity sums without colour and averages, float64 (n, n_diagrams).")
        .def("image", &DiagramTape::image, py::arg("address"), image_doc)
        .def_property_readonly("workspace_numbers", &DiagramTape::numbers, workspace_doc);
}

}  // namespace madnis::bindings

#include <pybind11/stl.h>

#include "phase_space/mapping_kernels.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

using InvariantKernel = void (*SChannelKernels::*)(const InvariantSpec&, const double*, std::size_t,
                                                   double*, double*);

InvariantKind invariant_kind(const std::string& name) {
    if (name == "flat") return InvariantKind::flat;
    if (name == "breit_wigner") return InvariantKind::breit_wigner;
    if (name == "massless") return InvariantKind::massless;
    throw py::value_error("kind: expected flat, breit_wigner or massless; got " + name);
}

class Invariant {
public:
    Invariant(const std::string& kind, double mass, double width, double power, double s_min,
              double s_max)
        : spec{invariant_kind(kind), mass, width, power, s_min, s_max} {}

    py::tuple forward(const py::array& z) const {
        return apply(&SChannelKernels::invariant_forward, z, "z");
    }
    py::tuple inverse(const py::array& s) const {
        return apply(&SChannelKernels::invariant_inverse, s, "s");
    }

    const InvariantSpec spec;

private:
    py::tuple apply(InvariantKernel kernel, const py::array& input, const char* name) const {
        const auto* data = scalars(input, name);
        const auto count = std::size_t(input.size());
        py::array_t<double> output(input.size()), jacobian(input.size());
        auto *values = output.mutable_data(), *derivatives = jacobian.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            (s_channel_kernels().*kernel)(spec, data, count, values, derivatives);
        }
        return py::make_tuple(std::move(output), std::move(jacobian));
    }
};

class SChannel {
public:
    SChannel(const std::array<double, 2>& beam_energies, const std::array<double, 2>& masses,
             const Invariant& invariant, bool partonic)
        : spec_{{beam_energies[0], beam_energies[1]},
                {masses[0], masses[1]},
                invariant.spec,
                partonic} {}

    py::bytes image(std::uintptr_t address) const {
        return image_of<SChannelSpec>(address, [this](Image&) { return spec_; });
    }

    py::tuple forward(const py::array& x) const {
        const auto batch = points(x, "x", dim());
        auto p = new_momenta(batch.count, 4);
        py::array_t<double> jacobian(py::ssize_t(batch.count));
        auto* data = jacobian.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            s_channel_kernels().forward(spec_, batch, p.view, data);
        }
        return py::make_tuple(std::move(p.array), std::move(jacobian));
    }

    py::tuple inverse(const py::array& p) const {
        const auto batch = momenta(p, "p", 4);
        auto x = new_points(batch.count, dim());
        py::array_t<double> jacobian(py::ssize_t(batch.count));
        auto* data = jacobian.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            s_channel_kernels().inverse(spec_, batch, x.view, data);
        }
        return py::make_tuple(std::move(x.array), std::move(jacobian));
    }

private:
    std::size_t dim() const { return spec_.partonic ? 2 : 4; }

    SChannelSpec spec_;
};

}  // namespace

void bind_s_channel(py::module_& m) {
    py::class_<Invariant>(
        m, "Invariant",
        "Map from [0, 1] to a squared invariant mass between s_min and s_max, GeV^2.")
        .def(py::init<const std::string&, double, double, double, double, double>(),
             py::arg("kind"), py::arg("mass"), py::arg("width"), py::arg("power"), py::arg("s_min"),
             py::arg("s_max"))
        .def("forward", &Invariant::forward, py::arg("z"), "s and ds/dz, float64 (n,).")
        .def("inverse", &Invariant::inverse, py::arg("s"), "z and ds/dz, float64 (n,).");
    py::class_<SChannel>(m, "SChannel", "2 -> 2 through one time-like invariant.")
        .def(py::init<const std::array<double, 2>&, const std::array<double, 2>&, const Invariant&,
                      bool>(),
             py::arg("beam_energies"), py::arg("masses"), py::arg("invariant"), py::arg("partonic"))
        .def("forward", &SChannel::forward, py::arg("x"), "Momenta (n, 4, 4) and Jacobian (n,).")
        .def("inverse", &SChannel::inverse, py::arg("p"), "Points (n, dim) and Jacobian (n,).")
        .def("image", &SChannel::image, py::arg("address"),
             "Bytes of the description, the same for every address.");
}

}  // namespace madnis::bindings

#include <pybind11/stl.h>

#include "amplitudes/drell_yan_kernels.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

class DrellYan {
public:
    using Couplings = std::array<double, 2>;
    using Mediator = std::tuple<double, double, Couplings, Couplings>;

    DrellYan(const std::vector<Mediator>& mediators, const std::array<std::size_t, 4>& legs,
             double average)
        : spec_{nullptr, mediators.size(), {legs[0], legs[1], legs[2], legs[3]}, average} {
        for (const auto& [mass, width, quark, lepton] : mediators) {
            mediators_.push_back({mass, width, {quark[0], quark[1]}, {lepton[0], lepton[1]}});
        }
        spec_.mediators = mediators_.data();
    }

    DrellYan(const DrellYan&) = delete;

    py::tuple evaluate(const py::array& p) const {
        const auto batch = momenta(p, "p", 4);
        py::array_t<double> me2(py::ssize_t(batch.count));
        auto diagrams = new_points(batch.count, spec_.n_mediators);
        auto* data = me2.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            drell_yan_kernels().evaluate(spec_, batch, data, diagrams.view);
        }
        return py::make_tuple(std::move(me2), std::move(diagrams.array));
    }

    py::bytes image(std::uintptr_t address) const {
        return image_of<DrellYanSpec>(address, [this](Image& image) {
            DrellYanSpec spec = spec_;
            spec.mediators = image.put(spec_.mediators, spec_.n_mediators);
            return spec;
        });
    }

private:
    std::vector<MediatorSpec> mediators_;
    DrellYanSpec spec_;
};

}  // namespace

void bind_drell_yan(py::module_& m) {
    py::class_<DrellYan>(m, "DrellYan",
                         "q q~ -> neutral vector bosons -> l- l+ of massless fermions.")
        .def(py::init<const std::vector<DrellYan::Mediator>&, const std::array<std::size_t, 4>&,
                      double>(),
             py::arg("mediators"), py::arg("legs"), py::arg("average"))
        .def("evaluate", &DrellYan::evaluate, py::arg("p"),
             "|M|^2, float64 (n,), and the helicity sums |M_k|^2 per mediator, float64 (n, "
             "n_mediators).")
        .def("image", &DrellYan::image, py::arg("address"),
             "Bytes of the description, with pointers as if it lay at the address.");
}

}  // namespace madnis::bindings

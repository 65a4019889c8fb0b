#include <pybind11/stl.h>

#include "observables/observable_kernels.hpp"
#include "runtime/arrays.hpp"

namespace madnis::bindings {
namespace {

Observable observable(const std::string& name) {
    static constexpr const char* names[] = {"pt",   "eta",    "rapidity", "energy",
                                            "mass", "pt_sum", "dr"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        if (name == names[i]) return Observable(i);
    }
    throw py::value_error(
        "observable: expected pt, eta, rapidity, energy, mass, pt_sum or dr; got " + name);
}

// Owns what the descriptions point to.
class CutList {
public:
    using Arguments = std::tuple<std::string, std::vector<std::int64_t>, double, double>;

    explicit CutList(std::vector<Arguments> cuts) : arguments_(std::move(cuts)) {
        for (const auto& [name, particles, minimum, maximum] : arguments_) {
            specs_.push_back(
                {observable(name), particles.data(), particles.size(), minimum, maximum});
        }
    }

    CutList(const CutList&) = delete;

    py::array_t<bool> passes(const py::array& p) const {
        const auto batch = momenta(p, "p");
        for (const auto& cut : arguments_) check_particles(std::get<1>(cut), batch);
        py::array_t<bool> mask(py::ssize_t(batch.count));
        auto* data = mask.mutable_data();
        py::gil_scoped_release release;  // pure C++ from here on
        observable_kernels().cuts(specs_.data(), specs_.size(), batch, data);
        return mask;
    }

private:
    std::vector<Arguments> arguments_;
    std::vector<CutSpec> specs_;
};

}  // namespace

void bind_observables(py::module_& m) {
    py::class_<CutList>(
        m, "Cuts", "Cuts (observable, particles, minimum, maximum) that an event has to pass all.")
        .def(py::init<std::vector<CutList::Arguments>>(), py::arg("cuts"))
        .def("passes", &CutList::passes, py::arg("p"), "Whether each event passes, bool (n,).");
    m.def(
        "observables",
        [](const py::array& p, const std::vector<std::int64_t>& particles) {
            const auto batch = momenta(p, "p");
            check_particles(particles, batch);
            auto out = new_points(batch.count, 3 * particles.size());
            py::gil_scoped_release release;  // pure C++ from here on
            observable_kernels().features(batch, particles.data(), particles.size(), out.view);
            return std::move(out.array);
        },
        py::arg("p"), py::arg("particles"),
        "log(p_T/GeV), pseudorapidity and phi of the named particles, float64 (n, 3 * particles).");
}

}  // namespace madnis::bindings

#include <pybind11/stl.h>

#include "runtime/arrays.hpp"
#include "runtime/kernel_table.hpp"

namespace madnis::bindings {

void bind_observables(py::module_& m) {
    m.def(
        "observables",
        [](const py::array& p, const std::vector<std::int64_t>& particles) {
            const auto batch = momenta(p, "p");
            check_particles(particles, batch);
            auto out = new_points(batch.count, 3 * particles.size());
            py::gil_scoped_release release;  // pure C++ from here on
            kernels().observables(batch, particles.data(), particles.size(), out.view);
            return std::move(out.array);
        },
        py::arg("p"), py::arg("particles"),
        "log(p_T/GeV), pseudorapidity and phi of the named particles, float64 (n, 3 * particles).");
}

}  // namespace madnis::bindings

// The module _core: a list of what each topic binds.
#include <pybind11/pybind11.h>

namespace madnis::bindings {

void bind_amplitude(pybind11::module_& m);
void bind_clustering(pybind11::module_& m);
void bind_coupling(pybind11::module_& m);
void bind_drell_yan(pybind11::module_& m);
void bind_lhe(pybind11::module_& m);
void bind_observables(pybind11::module_& m);
void bind_pdf(pybind11::module_& m);
void bind_random(pybind11::module_& m);
void bind_runtime(pybind11::module_& m);
void bind_s_channel(pybind11::module_& m);
void bind_topology(pybind11::module_& m);

}  // namespace madnis::bindings

PYBIND11_MODULE(_core, m) {
    m.doc() =
        "Batch kernels of madnis_py: momenta in GeV, (n, particles, 4), events fastest in memory.";
    using namespace madnis::bindings;
    bind_amplitude(m);
    bind_clustering(m);
    bind_coupling(m);
    bind_drell_yan(m);
    bind_lhe(m);
    bind_observables(m);
    bind_pdf(m);
    bind_random(m);
    bind_runtime(m);
    bind_s_channel(m);
    bind_topology(m);
}

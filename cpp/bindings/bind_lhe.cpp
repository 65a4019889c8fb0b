#include "arrays.hpp"
#include "madnis/lhe_text.hpp"

namespace madnis::bindings {
namespace {

py::list as_bytes(std::vector<std::string> pieces) {
    py::list list(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        list[i] = py::bytes(pieces[i]);
        std::string().swap(pieces[i]);  // only one piece exists twice at a time
    }
    return list;
}

}  // namespace

void bind_lhe(py::module_& m) {
    m.def(
        "lhe_text",
        [](const py::array& pdg, const py::array& status, const py::array& mothers, const py::array& colour,
           const py::array& momenta, const py::array& mass, const py::array& spin, const py::array& weight,
           const py::array& scale, const py::array& alpha_qed, const py::array& alpha_s, const py::array& process_id) {
            if (pdg.ndim() != 2) fail("pdg", "int32 (n, particles), C-contiguous", pdg);
            const auto n = std::size_t(pdg.shape(0)), particles = std::size_t(pdg.shape(1));
            const EventRecords events{
                .count = n,
                .particles = particles,
                .weight = contiguous<double>(weight, "weight", {n}),
                .scale = contiguous<double>(scale, "scale", {n}),
                .alpha_qed = contiguous<double>(alpha_qed, "alpha_qed", {n}),
                .alpha_s = contiguous<double>(alpha_s, "alpha_s", {n}),
                .process_id = contiguous<std::int32_t>(process_id, "process_id", {n}),
                .pdg = contiguous<std::int32_t>(pdg, "pdg", {n, particles}),
                .status = contiguous<std::int32_t>(status, "status", {n, particles}),
                .mothers = contiguous<std::int32_t>(mothers, "mothers", {n, particles, 2}),
                .colour = contiguous<std::int32_t>(colour, "colour", {n, particles, 2}),
                .momenta = contiguous<double>(momenta, "momenta", {n, particles, 4}),
                .mass = contiguous<double>(mass, "mass", {n, particles}),
                .spin = contiguous<double>(spin, "spin", {n, particles}),
            };
            std::vector<std::string> pieces;
            {
                py::gil_scoped_release release;  // pure C++ from here on
                pieces = lhe_text(events);
            }
            return as_bytes(std::move(pieces));
        },
        py::arg("pdg"), py::arg("status"), py::arg("mothers"), py::arg("colour"), py::arg("momenta"), py::arg("mass"),
        py::arg("spin"), py::arg("weight"), py::arg("scale"), py::arg("alpha_qed"), py::arg("alpha_s"),
        py::arg("process_id"), "The <event> elements of a Les Houches file, as a list of bytes.");
}

}  // namespace madnis::bindings

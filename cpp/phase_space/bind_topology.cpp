#include <pybind11/stl.h>

#include <tuple>

#include "phase_space/mapping_kernels.hpp"
#include "runtime/arrays.hpp"

namespace madnis::bindings {
namespace {

// (kind, mass, width, power, pole, share)
using Line = std::tuple<std::string, double, double, double, double, double>;
// (left, right, leg, minimum, line)
using Cluster = std::tuple<std::int64_t, std::int64_t, std::int64_t, double, Line>;

LineKind kind_of(const std::string& name) {
    if (name == "resonance") return LineKind::resonance;
    if (name == "power") return LineKind::power;
    if (name == "mixture") return LineKind::mixture;
    if (name == "flat") return LineKind::flat;
    throw py::value_error("line: expected resonance, power, mixture or flat; got " + name);
}

LineSpec line_of(const Line& line) {
    const auto& [kind, mass, width, power, pole, share] = line;
    return {kind_of(kind), mass, width, power, pole, share};
}

class Topology {
public:
    Topology(const std::array<double, 2>& beam_energies, bool partonic, const Line& s_hat,
             const std::array<double, 2>& s_range, const std::vector<Cluster>& clusters,
             const std::vector<std::int64_t>& top, const std::vector<Line>& exchanges,
             const std::vector<double>& least_rest, const Line& rest,
             const std::vector<std::int64_t>& legs)
        : top_(top), legs_(legs), least_rest_(least_rest) {
        const auto n = std::int64_t(clusters.size());
        for (const auto& [left, right, leg, minimum, line] : clusters) {
            const auto place = std::int64_t(clusters_.size());
            const bool is_leg =
                left < 0 && right < 0 && leg >= 2 && leg < std::int64_t(legs.size());
            const bool decays = left >= 0 && right >= 0 && left < place && right < place;
            if (!is_leg && !decays) {
                throw py::value_error("clusters: expected legs, and children before parents");
            }
            clusters_.push_back({left, right, leg, minimum, line_of(line)});
        }
        for (const auto& line : exchanges) exchanges_.push_back(line_of(line));
        const bool fits = !top.empty() && exchanges.size() + 1 == top.size() &&
                          least_rest.size() == top.size() + 1 && clusters.size() <= max_clusters &&
                          legs.size() <= max_legs && legs.size() >= 4;
        for (const auto k : top) {
            if (k < 0 || k >= n) throw py::value_error("top: expected positions of clusters");
        }
        for (const auto k : legs) {
            if (k < 0 || k >= std::int64_t(legs.size())) {
                throw py::value_error("legs: expected a permutation");
            }
        }
        if (!fits) {
            throw py::value_error(
                "topology: expected 2 to 14 final particles and one exchange between clusters");
        }
        spec_ = {{beam_energies[0], beam_energies[1]},
                 partonic,
                 line_of(s_hat),
                 s_range[0],
                 s_range[1],
                 clusters_.data(),
                 clusters_.size(),
                 top_.data(),
                 top_.size(),
                 exchanges_.data(),
                 least_rest_.data(),
                 line_of(rest),
                 legs_.data(),
                 legs_.size(),
                 3 * (legs_.size() - 2) - 4 + (partonic ? 0 : 2)};
    }

    Topology(const Topology&) = delete;

    py::tuple forward(const py::array& x) const {
        const auto batch = points(x, "x", spec_.dim);
        auto p = new_momenta(batch.count, spec_.n_legs);
        py::array_t<double> jacobian(py::ssize_t(batch.count));
        auto* data = jacobian.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            topology_kernels().forward(spec_, batch, p.view, data);
        }
        return py::make_tuple(std::move(p.array), std::move(jacobian));
    }

    py::tuple inverse(const py::array& p) const {
        const auto batch = momenta(p, "p", spec_.n_legs);
        auto x = new_points(batch.count, spec_.dim);
        py::array_t<double> jacobian(py::ssize_t(batch.count));
        auto* data = jacobian.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            topology_kernels().inverse(spec_, batch, x.view, data);
        }
        return py::make_tuple(std::move(x.array), std::move(jacobian));
    }

private:
    std::vector<ClusterSpec> clusters_;
    std::vector<std::int64_t> top_, legs_;
    std::vector<LineSpec> exchanges_;
    std::vector<double> least_rest_;
    TopologySpec spec_{};
};

}  // namespace

void bind_topology(py::module_& m) {
    using Ids = const std::vector<std::int64_t>&;
    py::class_<Topology>(m, "Topology", "Phase space of a diagram: unit cube to momenta and back.")
        .def(py::init<const std::array<double, 2>&, bool, const Line&, const std::array<double, 2>&,
                      const std::vector<Cluster>&, Ids, const std::vector<Line>&,
                      const std::vector<double>&, const Line&, Ids>(),
             py::arg("beam_energies"), py::arg("partonic"), py::arg("s_hat"), py::arg("s_range"),
             py::arg("clusters"), py::arg("top"), py::arg("exchanges"), py::arg("least_rest"),
             py::arg("rest"), py::arg("legs"))
        .def("forward", &Topology::forward, py::arg("x"),
             "Momenta, float64 (n, legs, 4), and the Jacobian.")
        .def("inverse", &Topology::inverse, py::arg("p"),
             "Points, float64 (n, dim), and the Jacobian.");
}

}  // namespace madnis::bindings

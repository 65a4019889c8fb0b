#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "phase_space/mapping_kernels.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

class Topology {
public:
    Topology(const std::array<BeamSpec, 2>& beams, const LineSpec& s_hat,
             const std::array<double, 2>& s_range, const std::vector<ClusterSpec>& clusters,
             const std::vector<std::int64_t>& top, const std::vector<LineSpec>& exchanges,
             const std::vector<double>& least_rest, const LineSpec& rest,
             const std::vector<std::int64_t>& legs)
        : clusters_(clusters),
          top_(top),
          legs_(legs),
          exchanges_(exchanges),
          least_rest_(least_rest) {
        check();
        spec_ = {.beams = {beams[0], beams[1]},
                 .s_hat = s_hat,
                 .s_min = s_range[0],
                 .s_max = s_range[1],
                 .clusters = clusters_.data(),
                 .n_clusters = clusters_.size(),
                 .top = top_.data(),
                 .n_top = top_.size(),
                 .exchanges = exchanges_.data(),
                 .least_rest = least_rest_.data(),
                 .rest = rest,
                 .legs = legs_.data(),
                 .n_legs = legs_.size(),
                 .dim = 3 * (legs_.size() - 2) - 4 + n_shares(beams)};
    }

    Topology(const Topology&) = delete;

    py::bytes image(std::uintptr_t address) const {
        return image_of<TopologySpec>(address, [this](Image& image) {
            TopologySpec spec = spec_;
            spec.clusters = image.put(spec_.clusters, spec_.n_clusters);
            spec.top = image.put(spec_.top, spec_.n_top);
            spec.exchanges = image.put(spec_.exchanges, spec_.n_top - 1);
            spec.least_rest = image.put(spec_.least_rest, spec_.n_top + 1);
            spec.legs = image.put(spec_.legs, spec_.n_legs);
            return spec;
        });
    }

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
    static std::size_t n_shares(const std::array<BeamSpec, 2>& beams) {
        return std::size_t(std::count_if(beams.begin(), beams.end(), [](const BeamSpec& beam) {
            return beam.share != ShareKind::whole;
        }));
    }

    void check() const {
        const auto n_legs = std::int64_t(legs_.size());
        for (std::size_t place = 0; place < clusters_.size(); ++place) {
            const auto& [left, right, leg, minimum, maximum, line] = clusters_[place];
            const auto is_earlier = [&](auto child) {
                return child >= 0 && child < std::int64_t(place);
            };
            const bool is_leg = left < 0 && right < 0 && leg >= 2 && leg < n_legs;
            if (!is_leg && !(is_earlier(left) && is_earlier(right))) {
                throw py::value_error("clusters: expected legs, and children before parents");
            }
            if (!(minimum <= maximum)) {
                throw py::value_error("clusters: expected minimum <= maximum");
            }
        }
        for (const auto k : top_) {
            if (k < 0 || k >= std::int64_t(clusters_.size())) {
                throw py::value_error("top: expected positions of clusters");
            }
        }
        for (const auto k : legs_) {
            if (k < 0 || k >= n_legs) throw py::value_error("legs: expected a permutation");
        }
        const bool fits = !top_.empty() && exchanges_.size() + 1 == top_.size() &&
                          least_rest_.size() == top_.size() + 1 && legs_.size() <= max_legs &&
                          legs_.size() >= 4 && top_.size() <= legs_.size() - 2 &&
                          clusters_.size() <= most_clusters(legs_.size());
        if (!fits) {
            throw py::value_error("topology: expected 2 to " + std::to_string(max_legs - 2) +
                                  " final particles and one exchange between clusters");
        }
    }

    std::vector<ClusterSpec> clusters_;
    std::vector<std::int64_t> top_, legs_;
    std::vector<LineSpec> exchanges_;
    std::vector<double> least_rest_;
    TopologySpec spec_{};
};

}  // namespace

void bind_topology(py::module_& m) {
    py::native_enum<LineKind>(m, "LineKind", "enum.Enum",
                              "How the squared mass of a line is drawn.")
        .value("resonance", LineKind::resonance)
        .value("power", LineKind::power)
        .value("mixture", LineKind::mixture)
        .value("flat", LineKind::flat)
        .finalize();
    py::class_<LineSpec>(m, "Line", "Distribution of the squared mass of a line.")
        .def(py::init<LineKind, double, double, double, double, double, std::int32_t>(),
             py::kw_only(), py::arg("kind"), py::arg("mass") = 0., py::arg("width") = 0.,
             py::arg("power") = 0., py::arg("pole") = 0., py::arg("share") = 0.,
             py::arg("count") = 0)
        .def_readonly("kind", &LineSpec::kind)
        .def_readonly("mass", &LineSpec::mass, "Of the resonance in GeV.")
        .def_readonly("width", &LineSpec::width, "Of the resonance in GeV.")
        .def_readonly("power", &LineSpec::power, "Of 1 / (s - pole).")
        .def_readonly("pole", &LineSpec::pole, "In GeV^2, below all limits.")
        .def_readonly("share", &LineSpec::share, "Of the resonance in a mixture.")
        .def_readonly("count", &LineSpec::count, "Particles of flat phase space.");
    py::class_<ClusterSpec>(m, "Cluster", "Final particles that come from one line.")
        .def_static(
            "external",
            [](std::int64_t leg, double minimum) {
                return ClusterSpec{-1,      -1,      leg,
                                   minimum, minimum, {LineKind::power, 0, 0, 0, 0, 0, 0}};
            },
            py::kw_only(), py::arg("leg"), py::arg("minimum"),
            "A leg of this mass in GeV, incoming legs counted.")
        .def_static(
            "decaying",
            [](std::int64_t left, std::int64_t right, double minimum, double maximum,
               const LineSpec& line) {
                return ClusterSpec{left, right, -1, minimum, maximum, line};
            },
            py::kw_only(), py::arg("left"), py::arg("right"), py::arg("minimum"),
            py::arg("maximum"), py::arg("line"),
            "A line that decays to two earlier clusters, between these masses in GeV.")
        .def_readonly("minimum", &ClusterSpec::minimum, "Least mass in GeV.")
        .def_readonly("maximum", &ClusterSpec::maximum, "Greatest mass in GeV.");
    m.attr("LEAST_REST") = least_rest;
    py::native_enum<ShareKind>(m, "ShareKind", "enum.Enum",
                               "Which share of its beam a parton carries.")
        .value("whole", ShareKind::whole)
        .value("smooth", ShareKind::smooth)
        .value("peaked", ShareKind::peaked)
        .finalize();
    py::class_<BeamSpec>(m, "Beam", "A beam along the z axis and the parton that it brings.")
        .def(py::init<double, double, ShareKind, double>(), py::kw_only(), py::arg("energy"),
             py::arg("mass"), py::arg("share"), py::arg("power"))
        .def_readonly("energy", &BeamSpec::energy, "In GeV, of a parton that carries all of it.")
        .def_readonly("mass", &BeamSpec::mass, "Of the parton in GeV.")
        .def_readonly("share", &BeamSpec::share, "Which share the parton carries.")
        .def_readonly("power", &BeamSpec::power, "Of the peak (1 - x)^(power - 1).");
    using Ids = const std::vector<std::int64_t>&;
    py::class_<Topology>(m, "Topology", "Phase space of a diagram: unit cube to momenta and back.")
        .def(py::init<const std::array<BeamSpec, 2>&, const LineSpec&, const std::array<double, 2>&,
                      const std::vector<ClusterSpec>&, Ids, const std::vector<LineSpec>&,
                      const std::vector<double>&, const LineSpec&, Ids>(),
             py::kw_only(), py::arg("beams"), py::arg("s_hat"), py::arg("s_range"),
             py::arg("clusters"), py::arg("top"), py::arg("exchanges"), py::arg("least_rest"),
             py::arg("rest"), py::arg("legs"))
        .def("forward", &Topology::forward, py::arg("x"),
             "Momenta, float64 (n, legs, 4), and the Jacobian.")
        .def("inverse", &Topology::inverse, py::arg("p"),
             "Points, float64 (n, dim), and the Jacobian.")
        .def("image", &Topology::image, py::arg("address"),
             "Bytes of the description, with pointers as if it lay at the address.");
}

}  // namespace madnis::bindings

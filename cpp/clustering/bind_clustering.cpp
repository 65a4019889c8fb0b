#include <pybind11/stl.h>

#include "clustering/node_scales.hpp"
#include "runtime/arrays.hpp"
#include "runtime/parallel.hpp"

namespace madnis::bindings {
namespace {

// Momentum k of an event in the rest frame of the two partons, which move along z.
ClusterMomentum at_rest(const ConstBatch& p, std::size_t event, std::size_t k, double beta,
                        double gamma) {
    const auto component = [&](std::size_t mu) { return *p.at(event, 4 * k + mu); };
    const double e = component(0), z = component(3);
    ClusterMomentum momentum{gamma * (e - beta * z), component(1), component(2),
                             gamma * (z - beta * e), 0.};
    return momentum;
}

class Clustering {
public:
    using Line = std::tuple<Legs, int, bool, double, double, Legs>;
    using Diagram = std::pair<int, std::vector<Line>>;

    Clustering(std::vector<int> legs, std::vector<double> masses, std::vector<int> colours,
               const std::vector<Diagram>& diagrams, int max_jet_flavour, double window,
               bool hadrons, double xqcut, int coupling_flavour)
        : masses_(std::move(masses)),
          diagrams_(std::move(legs), std::move(colours), read(diagrams),
                    {max_jet_flavour, window, hadrons}),
          xqcut_(xqcut),
          coupling_flavour_(coupling_flavour) {}

    py::tuple scales(const py::array& p, const py::array& diagram) const {
        const auto batch = momenta(p, "p", diagrams_.n_legs());
        const auto* chosen = contiguous<std::int64_t>(diagram, "diagram", {batch.count});
        check(chosen, batch.count);
        py::array_t<double> mu({batch.count, std::size_t(3)});
        py::array_t<bool> passes(py::ssize_t(batch.count));
        auto* scale = mu.mutable_data();
        auto* pass = passes.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ from here on
            each(batch, chosen, false, [=](std::size_t event, const NodeScales& found) {
                scale[3 * event] = std::sqrt(found.mu_f2[0]);
                scale[3 * event + 1] = std::sqrt(found.mu_f2[1]);
                scale[3 * event + 2] = std::sqrt(found.mu_r2);
                pass[event] = found.passes;
            });
        }
        return py::make_tuple(mu, passes);
    }

    py::dict nodes(const py::array& p, const py::array& diagram) const {
        const std::size_t n_legs = diagrams_.n_legs();
        const auto batch = momenta(p, "p", n_legs);
        const auto* chosen = contiguous<std::int64_t>(diagram, "diagram", {batch.count});
        check(chosen, batch.count);
        const std::size_t n_nodes = n_legs - 2;
        const auto doubles = [&](std::vector<std::size_t> shape) {
            py::array_t<double> array(shape);
            std::fill_n(array.mutable_data(), array.size(), 0.);
            return array;
        };
        py::array_t<std::int64_t> lines({batch.count, std::size_t(2), n_nodes, std::size_t(3)});
        std::fill_n(lines.mutable_data(), lines.size(), std::int64_t(0));
        auto mu = doubles({batch.count, 5}), couplings = doubles({batch.count, n_nodes}),
             jets = doubles({batch.count, n_legs}), beams = doubles({batch.count, 2, n_nodes, 3});
        py::array_t<bool> passes(py::ssize_t(batch.count));
        auto *scale = mu.mutable_data(), *coupling = couplings.mutable_data(),
             *jet = jets.mutable_data(), *evolution = beams.mutable_data();
        auto* line = lines.mutable_data();
        auto* pass = passes.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ from here on
            each(batch, chosen, true, [=](std::size_t event, const NodeScales& found) {
                const double q2[] = {found.mu_f2[0], found.mu_f2[1], found.mu_r2,
                                     found.density_q2[0], found.density_q2[1]};
                for (std::size_t k = 0; k < 5; ++k) scale[5 * event + k] = std::sqrt(q2[k]);
                for (std::size_t k = 0; k < found.n_couplings; ++k) {
                    coupling[n_nodes * event + k] = std::sqrt(found.coupling_q2[k]);
                }
                for (std::size_t k = 0; k < n_legs; ++k) jet[n_legs * event + k] = found.jet_kt[k];
                for (std::size_t j = 0; j < 2; ++j) {
                    for (std::size_t k = 0; k < found.n_beam_nodes[j]; ++k) {
                        const auto& node = found.beam_nodes[j][k];
                        const std::size_t place = 3 * (n_nodes * (2 * event + j) + k);
                        line[place] = node.leg;
                        line[place + 1] = node.sign;
                        line[place + 2] = node.pdg;
                        evolution[place] = node.x_share;
                        evolution[place + 1] = std::sqrt(node.from);
                        evolution[place + 2] = std::sqrt(node.to);
                    }
                }
                pass[event] = found.passes;
            });
        }
        py::dict result;
        result["mu"] = mu;
        result["passes"] = passes;
        result["couplings"] = couplings;
        result["jet_kt"] = jets;
        result["lines"] = lines;
        result["evolution"] = beams;
        return result;
    }

private:
    static std::vector<ClusterDiagram> read(const std::vector<Diagram>& diagrams) {
        std::vector<ClusterDiagram> specs;
        for (const auto& [power, lines] : diagrams) {
            auto& spec = specs.emplace_back(ClusterDiagram{power, {}});
            for (const auto& [legs, pdg, decays, mass, width, daughter] : lines) {
                spec.lines.push_back({legs, pdg, decays, mass, width, daughter});
            }
        }
        return specs;
    }

    void check(const std::int64_t* diagram, std::size_t count) const {
        for (std::size_t event = 0; event < count; ++event) {
            if (diagram[event] < 0 || std::size_t(diagram[event]) >= diagrams_.size()) {
                throw py::value_error("diagram: expected 0.." +
                                      std::to_string(diagrams_.size() - 1) + "; got " +
                                      std::to_string(diagram[event]));
            }
        }
    }

    template <class Write>
    void each(const ConstBatch& p, const std::int64_t* diagram, bool merging,
              const Write& write) const {
        parallel_for(p.count, [&](std::size_t begin, std::size_t end) {
            NodeWalk walk(diagrams_, xqcut_, coupling_flavour_, merging);
            std::array<ClusterMomentum, most_legs> legs;
            for (std::size_t event = begin; event < end; ++event) {
                const double e = *p.at(event, 0) + *p.at(event, 4);
                const double beta = (*p.at(event, 3) + *p.at(event, 7)) / e;
                const double gamma = 1. / std::sqrt((1. - beta) * (1. + beta));
                for (std::size_t k = 0; k < diagrams_.n_legs(); ++k) {
                    legs[k] = at_rest(p, event, k, beta, gamma);
                    legs[k].mass2 = diagrams_.n_legs() == 3 && k == 2 ? legs[k].square()
                                                                      : masses_[k] * masses_[k];
                }
                write(event, walk(legs.data(), std::size_t(diagram[event])));
            }
        });
    }

    std::vector<double> masses_;
    ClusterDiagrams diagrams_;
    double xqcut_;
    int coupling_flavour_;
};

}  // namespace

void bind_clustering(py::module_& m) {
    py::class_<Clustering>(
        m, "Clustering",
        "kT clustering of the events of one process along its diagrams, and the scales from it.")
        .def(py::init<std::vector<int>, std::vector<double>, std::vector<int>,
                      const std::vector<Clustering::Diagram>&, int, double, bool, double, int>(),
             py::kw_only(), py::arg("legs"), py::arg("masses"), py::arg("colours"),
             py::arg("diagrams"), py::arg("max_jet_flavour"), py::arg("window"), py::arg("hadrons"),
             py::arg("xqcut"), py::arg("coupling_flavour"))
        .def("scales", &Clustering::scales, py::arg("p"), py::arg("diagram"),
             "mu_F of both beams and mu_R in GeV, float64 (n, 3), and whether the jets of each "
             "event are above the cut on kT, bool (n,).")
        .def("nodes", &Clustering::nodes, py::arg("p"), py::arg("diagram"),
             "All that merging needs, by names; see `physics/clustering`.");
}

}  // namespace madnis::bindings

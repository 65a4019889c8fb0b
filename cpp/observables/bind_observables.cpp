#include <pybind11/stl.h>

#include "observables/cut_specs.hpp"
#include "observables/observable_kernels.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

Observable observable(const std::string& name) {
    static constexpr const char* names[] = {
        "pt", "eta",  "rapidity", "energy", "partonic_energy", "mass", "pt_sum",
        "dr", "deta", "dy",       "dphi",   "eta_product",     "ht"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        if (name == names[i]) return Observable(i);
    }
    throw py::value_error("observable: expected one of those of cut_specs.hpp; got " + name);
}

// Particle, others, radius, exponent and epsilon.
using IsolationArguments =
    std::tuple<std::int64_t, std::vector<std::int64_t>, double, double, double>;

// Owns what the descriptions point to.
class CutList {
public:
    using Arguments = std::tuple<std::string, std::vector<std::int64_t>, double, double>;

    CutList(std::vector<Arguments> cuts, std::vector<IsolationArguments> isolations)
        : arguments_(std::move(cuts)), isolation_arguments_(std::move(isolations)) {
        for (const auto& [name, particles, minimum, maximum] : arguments_) {
            specs_.push_back(
                {observable(name), particles.data(), particles.size(), minimum, maximum});
        }
        for (const auto& [particle, others, radius, exponent, epsilon] : isolation_arguments_) {
            if (others.size() > most_particles) {
                throw py::value_error("isolation: expected at most " +
                                      std::to_string(most_particles) + " other particles");
            }
            isolations_.push_back(
                {particle, others.data(), others.size(), radius, exponent, epsilon});
        }
    }

    CutList(const CutList&) = delete;

    py::array_t<bool> passes(const py::array& p) const {
        const auto batch = momenta(p, "p");
        for (const auto& cut : arguments_) check_particles(std::get<1>(cut), batch);
        for (const auto& one : isolation_arguments_) {
            check_particles({std::get<0>(one)}, batch);
            check_particles(std::get<1>(one), batch);
        }
        py::array_t<bool> mask(py::ssize_t(batch.count));
        auto* data = mask.mutable_data();
        const CutSetSpec set = {specs_.data(),      specs_.size(),     nullptr, 0,
                                isolations_.data(), isolations_.size()};
        py::gil_scoped_release release;  // pure C++ from here on
        observable_kernels().cuts(set, batch, data);
        return mask;
    }

private:
    std::vector<Arguments> arguments_;
    std::vector<IsolationArguments> isolation_arguments_;
    std::vector<CutSpec> specs_;
    std::vector<IsolationSpec> isolations_;
};

// Cuts for the kernels of a device: common ones, and further sets.
class Selection {
public:
    using Particles = std::vector<std::int64_t>;
    using Ranked = std::pair<Particles, std::size_t>;
    using RankedArguments = std::tuple<std::string, std::vector<Ranked>, double, double>;
    using Set = std::tuple<std::vector<CutList::Arguments>, std::vector<RankedArguments>,
                           std::vector<IsolationArguments>>;

    Selection(std::int64_t n_particles, Set common, std::vector<Set> further)
        : n_particles_(n_particles), common_(std::move(common)), further_(std::move(further)) {
        check(common_);
        for (const auto& set : further_) check(set);
    }

    py::bytes image(std::uintptr_t address) const {
        return image_of<SelectionSpec>(address, [this](Image& image) {
            std::vector<CutSetSpec> further;
            for (const auto& set : further_) further.push_back(put(set, image));
            return SelectionSpec{put(common_, image), image.put(further.data(), further.size()),
                                 further.size()};
        });
    }

private:
    void check(const Set& set) const {
        const auto& [fixed, ranked, isolations] = set;
        for (const auto& cut : fixed) check(std::get<1>(cut));
        for (const auto& one : isolations) {
            check(Particles{std::get<0>(one)});
            check(std::get<1>(one));
        }
        for (const auto& cut : ranked) {
            if (std::get<1>(cut).size() > most_particles) fail();
            for (const auto& [particles, rank] : std::get<1>(cut)) {
                check(particles);
                if (rank < 1 || rank > particles.size()) fail();
            }
        }
    }

    void check(const Particles& particles) const {
        if (particles.empty() || particles.size() > most_particles) fail();
        for (const auto k : particles) {
            if (k < 0 || k >= n_particles_) fail();
        }
    }

    [[noreturn]] void fail() const {
        throw py::value_error("cuts: expected 1 to " + std::to_string(most_particles) +
                              " particles below " + std::to_string(n_particles_) +
                              " and ranks that they have");
    }

    static CutSetSpec put(const Set& set, Image& image) {
        const auto& [fixed_arguments, ranked_arguments, isolation_arguments] = set;
        std::vector<CutSpec> fixed;
        for (const auto& [name, particles, minimum, maximum] : fixed_arguments) {
            fixed.push_back({observable(name), image.put(particles.data(), particles.size()),
                             particles.size(), minimum, maximum});
        }
        std::vector<RankedCutSpec> ranked;
        for (const auto& [name, particles, minimum, maximum] : ranked_arguments) {
            std::vector<RankedSpec> chosen;
            for (const auto& [members, rank] : particles) {
                chosen.push_back({image.put(members.data(), members.size()), members.size(), rank});
            }
            ranked.push_back({observable(name), image.put(chosen.data(), chosen.size()),
                              chosen.size(), minimum, maximum});
        }
        std::vector<IsolationSpec> isolations;
        for (const auto& [particle, others, radius, exponent, epsilon] : isolation_arguments) {
            isolations.push_back({particle, image.put(others.data(), others.size()), others.size(),
                                  radius, exponent, epsilon});
        }
        return {image.put(fixed.data(), fixed.size()),           fixed.size(),
                image.put(ranked.data(), ranked.size()),         ranked.size(),
                image.put(isolations.data(), isolations.size()), isolations.size()};
    }

    std::int64_t n_particles_;
    Set common_;
    std::vector<Set> further_;
};

}  // namespace

void bind_observables(py::module_& m) {
    py::class_<CutList>(
        m, "Cuts",
        "Cuts (observable, particles, minimum, maximum) and isolations (particle, others, radius, "
        "exponent, epsilon) that an event has to pass all.")
        .def(py::init<std::vector<CutList::Arguments>, std::vector<IsolationArguments>>(),
             py::arg("cuts"), py::arg("isolations"))
        .def("passes", &CutList::passes, py::arg("p"), "Whether each event passes, bool (n,).");
    py::class_<Selection>(
        m, "Selection",
        "Cuts for the kernels of a device: sets of cuts at positions, cuts on ranks, isolations.")
        .def(py::init<std::int64_t, Selection::Set, std::vector<Selection::Set>>(), py::kw_only(),
             py::arg("n_particles"), py::arg("common"), py::arg("further"))
        .def("image", &Selection::image, py::arg("address"),
             "Bytes of the description, with pointers as if it lay at the address.");
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

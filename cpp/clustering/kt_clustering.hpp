// kT clustering of an event back along the diagrams of its process.
//
// The rules and measures are those of MadEvent, arXiv:0706.2569 and docs/clustering.md: only legs
// that are one line in a diagram merge, those of the smallest measure first, and a diagram without
// the merged line is left out from there on. Resonances close to their mass shell merge at it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "clustering/diagrams.hpp"

namespace madnis {

// A line: momentum in GeV and mass squared in GeV^2 as the measures know it.
struct ClusterMomentum {
    double e, x, y, z, mass2;

    double square() const { return e * e - x * x - y * y - z * z; }
    double pt2() const { return x * x + y * y; }
};

// Merging n of an event: two lines become one. The last one joins the incoming lines (`first`,
// `second`) and the system between them (`mother`).
struct Merging {
    Legs first, second, mother;
    double kt2;  // measure, GeV^2
    double mt2;  // of a leg that an incoming line has radiated, GeV^2; else 0
    double z;    // share of the energy that the incoming line keeps; 0 where it has no meaning
};

struct ClusterHistory {
    std::array<Merging, most_legs> mergings;
    std::size_t size = 0;
    double last_mt2 = 0.;     // sqrt of the product of mt^2 of the last two final lines, or 0
    std::size_t diagram = 0;  // whose lines the mergings have
};

class KtClustering {
public:
    explicit KtClustering(const ClusterDiagrams& diagrams)
        : diagrams_(diagrams),
          allowed_(diagrams.words()),
          line_(std::size_t(1) << diagrams.n_legs()) {}

    // Cluster an event.
    //
    // legs: momenta in the rest frame of the partons, first incoming one along +z.
    // diagram: that the event is attributed to; its resonances are kept, and diagrams of other
    //     powers of g_s left out.
    // alone: whether it is the only diagram.
    ClusterHistory operator()(const ClusterMomentum* legs, std::size_t diagram, bool alone) {
        start(legs, diagram, alone);
        ClusterHistory history;
        const std::size_t n_legs = diagrams_.n_legs();
        if (n_legs == 3) {
            history.mergings[history.size++] = {1, 2, 4, line_[4].mass2, 0., 0.};
            history.diagram = diagram;
            return history;
        }
        for (n_lines_ = n_legs; n_lines_ > 3;) {
            history.mergings[history.size++] = merge(closest(), history);
        }
        const Legs system = lines_[2];
        history.mergings[history.size++] = {
            lines_[0], lines_[1], system, beam_measure(line_[system]), 0., 1.};
        history.diagram = contains(diagram) ? diagram : first_allowed();
        return history;
    }

private:
    static constexpr double never = 1e37;
    static constexpr double crossed = 1. + 1e-6;  // breaks ties towards the nearer beam

    struct Pair {
        std::size_t first, second;  // places among the lines
        double kt2, z;
    };

    void start(const ClusterMomentum* legs, std::size_t diagram, bool alone) {
        boosted_ = false;
        for (std::size_t k = 0; k < diagrams_.n_legs(); ++k) {
            lines_[k] = Legs(1) << k;
            line_[lines_[k]] = legs[k];
        }
        find_resonances(legs, diagram);
        for (std::size_t g = 0; g < diagrams_.size(); ++g) {
            const auto bit = std::uint64_t(1) << (g % 64);
            auto& word = allowed_[g / 64];
            const bool good = alone ? g == diagram : compatible(g, diagram);
            word = good ? word | bit : word & ~bit;
        }
    }

    bool compatible(std::size_t g, std::size_t diagram) const {
        if (diagrams_[g].strong_power != diagrams_[diagram].strong_power) return false;
        for (std::size_t k = 0; k < n_resonances_; ++k) {
            if (!(diagrams_.unstable(resonances_[k])[g / 64] >> (g % 64) & 1)) return false;
        }
        return true;
    }

    // The decaying lines of a diagram within the window around their mass. Of two that carry the
    // same particle only the one that is closer counts; one that radiates a final leg is none.
    void find_resonances(const ClusterMomentum* legs, std::size_t diagram) {
        n_resonances_ = 0;
        std::array<double, most_legs> distance;
        for (const auto& line : diagrams_[diagram].lines) {
            if (!line.decays || !(line.width > 0.) || !(line.width < 0.1 * line.mass)) continue;
            const double off_shell = std::abs(mass_of(legs, line.legs) - line.mass);
            if (!(off_shell < diagrams_.settings().window * line.width)) continue;
            if (std::has_single_bit(line.daughter)) continue;
            std::size_t place = n_resonances_;
            for (std::size_t k = 0; k < n_resonances_; ++k) {
                if (resonances_[k] == line.daughter) place = k;
            }
            if (place < n_resonances_ && off_shell > distance[place]) continue;
            resonances_[place] = line.legs;
            distance[place] = off_shell;
            n_resonances_ = std::max(n_resonances_, place + 1);
        }
    }

    static double mass_of(const ClusterMomentum* legs, Legs set) {
        ClusterMomentum sum{0., 0., 0., 0., 0.};
        for (; set; set &= set - 1) sum = added(sum, legs[std::countr_zero(set)], 1.);
        return std::sqrt(std::max(sum.square(), 0.));
    }

    bool is_resonance(Legs legs) const {
        return std::find(resonances_.begin(), resonances_.begin() + n_resonances_, legs) !=
               resonances_.begin() + n_resonances_;
    }

    bool may_merge(Legs legs) const {
        const auto* with = diagrams_.with_line(legs);
        for (std::size_t w = 0; w < allowed_.size(); ++w) {
            if (allowed_[w] & with[w]) return true;
        }
        return false;
    }

    // The pair that merges next; of equal ones the first, in the order of the lines.
    Pair closest() const {
        Pair best{0, 0, never, 0.};
        for (std::size_t i = 2; i < n_lines_; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (!may_merge(lines_[i] | lines_[j])) continue;
                const double kt2 = measure(j, i);
                if (kt2 < best.kt2) best = {j, i, kt2, 0.};
            }
        }
        if (best.first < 2 && best.second) best.z = kept_share(best);
        return best;
    }

    double measure(std::size_t j, std::size_t i) const {
        const auto &a = line_[lines_[j]], &b = line_[lines_[i]];
        if (j < 2) return beam_measure(b) * (std::signbit(a.z) == std::signbit(b.z) ? 1. : crossed);
        if (is_resonance(lines_[i] | lines_[j])) return added(a, b, 1.).square();
        return pair_measure(b, a);
    }

    // m_T^2 = E^2 - p_z^2 of a line, or E^2 where no beam has parton densities.
    double beam_measure(const ClusterMomentum& p) const {
        if (!diagrams_.settings().hadrons) return std::max(p.e, 0.) * std::max(p.e, 0.);
        return (p.e - p.z) * (p.e + p.z);
    }

    // max(m_1^2, m_2^2) + 2 min(p_T1^2, p_T2^2) (cosh(Delta eta) - cos(Delta phi)), or that of
    // Durham where no beam has parton densities.
    double pair_measure(const ClusterMomentum& a, const ClusterMomentum& b) const {
        const double pa = std::sqrt(a.pt2() + a.z * a.z), pb = std::sqrt(b.pt2() + b.z * b.z);
        if (!diagrams_.settings().hadrons) {
            const double norm = pa * pb, cosine = (a.x * b.x + a.y * b.y + a.z * b.z) / norm;
            return norm > 0. ? 2. * std::min(a.e * a.e, b.e * b.e) * (1. - cosine) : 0.;
        }
        if (massless_beside(a, b)) return beam_measure(a) * crossed;
        if (massless_beside(b, a)) return beam_measure(b) * crossed;
        // cosh(Delta eta) - cos(Delta phi) = (|p_1| |p_2| - p_1 . p_2) / (p_T1 p_T2)
        const double ta = a.pt2(), tb = b.pt2();
        const double angles = (pa * pb - a.x * b.x - a.y * b.y - a.z * b.z) / std::sqrt(ta * tb);
        return std::max(a.mass2, b.mass2) + 2. * std::min(ta, tb) * angles;
    }

    // A massless line beside a massive one: there is only a soft divergence.
    bool massless_beside(const ClusterMomentum& light, const ClusterMomentum& heavy) const {
        return diagrams_.settings().max_jet_flavour > 3 && light.mass2 < 1. && heavy.mass2 >= 1.;
    }

    // s_hat after over before an incoming line has radiated.
    double kept_share(const Pair& pair) const {
        const auto &beam = line_[lines_[pair.first]], &leg = line_[lines_[pair.second]];
        const auto& other = line_[lines_[1 - pair.first]];
        const double after = added(added(beam, leg, -1.), other, 1.).square();
        return after < 1. ? 0. : after / added(beam, other, 1.).square();
    }

    Merging merge(const Pair& pair, ClusterHistory& history) {
        const Legs first = lines_[pair.first], second = lines_[pair.second];
        const Legs mother = first | second;
        Merging merging{first, second, mother, pair.kt2, 0., pair.z};
        const auto* with = diagrams_.with_line(mother);
        for (std::size_t w = 0; w < allowed_.size(); ++w) allowed_[w] &= with[w];
        const bool initial = pair.first < 2;
        auto& sum = line_[mother] = added(line_[first], line_[second], initial ? -1. : 1.);
        sum.mass2 = std::max(line_[first].mass2, line_[second].mass2);
        if (initial) {
            merging.mt2 = beam_measure(line_[second]);
        } else if (is_resonance(mother)) {
            sum.mass2 = pair.kt2;
        }
        lines_[pair.first] = mother;
        const bool boosts = initial && n_lines_ > 4;
        std::copy(lines_.begin() + pair.second + 1, lines_.begin() + n_lines_,
                  lines_.begin() + pair.second);
        --n_lines_;
        if (boosts) boost_to_rest(mother, lines_[1 - pair.first]);
        if (!initial && n_lines_ == 3) {
            history.last_mt2 = std::sqrt(beam_measure(line_[first]) * beam_measure(line_[second]));
            if (boosted_) undo_boost(line_[lines_[2]]);
        }
        return merging;
    }

    // Go to the rest frame of an incoming line that has radiated and the other one, with the first
    // of them along +z.
    void boost_to_rest(Legs mother, Legs other) {
        const auto total = added(line_[mother], line_[other], 1.);
        boosted_ = total.square() > 100.;
        if (!boosted_) return;
        frame_ = total;
        axis_ = boosted(line_[mother], frame_, -1.);
        for (std::size_t k = 0; k < n_lines_; ++k) {
            line_[lines_[k]] = turned(boosted(line_[lines_[k]], frame_, -1.), 1.);
        }
    }

    void undo_boost(ClusterMomentum& p) const { p = boosted(turned(p, -1.), frame_, 1.); }

    // p given in the rest frame of q where q is known (direction 1), or the other way round (-1).
    static ClusterMomentum boosted(const ClusterMomentum& p, const ClusterMomentum& q,
                                   double direction) {
        const double mass = std::sqrt(q.square());
        const double along = direction * (p.x * q.x + p.y * q.y + p.z * q.z);
        const double energy = (p.e * q.e + along) / mass;
        const double factor = direction * (energy + p.e) / (q.e + mass);
        return {energy, p.x + factor * q.x, p.y + factor * q.y, p.z + factor * q.z, p.mass2};
    }

    // The rotation that takes `axis_` to +z in the plane of both, or its inverse (direction -1).
    ClusterMomentum turned(const ClusterMomentum& p, double direction) const {
        const double nx = axis_.y, ny = -axis_.x, n2 = nx * nx + ny * ny;
        if (n2 <= 1e-34) return p;
        const double norm = std::sqrt(n2), length = std::sqrt(n2 + axis_.z * axis_.z);
        const double cosine = axis_.z / length, sine = direction * norm / length;
        const double ux = nx / norm, uy = ny / norm, along = ux * p.x + uy * p.y;
        const double tx = p.x - along * ux, ty = p.y - along * uy;
        // u x t of a vector t perpendicular to u
        const double cx = uy * p.z, cy = -ux * p.z, cz = ux * ty - uy * tx;
        return {p.e, along * ux + cosine * tx + sine * cx, along * uy + cosine * ty + sine * cy,
                cosine * p.z + sine * cz, p.mass2};
    }

    static ClusterMomentum added(const ClusterMomentum& a, const ClusterMomentum& b, double sign) {
        return {a.e + sign * b.e, a.x + sign * b.x, a.y + sign * b.y, a.z + sign * b.z, 0.};
    }

    bool contains(std::size_t g) const { return allowed_[g / 64] >> (g % 64) & 1; }

    std::size_t first_allowed() const {
        std::size_t w = 0;
        while (!allowed_[w]) ++w;
        return 64 * w + std::size_t(std::countr_zero(allowed_[w]));
    }

    const ClusterDiagrams& diagrams_;
    std::vector<std::uint64_t> allowed_;
    std::vector<ClusterMomentum> line_;  // by legs
    std::array<Legs, most_legs> lines_, resonances_;
    std::size_t n_lines_ = 0, n_resonances_ = 0;
    ClusterMomentum frame_{}, axis_{};
    bool boosted_ = false;
};

}  // namespace madnis

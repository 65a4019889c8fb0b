// Scales of an event from its clustering: where parton densities and couplings are evaluated, which
// final legs are jets, and at which kT they were radiated; docs/clustering.md has the rules.
#pragma once

#include "clustering/kt_clustering.hpp"

namespace madnis {

// Evolution of the density of an incoming line from one node to the next.
struct BeamNode {
    int leg, sign;  // the line has `sign` times the flavour of this leg; leg -1: it is `pdg`
    int pdg;
    double x_share;   // share of the momentum fraction of the parton that it has
    double from, to;  // scales squared, GeV^2
};

struct NodeScales {
    bool passes = true;                           // no jet is softer than the cut on kT
    std::array<double, 2> mu_f2{};                // central factorisation scale of each beam, GeV^2
    std::array<double, 2> density_q2{};           // where the densities are evaluated first, GeV^2
    double mu_r2 = 0.;                            // central renormalisation scale, GeV^2
    std::array<double, most_legs> jet_kt{};       // of each leg, GeV; 0 where it is no jet
    std::array<double, most_legs> coupling_q2{};  // of nodes with a strong coupling of their own
    std::size_t n_couplings = 0;
    std::array<std::array<BeamNode, most_legs>, 2> beam_nodes{};
    std::array<std::size_t, 2> n_beam_nodes{};
};

// What external leg a line goes back to: of an incoming line the beam, of a gluon that splits into
// quarks both.
struct Origin {
    int first, second;  // legs, -1 for none
};

class NodeWalk {
public:
    NodeWalk(const ClusterDiagrams& diagrams, double xqcut, int coupling_flavour, bool merging)
        : diagrams_(diagrams),
          clustering_(diagrams),
          kt_min_(xqcut),
          coupling_flavour_(std::max(coupling_flavour, diagrams.settings().max_jet_flavour)),
          merging_(merging),
          pdg_(std::size_t(1) << diagrams.n_legs()),
          source_(pdg_.size()),
          origin_(pdg_.size()),
          jets_only_(pdg_.size()) {}

    // The scales of an event that is attributed to a diagram; see `KtClustering`.
    NodeScales operator()(const ClusterMomentum* legs, std::size_t diagram) {
        legs_ = legs;
        history_ = clustering_(legs, diagram, false);
        follow();
        if (history_.diagram != diagram) {
            const auto jets = n_jets();
            const auto history = history_;
            history_ = clustering_(legs, diagram, true);
            follow();
            if (n_jets() == jets) {
                history_ = history;
                follow();
            }
        }
        return scales();
    }

private:
    std::size_t n_legs() const { return diagrams_.n_legs(); }
    std::size_t last() const { return history_.size - 1; }

    bool is_beam_origin(Legs line) const { return origin_[line].first < 2; }
    bool coloured(Legs line) const { return diagrams_.coloured(pdg_[line]); }
    bool octet(Legs line) const { return diagrams_.octet(pdg_[line]); }
    bool jet(Legs line) const { return diagrams_.jet(pdg_[line]); }

    bool counts_for_coupling(Legs line) const {
        return std::abs(pdg_[line]) <= coupling_flavour_ || pdg_[line] == 21;
    }

    // ---- which leg a line goes back to ----

    void follow() {
        start_lines();
        for (std::size_t n = 0; n < last(); ++n) trace(history_.mergings[n]);
        walk();
    }

    void start_lines() {
        for (std::size_t k = 0; k < n_legs(); ++k) {
            const Legs leg = Legs(1) << k;
            read_line(leg);
            source_[leg] = {int(k), 1};
            origin_[leg] = {int(k), -1};
        }
        for (std::size_t n = 0; n < history_.size; ++n) {
            const Legs mother = history_.mergings[n].mother;
            if (std::has_single_bit(mother)) continue;
            read_line(mother);
            source_[mother] = {-1, 0};
            origin_[mother] = {-1, -1};
        }
    }

    void read_line(Legs line) {
        pdg_[line] = diagrams_.pdg(line, history_.diagram);
        jets_only_[line] = false;
    }

    void trace(const Merging& node) {
        if (is_beam_origin(node.first)) {
            trace_incoming(node);
        } else {
            trace_outgoing(node);
        }
    }

    // The incoming line goes on; a light quark that it becomes has the flavour of the legs.
    void trace_incoming(const Merging& node) {
        const Legs mother = node.mother, beam = node.first, leg = node.second;
        origin_[mother] = {origin_[beam].first, -1};
        if (!jet(mother)) return;
        if (light_quark(beam) && gluon_or_photon(leg)) take_flavour(mother, beam, 1);
        if (light_quark(leg) && gluon_or_photon(beam)) take_flavour(mother, leg, -1);
    }

    bool light_quark(Legs line) const { return pdg_[line] < 21 && jet(line); }
    bool gluon_or_photon(Legs line) const { return pdg_[line] == 21 || pdg_[line] == 22; }

    void take_flavour(Legs mother, Legs from, int sign) {
        pdg_[mother] = sign * pdg_[from];
        source_[mother] = {source_[from].first, sign * source_[from].second};
    }

    void trace_outgoing(const Merging& node) {
        const Legs mother = node.mother, a = node.first, b = node.second;
        if (jet(mother)) {
            if (light_quark(a) && gluon_or_photon(b)) take_flavour(mother, a, 1);
            if (light_quark(b) && gluon_or_photon(a)) take_flavour(mother, b, 1);
        }
        origin_[mother] = outgoing_origin(mother, a, b);
    }

    Origin outgoing_origin(Legs mother, Legs a, Legs b) const {
        const Origin &of_a = origin_[a], &of_b = origin_[b];
        const Legs hard = harder(a, b);
        const Origin &harder_one = origin_[hard], &softer_one = origin_[hard == a ? b : a];
        const int m = pdg_[mother], pa = pdg_[a], pb = pdg_[b];
        const auto colour = [&](int pdg) { return diagrams_.colour(pdg); };
        const bool to_quarks = std::abs(pa) <= 6 && std::abs(pb) <= 6;
        if (m == 21 && pa == 21 && pb == 21) return harder_one;
        if ((m == 21 && to_quarks) || (colour(m) == 8 && colour(pa) == 3 && colour(pb) == 3)) {
            return {harder_one.first, softer_one.first};
        }
        if (m == 21 && (pa == 21 || pb == 21)) {
            const Legs gluon = pa == 21 ? a : b;
            return coloured(gluon == a ? b : a) ? harder_one : origin_[gluon];
        }
        if (m == 21) return harder_one;
        const auto carries = [](int mother, int from, int other) {
            return mother == from || mother == from + (other < 0 ? -1 : 1);
        };
        if (carries(m, pa, pb)) return {of_a.first, -1};
        if (carries(m, pb, pa)) return {of_b.first, -1};
        if (colour(m) == 3 && colour(pa) == 3) return {of_a.first, -1};
        if (colour(m) == 3 && colour(pb) == 3) return {of_b.first, -1};
        return {of_a.first, of_b.first};
    }

    Legs harder(Legs a, Legs b) const {
        const auto pt2 = [&](Legs line) { return legs_[origin_[line].first].pt2(); };
        return pt2(a) > pt2(b) ? a : b;
    }

    // ---- which legs are jets, and where the colour of the beams goes ----

    // A vertex of QCD at which a jet is radiated.
    bool jet_vertex(const Merging& node, bool is_last) const {
        const Legs m = node.mother, a = node.first, b = node.second;
        if (is_last || !coloured(m) || !coloured(a) || !coloured(b)) return false;
        if (is_beam_origin(a)) return jet(b);
        const auto goes_on = [&](Legs radiated, Legs other) {
            return jet(radiated) && (jet(m) || pdg_[m] == pdg_[other]);
        };
        return goes_on(a, b) || goes_on(b, a);
    }

    struct Beam {
        Legs line;
        int first = -1, last = -1, central = -1;  // nodes
        bool coloured, jets;                      // whether the line still is
    };

    void walk() {
        tag_.fill(0);
        code_ = 1;
        raise_code_ = false;
        for (std::size_t k = 0; k < n_legs(); ++k) {
            const Legs leg = Legs(1) << k;
            if (k < 2) {
                const bool colour = coloured(leg);
                beams_[k] = {leg, -1, -1, -1, colour, colour};
                jets_only_[leg] = colour;
            } else {
                jets_only_[leg] = jet(leg);
            }
        }
        if (n_legs() == 3) return;
        for (std::size_t n = 0; n < history_.size; ++n) {
            const auto& node = history_.mergings[n];
            bool initial = false;
            for (const bool second : {false, true}) {
                for (auto& beam : beams_) {
                    if (beam.line == (second ? node.second : node.first)) {
                        pass_incoming(beam, node, second, int(n));
                        initial = true;
                        break;
                    }
                }
            }
            if (!initial) pass_outgoing(node);
        }
        settle_tags();
        for (auto& beam : beams_) {
            if (beam.first < 0) beam.first = beam.last;
        }
    }

    void pass_incoming(Beam& beam, const Merging& node, bool second, int n) {
        const Legs before = beam.line;
        beam.line = node.mother;
        const Legs other = second ? node.first : node.second;
        const bool is_last = n == int(last());
        const Legs emitted = is_last ? node.mother : other, after = is_last ? other : node.mother;
        if (beam.jets) {
            if (beam.first < 0) beam.first = n;
            beam.last = n;
            beam.jets = jets_only_[emitted] && jet(after);
        } else {
            if (beam.first < 0) beam.first = n;
            jets_only_[after] = false;
        }
        if (!jets_only_[emitted] || !jet(before) || !jet(after)) {
            ++code_;
            raise_code_ = true;
        } else if (raise_code_) {
            ++code_;
            raise_code_ = false;
        }
        if (jets_only_[emitted]) {
            const bool certain = beam.jets || pdg_[emitted] == 21;
            tag(origin_[emitted].first, certain ? 1 : code_);
        }
        if (beam.coloured) {
            beam.central = n;
            beam.coloured = coloured(after);
        }
    }

    void pass_outgoing(const Merging& node) {
        const Legs m = node.mother, a = node.first, b = node.second;
        if (!jet_vertex(node, false)) {
            untag_decay(m, a, b);
            jets_only_[m] = false;
            return;
        }
        for (const Legs line : {a, b}) {
            if (std::has_single_bit(line) && jet(line)) tag(origin_[line].first, 1);
        }
        jets_only_[m] = jet(m) && jets_only_[a] && jets_only_[b];
        if (octet(m) && octet(a) && octet(b)) prefer_jet(m, a, b);
    }

    // Legs behind a vertex that is none of QCD are no jets, but gluons.
    void untag_decay(Legs m, Legs a, Legs b) {
        const auto [first, second] = origin_[m];
        const bool strong = coloured(m) && coloured(a) && coloured(b);
        if (!strong && first > 1) {
            if (!octet(Legs(1) << first)) {
                const bool any = coloured(m) || coloured(a) || coloured(b);
                if (any && (second < 0 || (tag_[first] > 0 && tag_[second] > 0))) tag(first, 0);
            } else if (octet(m)) {
                tag(first, 0);
            }
        }
        if (second > 1 && !octet(Legs(1) << second) && !octet(m)) tag(second, 0);
    }

    // Of two gluons, one of which leads to no jet, the line goes back to the other one.
    void prefer_jet(Legs m, Legs a, Legs b) {
        const bool from_a = origin_[m].first == origin_[a].first;
        const Legs chosen = from_a ? a : b, other = from_a ? b : a;
        if (jets_only_[chosen] || !jets_only_[other]) return;
        const Origin old = origin_[m];
        for (std::size_t n = 0; n < last(); ++n) {
            auto& origin = origin_[history_.mergings[n].mother];
            const bool above = (history_.mergings[n].mother & m) == m;
            if (above && origin.first == old.first && origin.second == old.second) {
                origin = origin_[other];
            }
        }
    }

    void tag(int leg, int code) {
        if (leg >= 0) tag_[std::size_t(leg)] = code;
    }

    // Legs that were radiated before the last change between QCD and other vertices are no jets.
    void settle_tags() {
        if (beams_[0].jets && beams_[1].jets) return;
        if (beams_[0].jets || beams_[1].jets) --code_;
        for (auto& code : tag_) {
            if (code > 1 && code <= code_) code = 0;
        }
    }

    std::size_t n_jets() const {
        return std::size_t(
            std::count_if(tag_.begin(), tag_.end(), [](int code) { return code > 0; }));
    }

    // ---- scales ----

    NodeScales scales() {
        NodeScales result;
        set_central_mt2();
        result.passes = passes_kt_cut();
        for (const auto& beam : beams_) {
            if (beam.last >= 0) kt2(beam.last) = std::max(kt2(beam.last), kt2(beam.first));
        }
        set_factorisation(result);
        result.mu_r2 = renormalisation();
        const bool colourless = beams_[0].central < 0 && beams_[1].central < 0;
        for (std::size_t j = 0; j < 2; ++j) {
            if (colourless) {
                result.mu_f2[j] = n_legs() == 3 ? result.mu_f2[j] : kt2(int(last()));
            } else if (beams_[j].central < 0) {
                result.mu_f2[j] = kt2(beams_[j].first);
            }
        }
        result.density_q2 = result.mu_f2;
        if (merging_) reweight(result);
        return result;
    }

    double& kt2(int n) { return history_.mergings[std::size_t(n)].kt2; }

    // Vertices where colour ends count by transverse mass: that of what was radiated, or the
    // geometric mean of a final pair.
    void set_central_mt2() {
        auto& nodes = history_.mergings;
        if (history_.last_mt2 > 4. && beams_[0].last == int(last()) &&
            beams_[1].last == int(last())) {
            const auto& pair = nodes[last() - 1];
            if (coloured(pair.first) && coloured(pair.second) && coloured(pair.mother)) {
                nodes[last()].mt2 = nodes[last() - 1].mt2 = history_.last_mt2;
            }
        }
        for (const auto& beam : beams_) {
            if (beam.central >= 0 && nodes[std::size_t(beam.central)].mt2 > 0.) {
                kt2(beam.central) = nodes[std::size_t(beam.central)].mt2;
            }
        }
    }

    bool passes_kt_cut() {
        for (std::size_t n = 0; n < last(); ++n) {
            for (const Legs line : {history_.mergings[n].first, history_.mergings[n].second}) {
                if (line > 2 && std::has_single_bit(line) &&
                    tag_[std::size_t(origin_[line].first)] > 0 &&
                    std::sqrt(kt2(int(n))) < kt_min_) {
                    return false;
                }
            }
        }
        return true;
    }

    void set_factorisation(NodeScales& result) {
        if (n_legs() == 3) {
            result.mu_f2 = {kt2(0), kt2(0)};
            return;
        }
        for (std::size_t j = 0; j < 2; ++j) {
            const auto& beam = beams_[j];
            if (beam.last >= 0) result.mu_f2[j] = std::sqrt(kt2(beam.last) * kt2(beam.central));
        }
        if (beams_[0].central >= 0 && beams_[0].central == beams_[1].central) {
            result.mu_f2.fill(std::max(result.mu_f2[0], result.mu_f2[1]));
        }
    }

    // Geometric mean of the last and the central vertices.
    double renormalisation() {
        double product = 1.;
        int count = 0;
        const auto take = [&](int n) {
            product *= kt2(n);
            ++count;
        };
        for (const auto& beam : beams_) {
            if (beam.last >= 0) {
                take(beam.last);
                take(beam.central);
            }
        }
        if (!count) {
            for (const auto& beam : beams_) {
                if (beam.central >= 0) take(beam.central);
            }
        }
        if (!count) take(int(last()));
        return std::pow(product, 1. / count);
    }

    // ---- weights of merging ----

    void reweight(NodeScales& result) {
        if (beams_[0].central >= 0 && beams_[1].central >= 0) {
            for (std::size_t j = 0; j < 2; ++j) {
                const auto& beam = beams_[j];
                if (beam.last < 0 || beam.first > beam.last) continue;
                result.density_q2[j] = std::min(kt2(beam.first), result.mu_f2[j]);
            }
        }
        set_central_scales(result.density_q2);
        find_jet_kt(result.jet_kt);
        start_lines();
        for (std::size_t k = 0; k < n_legs(); ++k) {
            const Legs leg = Legs(1) << k;
            jets_only_[leg] = k < 2 ? counts_for_coupling(leg)
                                    : tag_[k] > 0 || (counts_for_coupling(leg) && !jet(leg));
        }
        for (std::size_t n = 0; n < last(); ++n) {
            trace(history_.mergings[n]);
            if (has_own_coupling(history_.mergings[n])) {
                result.coupling_q2[result.n_couplings++] = kt2(int(n));
            }
        }
        evolve_densities(result);
    }

    void set_central_scales(const std::array<double, 2>& q2) {
        const int first = beams_[0].central, second = beams_[1].central;
        if (first >= 0) kt2(first) = q2[0];
        if (second >= 0 && second != first) kt2(second) = q2[1];
    }

    // Largest kT of the jet vertices of each leg.
    void find_jet_kt(std::array<double, most_legs>& jet_kt) {
        for (std::size_t n = 0; n < history_.size; ++n) {
            const auto& node = history_.mergings[n];
            const bool is_last = n == last(), radiates = jet_vertex(node, is_last);
            for (const Legs line : {node.first, is_last ? node.mother : node.second}) {
                for (const int leg : {origin_[line].first, origin_[line].second}) {
                    if (leg < 2) continue;
                    if (tag_[std::size_t(leg)] == 0) jets_only_[line] = false;
                    if (!radiates || !jets_only_[line]) continue;
                    auto& largest = jet_kt[std::size_t(leg)];
                    largest = std::max(largest, std::sqrt(kt2(int(n))));
                }
            }
        }
    }

    // Whether alpha_s of a node is that at its own kT.
    bool has_own_coupling(const Merging& node) {
        const Legs m = node.mother, a = node.first, b = node.second;
        jets_only_[m] = counts_for_coupling(m) && jets_only_[a] && jets_only_[b];
        if (is_beam_origin(m)) return jets_only_[m];
        const bool strong = coloured(m) && coloured(a) && coloured(b);
        return strong && (counts_for_coupling(a) || counts_for_coupling(b)) &&
               (jets_only_[a] || jets_only_[b]);
    }

    // Densities of the incoming lines, at the scale of each node over that of the one before.
    void evolve_densities(NodeScales& result) const {
        std::array<Legs, 2> line{1, 2};
        std::array<double, 2> share{1., 1.}, q2{0., 0.};
        for (std::size_t n = 0; n < history_.size; ++n) {
            const auto& node = history_.mergings[n];
            for (const Legs daughter : {node.first, node.second}) {
                for (std::size_t j = 0; j < 2; ++j) {
                    if (daughter != line[j] || !coloured(daughter) ||
                        !counts_for_coupling(daughter)) {
                        continue;
                    }
                    line[j] = node.mother;
                    if (node.z > 0. && node.z < 1.) share[j] *= node.z;
                    const bool ends = int(n) == beams_[j].last;
                    const double to = ends ? result.mu_f2[j] : std::min(node.kt2, result.mu_f2[j]);
                    if (q2[j] == 0.) {
                        q2[j] = to;
                    } else if (q2[j] < to && int(n) <= beams_[j].last) {
                        result.beam_nodes[j][result.n_beam_nodes[j]++] = {source_[daughter].first,
                                                                          source_[daughter].second,
                                                                          pdg_[daughter],
                                                                          share[j],
                                                                          q2[j],
                                                                          to};
                        q2[j] = to;
                    }
                    break;
                }
            }
        }
    }

    const ClusterDiagrams& diagrams_;
    KtClustering clustering_;
    double kt_min_;
    int coupling_flavour_;
    bool merging_;
    const ClusterMomentum* legs_ = nullptr;
    ClusterHistory history_;
    std::vector<int> pdg_;                     // by legs, like the next ones
    std::vector<std::pair<int, int>> source_;  // leg whose flavour a line has, and the sign
    std::vector<Origin> origin_;
    std::vector<char> jets_only_;       // whether a line leads to jets alone
    std::array<int, most_legs> tag_{};  // of legs: 1 jet, 0 none, above 1 undecided
    std::array<Beam, 2> beams_{};
    int code_ = 1;
    bool raise_code_ = false;
};

}  // namespace madnis

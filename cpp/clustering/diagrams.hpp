// Diagrams of a process as clustering sees them: which sets of legs are one line, and what it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace madnis {

// External legs as a bit mask; the incoming ones are bits 0 and 1.
using Legs = std::uint32_t;

inline constexpr std::size_t most_legs = 12;

// An internal line of a diagram.
struct ClusterLine {
    Legs legs;           // on one side of it; of a line that decays, the final legs
    int pdg;             // of what decays, with its sign; |PDG code| between the incoming legs
    bool decays;         // to final legs alone
    double mass, width;  // in GeV
    Legs daughter;       // that carries the same particle on, 0 if none does
};

struct ClusterDiagram {
    int strong_power;  // power of g_s
    std::vector<ClusterLine> lines;
};

struct ClusterSettings {
    int max_jet_flavour;  // quarks up to this PDG code are jets
    double window;        // of resonances around their mass, in widths
    bool hadrons;         // whether a beam has parton densities
};

// Sets of diagrams are bits in words.
class ClusterDiagrams {
public:
    ClusterDiagrams(std::vector<int> legs, std::vector<int> colours,
                    std::vector<ClusterDiagram> diagrams, ClusterSettings settings)
        : settings_(settings),
          legs_(std::move(legs)),
          colours_(std::move(colours)),
          diagrams_(std::move(diagrams)),
          words_((diagrams_.size() + 63) / 64),
          with_line_(words_ << legs_.size()),
          unstable_(words_ << legs_.size()),
          pdg_(diagrams_.size() << legs_.size()) {
        for (std::size_t g = 0; g < diagrams_.size(); ++g) {
            for (std::size_t k = 0; k < legs_.size(); ++k) pdg_[place(Legs(1) << k, g)] = legs_[k];
            for (const auto& line : diagrams_[g].lines) {
                const Legs everything = (Legs(1) << legs_.size()) - 1;
                for (const Legs side : {line.legs, everything ^ line.legs}) {
                    pdg_[place(side, g)] = line.pdg;
                    set(with_line_, side, g);
                    if (line.width > 0.) set(unstable_, side, g);
                }
            }
        }
    }

    const ClusterSettings& settings() const { return settings_; }
    std::size_t n_legs() const { return legs_.size(); }
    std::size_t size() const { return diagrams_.size(); }
    std::size_t words() const { return words_; }
    const ClusterDiagram& operator[](std::size_t g) const { return diagrams_[g]; }

    // The diagrams in which these legs are one line, and those in which it has a width.
    const std::uint64_t* with_line(Legs legs) const { return &with_line_[words_ * legs]; }
    const std::uint64_t* unstable(Legs legs) const { return &unstable_[words_ * legs]; }

    // What the line is in a diagram.
    int pdg(Legs legs, std::size_t g) const { return pdg_[place(legs, g)]; }

    // Dimension of the representation of SU(3).
    int colour(int pdg) const { return colours_[std::size_t(std::abs(pdg))]; }
    bool coloured(int pdg) const { return colour(pdg) > 1; }
    bool octet(int pdg) const { return colour(pdg) == 8; }
    bool jet(int pdg) const { return std::abs(pdg) <= settings_.max_jet_flavour || pdg == 21; }

private:
    std::size_t place(Legs legs, std::size_t g) const { return legs * diagrams_.size() + g; }

    void set(std::vector<std::uint64_t>& sets, Legs legs, std::size_t g) {
        sets[words_ * legs + g / 64] |= std::uint64_t(1) << (g % 64);
    }

    ClusterSettings settings_;
    std::vector<int> legs_, colours_;
    std::vector<ClusterDiagram> diagrams_;
    std::size_t words_;
    std::vector<std::uint64_t> with_line_, unstable_;
    std::vector<int> pdg_;
};

}  // namespace madnis

// Selection of one event: cuts on particles at fixed positions or of a rank, and sets of cuts.
// physics/observables/{cuts,selection}.py make it of the kernels of cuts on the processor.
#pragma once

#include "observables/cuts.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Positions of the particles of a cut, in ascending order as soon as they are all there.
class ChosenParticles {
public:
    MADNIS_FN ChosenParticles(const RankedCutSpec& cut, const ConstBatch& p, std::size_t event) {
        for (std::size_t k = 0; k < cut.n_particles; ++k) {
            insert(position(cut.particles[k], p, event));
        }
    }

    MADNIS_FN const std::int64_t* positions() const { return positions_; }

    // Whether two of them are the same one.
    MADNIS_FN bool repeated() const {
        for (std::size_t k = 1; k < count_; ++k) {
            if (positions_[k] == positions_[k - 1]) return true;
        }
        return false;
    }

private:
    MADNIS_FN void insert(std::int64_t position) {
        std::size_t place = count_++;
        for (; place > 0 && positions_[place - 1] > position; --place) {
            positions_[place] = positions_[place - 1];
        }
        positions_[place] = position;
    }

    MADNIS_FN static std::int64_t position(const RankedSpec& one, const ConstBatch& p,
                                           std::size_t event) {
        double pt[most_particles];
        for (std::size_t k = 0; k < one.n_particles; ++k) {
            const auto particle = std::size_t(one.particles[k]);
            const double value = transverse_momentum(load_momentum<double>(p, particle, event, 1));
            pt[k] = value == value ? value : -1;  // NaN comes last
        }
        for (std::size_t k = 0; k < one.n_particles; ++k) {
            std::size_t harder = 0;
            for (std::size_t i = 0; i < one.n_particles; ++i) {
                harder += pt[i] > pt[k] || (pt[i] == pt[k] && i < k);
            }
            if (harder + 1 == one.rank) return one.particles[k];
        }
        return one.particles[0];  // not reached: ranks are 1 to n_particles
    }

    std::int64_t positions_[most_particles];
    std::size_t count_ = 0;
};

// Events in which two of the particles are the same one pass.
MADNIS_FN inline bool passes(const RankedCutSpec& cut, const ConstBatch& p, std::size_t event) {
    const ChosenParticles chosen(cut, p, event);
    if (chosen.repeated()) return true;
    const CutSpec fixed = {cut.observable, chosen.positions(), cut.n_particles, cut.minimum,
                           cut.maximum};
    return passes<double>(fixed, p, event, 1);
}

MADNIS_OUT_OF_LINE inline bool passes(const CutSetSpec& cuts, const ConstBatch& p,
                                      std::size_t event) {
    for (std::size_t k = 0; k < cuts.n_fixed; ++k) {
        if (!passes<double>(cuts.fixed[k], p, event, 1)) return false;
    }
    for (std::size_t k = 0; k < cuts.n_ranked; ++k) {
        if (!passes(cuts.ranked[k], p, event)) return false;
    }
    for (std::size_t k = 0; k < cuts.n_isolations; ++k) {
        if (!passes<double>(cuts.isolations[k], p, event, 1)) return false;
    }
    return true;
}

// The common cuts and, where there are further sets, one of them at least.
MADNIS_FN inline bool passes(const SelectionSpec& selection, const ConstBatch& p,
                             std::size_t event) {
    if (!passes(selection.common, p, event)) return false;
    for (std::size_t k = 0; k < selection.n_further; ++k) {
        if (passes(selection.further[k], p, event)) return true;
    }
    return selection.n_further == 0;
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

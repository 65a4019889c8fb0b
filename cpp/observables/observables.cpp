// Kernels of cuts and of the features of networks.
#include "observables/cuts.hpp"
#include "observables/observable_kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

void cuts(const CutSetSpec& set, ConstBatch p, bool* mask) {
    sweep(p.count, [&](std::size_t event, std::size_t count) {
        Mask<Lane> pass(true);
        for (std::size_t k = 0; k < set.n_fixed && any(pass); ++k) {
            pass = pass && passes<Lane>(set.fixed[k], p, event, count);
        }
        for (std::size_t k = 0; k < set.n_isolations && any(pass); ++k) {
            pass = pass && passes<Lane>(set.isolations[k], p, event, count);
        }
        for (std::size_t i = 0; i < count; ++i) mask[event + i] = pass[i];
    });
}

void features(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles,
              MutableBatch features) {
    sweep(momenta.count, [&](std::size_t event, std::size_t count) {
        for (std::size_t k = 0; k < n_particles; ++k) {
            const auto p = load_momentum<Lane>(momenta, std::size_t(particles[k]), event, count);
            const auto write = [&](std::size_t row, const Lane& value) {
                store_strided(features.at(event, 3 * k + row), features.event_stride, value, count);
            };
            write(0, log(transverse_momentum(p)));
            write(1, pseudorapidity(p));
            write(2, azimuth(p));
        }
    });
}

}  // namespace

const ObservableKernels observable_kernels_table = {.cuts = cuts, .features = features};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

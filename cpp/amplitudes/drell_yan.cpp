#include "amplitudes/drell_yan.hpp"

#include "amplitudes/drell_yan_kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

void evaluate(const DrellYanSpec& spec, ConstBatch p, double* me2, MutableBatch diagrams) {
    sweep(p.count, [&](std::size_t event, std::size_t count) {
        const auto leg = [&](std::size_t k) {
            return load_momentum<Lane>(p, spec.legs[k], event, count);
        };
        DrellYanAmplitude<Lane> amplitude(mandelstam(leg(0), leg(1), leg(2), leg(3)));
        for (std::size_t k = 0; k < spec.n_mediators; ++k) {
            const auto single = amplitude.add(spec.mediators[k]);
            store_strided(diagrams.at(event, k), diagrams.event_stride, single, count);
        }
        store(me2 + event, Lane(spec.average * amplitude.squared()), count);
    });
}

}  // namespace

const DrellYanKernels drell_yan_kernels_table = {.evaluate = evaluate};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

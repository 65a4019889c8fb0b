#include "observables/four_vector.hpp"
#include "runtime/kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

void observables(ConstBatch momenta, const std::int64_t* particles, std::size_t n_particles, MutableBatch features) {
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

}  // inline namespace MADNIS_ISA
}  // namespace madnis

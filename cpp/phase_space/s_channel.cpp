#include "phase_space/s_channel.hpp"

#include "phase_space/mapping_kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

void invariant_forward(const InvariantSpec& spec, const double* z, std::size_t events, double* s,
                       double* jacobian) {
    with_invariant(spec, [&](const auto& invariant) {
        sweep(events, [&](std::size_t event, std::size_t count) {
            const auto point = in_unit_interval(load<Lane>(z + event, count));
            const auto [value, ds] = invariant.forward(point.x);
            store(s + event, min(max(value, Lane(spec.s_min)), Lane(spec.s_max)), count);
            store(jacobian + event, select(point.inside, ds, Lane(0.)), count);
        });
    });
}

void invariant_inverse(const InvariantSpec& spec, const double* s, std::size_t events, double* z,
                       double* jacobian) {
    with_invariant(spec, [&](const auto& invariant) {
        sweep(events, [&](std::size_t event, std::size_t count) {
            const auto value = load<Lane>(s + event, count);
            const auto inside = value >= spec.s_min && value <= spec.s_max;
            const auto [point, ds] = invariant.inverse(select(inside, value, Lane(spec.s_max)));
            store(z + event, near_unit_interval(point).x, count);
            store(jacobian + event, select(inside, ds, Lane(0.)), count);
        });
    });
}

void forward(const SChannelSpec& spec, ConstBatch x, MutableBatch p, double* jacobian) {
    with_s_channel(spec, [&]<class Mapping>(const Mapping& mapping) {
        sweep(x.count, [&](std::size_t event, std::size_t count) {
            Lane point[Mapping::dim];
            for (std::size_t k = 0; k < Mapping::dim; ++k) {
                point[k] = load_strided<Lane>(x.at(event, k), x.event_stride, count);
            }
            FourVector<Lane> momenta[4];
            store(jacobian + event, mapping.forward(point, momenta), count);
            for (std::size_t i = 0; i < 4; ++i) store_momentum(p, i, event, momenta[i], count);
        });
    });
}

void inverse(const SChannelSpec& spec, ConstBatch p, MutableBatch x, double* jacobian) {
    with_s_channel(spec, [&]<class Mapping>(const Mapping& mapping) {
        sweep(p.count, [&](std::size_t event, std::size_t count) {
            FourVector<Lane> momenta[4];
            for (std::size_t i = 0; i < 4; ++i) {
                momenta[i] = load_momentum<Lane>(p, i, event, count);
            }
            Lane point[Mapping::dim];
            store(jacobian + event, mapping.inverse(momenta, point), count);
            for (std::size_t k = 0; k < Mapping::dim; ++k) {
                store_strided(x.at(event, k), x.event_stride, point[k], count);
            }
        });
    });
}

}  // namespace

const SChannelKernels s_channel_kernels_table = {
    .invariant_forward = invariant_forward,
    .invariant_inverse = invariant_inverse,
    .forward = forward,
    .inverse = inverse,
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

#include "phase_space/topology.hpp"

#include "phase_space/mapping_kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {
namespace {

constexpr std::size_t max_dim = 3 * max_legs;

void forward(const TopologySpec& spec, ConstBatch x, MutableBatch p, double* jacobian) {
    sweep(x.count, [&](std::size_t event, std::size_t count) {
        Lane point[max_dim];
        for (std::size_t k = 0; k < spec.dim; ++k) {
            point[k] = load_strided<Lane>(x.at(event, k), x.event_stride, count);
        }
        FourVector<Lane> momenta[max_legs];
        TopologyMap<Lane> map(spec);
        store(jacobian + event, map.forward(point, momenta), count);
        for (std::size_t i = 0; i < spec.n_legs; ++i) {
            store_momentum(p, i, event, momenta[i], count);
        }
    });
}

void inverse(const TopologySpec& spec, ConstBatch p, MutableBatch x, double* jacobian) {
    sweep(p.count, [&](std::size_t event, std::size_t count) {
        FourVector<Lane> momenta[max_legs];
        for (std::size_t i = 0; i < spec.n_legs; ++i) {
            momenta[i] = load_momentum<Lane>(p, i, event, count);
        }
        Lane point[max_dim];
        TopologyMap<Lane> map(spec);
        store(jacobian + event, map.inverse(momenta, point), count);
        for (std::size_t k = 0; k < spec.dim; ++k) {
            store_strided(x.at(event, k), x.event_stride, point[k], count);
        }
    });
}

}  // namespace

const TopologyKernels topology_kernels_table = {.forward = forward, .inverse = inverse};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

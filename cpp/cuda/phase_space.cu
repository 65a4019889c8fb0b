// Maps between the unit cube and momenta, one event per thread.
#include "cuda/launch.hpp"
#include "phase_space/mapping_specs.hpp"
#include "phase_space/topology.hpp"

using namespace madnis;

namespace {

constexpr std::size_t max_dim = 3 * max_legs;

}  // namespace

// Points (n, dim), C-contiguous, of channels channel[e] with the maps specs[channel] to momenta
// (4 n_legs, n) and Jacobians (n,).
MADNIS_KERNEL(topology_forward, const TopologySpec* const* specs, const std::int64_t* channel,
              const double* x, double* p, double* jacobian, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const TopologySpec& spec = *specs[channel[event]];
    double point[max_dim];
    for (std::size_t k = 0; k < spec.dim; ++k) point[k] = x[std::size_t(event) * spec.dim + k];
    FourVector<double> momenta[max_legs];
    jacobian[event] = TopologyMap<double>(spec).forward(point, momenta);
    const MutableBatch out{p, std::size_t(n), 4 * spec.n_legs, 1, std::size_t(n)};
    for (std::size_t i = 0; i < spec.n_legs; ++i) {
        store_momentum(out, i, std::size_t(event), momenta[i], 1);
    }
}

// The way back of all events through the map of one channel, whose points go to x (n, dim).
MADNIS_KERNEL(topology_inverse, const TopologySpec* spec, const double* p, double* x,
              double* jacobian, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const ConstBatch in{p, std::size_t(n), 4 * spec->n_legs, 1, std::size_t(n)};
    FourVector<double> momenta[max_legs];
    for (std::size_t i = 0; i < spec->n_legs; ++i) {
        momenta[i] = load_momentum<double>(in, i, std::size_t(event), 1);
    }
    double point[max_dim];
    jacobian[event] = TopologyMap<double>(*spec).inverse(momenta, point);
    for (std::size_t k = 0; k < spec->dim; ++k) x[std::size_t(event) * spec->dim + k] = point[k];
}

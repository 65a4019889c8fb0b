// Maps between the unit cube and momenta, one event per thread.
//
// Maps come in families, each with a description of its own and these kernels:
//
//     FAMILY_forward    points (n, dim), C-contiguous, of channels channel[e] with the maps
//                       specs[channel] to momenta (4 n_legs, n) and Jacobians (n,)
//     FAMILY_inverse    the way back through the map of channel[e]
//     FAMILY_densities  1 / Jacobian of every channel at every live event, (n_channels, n), 0
//                       outside of its support; a thread has one event and one channel
#include "cuda/launch.hpp"
#include "phase_space/mapping_specs.hpp"
#include "phase_space/on_shell.hpp"
#include "phase_space/s_channel.hpp"
#include "phase_space/topology.hpp"

using namespace madnis;

namespace {

// Legs of the topologies that most processes have: memory of a thread grows with the legs.
constexpr std::size_t few_legs = 8;

template <std::size_t legs>
struct Topologies {
    using Spec = TopologySpec;
    static constexpr std::size_t most_legs = legs;

    MADNIS_GPU_FN static std::size_t n_legs(const Spec& spec) { return spec.n_legs; }
    MADNIS_GPU_FN static std::size_t dim(const Spec& spec) { return spec.dim; }
    MADNIS_GPU_FN static double forward(const Spec& spec, const double* x, FourVector<double>* p) {
        return TopologyMap<double, legs>(spec).forward(x, p);
    }
    MADNIS_GPU_FN static double inverse(const Spec& spec, const FourVector<double>* p, double* x) {
        return TopologyMap<double, legs>(spec).inverse(p, x);
    }
};

struct SChannels {
    using Spec = SChannelSpec;
    static constexpr std::size_t most_legs = 4;

    MADNIS_GPU_FN static std::size_t n_legs(const Spec&) { return most_legs; }
    MADNIS_GPU_FN static std::size_t dim(const Spec& spec) { return spec.partonic ? 2 : 4; }
    MADNIS_GPU_FN static double forward(const Spec& spec, const double* x, FourVector<double>* p) {
        double jacobian = 0;
        with_s_channel(spec, [&]<class Map>(const Map& map) {
            double point[Map::dim];
            FourVector<double> momenta[most_legs];
            for (std::size_t k = 0; k < Map::dim; ++k) point[k] = x[k];
            jacobian = map.forward(point, momenta);
            for (std::size_t i = 0; i < most_legs; ++i) p[i] = momenta[i];
        });
        return jacobian;
    }
    MADNIS_GPU_FN static double inverse(const Spec& spec, const FourVector<double>* p, double* x) {
        double jacobian = 0;
        with_s_channel(spec, [&]<class Map>(const Map& map) {
            double point[Map::dim];
            FourVector<double> momenta[most_legs];
            for (std::size_t i = 0; i < most_legs; ++i) momenta[i] = p[i];
            jacobian = map.inverse(momenta, point);
            for (std::size_t k = 0; k < Map::dim; ++k) x[k] = point[k];
        });
        return jacobian;
    }
};

struct OnShells {
    using Spec = OnShellSpec;
    static constexpr std::size_t most_legs = 3;

    MADNIS_GPU_FN static std::size_t n_legs(const Spec&) { return most_legs; }
    MADNIS_GPU_FN static std::size_t dim(const Spec&) { return 1; }
    MADNIS_GPU_FN static double forward(const Spec& spec, const double* x, FourVector<double>* p) {
        return OnShellMap<double>(spec).forward(x, p);
    }
    MADNIS_GPU_FN static double inverse(const Spec& spec, const FourVector<double>* p, double* x) {
        return OnShellMap<double>(spec).inverse(p, x);
    }
};

template <class Family>
MADNIS_GPU_FN void forward(const typename Family::Spec* const* specs, const std::int64_t* channel,
                           const double* x, double* p, double* jacobian, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const auto& spec = *specs[channel[event]];
    FourVector<double> momenta[Family::most_legs];
    jacobian[event] = Family::forward(spec, x + std::size_t(event) * Family::dim(spec), momenta);
    const MutableBatch out{p, std::size_t(n), 4 * Family::n_legs(spec), 1, std::size_t(n)};
    for (std::size_t i = 0; i < Family::n_legs(spec); ++i) {
        store_momentum(out, i, std::size_t(event), momenta[i], 1);
    }
}

// The Jacobian of an event, whose point goes to x.
template <class Family>
MADNIS_GPU_FN double inverse(const typename Family::Spec& spec, const double* p, std::int64_t event,
                             std::int64_t n, double* x) {
    const ConstBatch in{p, std::size_t(n), 4 * Family::n_legs(spec), 1, std::size_t(n)};
    FourVector<double> momenta[Family::most_legs];
    for (std::size_t i = 0; i < Family::n_legs(spec); ++i) {
        momenta[i] = load_momentum<double>(in, i, std::size_t(event), 1);
    }
    return Family::inverse(spec, momenta, x);
}

template <class Family>
MADNIS_GPU_FN void inverse(const typename Family::Spec* const* specs, const std::int64_t* channel,
                           const double* p, double* x, double* jacobian, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const auto& spec = *specs[channel[event]];
    double* const point = x + std::size_t(event) * Family::dim(spec);
    jacobian[event] = inverse<Family>(spec, p, event, n, point);
}

template <class Family>
MADNIS_GPU_FN void densities(const typename Family::Spec* const* specs, std::int64_t n_channels,
                             const double* p, const LiveEvents& live, double* densities) {
    const std::int64_t thread = thread_index(), channel = thread / live.n;
    const std::int64_t event = live.event(thread % live.n);
    if (channel >= n_channels || event < 0) return;
    double point[3 * Family::most_legs];
    const double jacobian = inverse<Family>(*specs[channel], p, event, live.n, point);
    densities[channel * live.n + event] = jacobian > 0 ? 1 / jacobian : 0;
}

}  // namespace

// The three kernels of a family of maps: all that differs is whose descriptions they read.
#define MADNIS_MAP_KERNELS(name, Family)                                                         \
    MADNIS_KERNEL(name##_forward, const Family::Spec* const* specs, const std::int64_t* channel, \
                  const double* x, double* p, double* jacobian, std::int64_t n) {                \
        forward<Family>(specs, channel, x, p, jacobian, n);                                      \
    }                                                                                            \
    MADNIS_KERNEL(name##_inverse, const Family::Spec* const* specs, const std::int64_t* channel, \
                  const double* p, double* x, double* jacobian, std::int64_t n) {                \
        inverse<Family>(specs, channel, p, x, jacobian, n);                                      \
    }                                                                                            \
    MADNIS_KERNEL(name##_densities, const Family::Spec* const* specs, std::int64_t n_channels,   \
                  const double* p, const std::int64_t* live, const std::int64_t* n_live,         \
                  double* values, std::int64_t n) {                                              \
        densities<Family>(specs, n_channels, p, {live, n_live, n}, values);                      \
    }

MADNIS_MAP_KERNELS(topology, Topologies<few_legs>)
MADNIS_MAP_KERNELS(large_topology, Topologies<max_legs>)
MADNIS_MAP_KERNELS(s_channel, SChannels)
MADNIS_MAP_KERNELS(on_shell, OnShells)

// Cuts, features, scales and flux of events, one event per thread; momenta are (4 n_legs, n).
#include "cuda/launch.hpp"
#include "observables/event_scales.hpp"
#include "observables/selection.hpp"

using namespace madnis;

namespace {

MADNIS_GPU_FN ConstBatch momenta(const double* p, std::int64_t n_legs, std::int64_t n) {
    return {p, std::size_t(n), 4 * std::size_t(n_legs), 1, std::size_t(n)};
}

// Dynamical scales, in the order of physics/on_device/kinematics_on_device.py.
enum class DynamicalScale : std::int64_t { ht, sum_et, sum_mt, root_s };

MADNIS_GPU_FN double measured(DynamicalScale scale, const ConstBatch& p, std::size_t event) {
    switch (scale) {
        case DynamicalScale::ht: return summed_pt<double>(p, event, 1);
        case DynamicalScale::sum_et: return summed_transverse_energy<double>(p, event, 1);
        case DynamicalScale::sum_mt: return summed_transverse_mass<double>(p, event, 1);
        case DynamicalScale::root_s: return sqrt(s_hat<double>(p, event, 1));
    }
    return detail::nan;
}

// A feature of networks: NaN counts as 0, and momenta along the beam, whose pseudorapidity is
// infinite, stay within a bound.
MADNIS_GPU_FN double bounded(double feature) {
    constexpr double bound = 50;
    return feature == feature ? min(max(feature, -bound), bound) : 0;
}

}  // namespace

// Whether each event lies in phase space, where its Jacobian is positive, and passes a selection.
MADNIS_KERNEL(selection, const SelectionSpec* spec, const double* p, const double* jacobian,
              std::int64_t n_legs, bool* passed, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    passed[event] = jacobian[event] > 0 && passes(*spec, momenta(p, n_legs, n), std::size_t(event));
}

// Whether live events pass each of the further sets of cuts, (n_further, n).
MADNIS_KERNEL(further_cuts, const SelectionSpec* spec, const double* p, std::int64_t n_legs,
              const std::int64_t* live, const std::int64_t* n_live, bool* passed, std::int64_t n) {
    const std::int64_t event = LiveEvents{live, n_live, n}.event(thread_index());
    if (event < 0) return;
    for (std::size_t k = 0; k < spec->n_further; ++k) {
        passed[std::int64_t(k) * n + event] =
            passes(spec->further[k], momenta(p, n_legs, n), std::size_t(event));
    }
}

// log(p_T / GeV), eta and phi of every final particle, of hadrons also log(s-hat / GeV^2) and the
// rapidity of the collision; (n, n_features), C-contiguous.
MADNIS_KERNEL(features, const double* p, std::int64_t n_legs, std::int64_t hadronic, double* values,
              std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    const ConstBatch batch = momenta(p, n_legs, n);
    const std::int64_t n_features = 3 * (n_legs - 2) + (hadronic ? 2 : 0);
    double* next = values + event * n_features;
    for (std::int64_t i = 2; i < n_legs; ++i) {
        const auto k = load_momentum<double>(batch, std::size_t(i), std::size_t(event), 1);
        *next++ = bounded(log(transverse_momentum(k)));
        *next++ = bounded(pseudorapidity(k));
        *next++ = bounded(azimuth(k));
    }
    if (!hadronic) return;
    const double log_a = log(*batch.at(std::size_t(event), 0));
    const double log_b = log(*batch.at(std::size_t(event), 4));
    *next++ = bounded(log(4.) + log_a + log_b);
    *next++ = bounded((log_a - log_b) / 2);
}

// A dynamical scale times a factor, in GeV, (n,).
MADNIS_KERNEL(dynamical_scale, std::int64_t choice, double factor, const double* p,
              std::int64_t n_legs, double* scale, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    scale[event] =
        factor * measured(DynamicalScale(choice), momenta(p, n_legs, n), std::size_t(event));
}

// The flux factor of each event in GeV^-2, (n,).
MADNIS_KERNEL(flux_factor, const double* p, std::int64_t n_legs, double* factor, std::int64_t n) {
    const std::int64_t event = thread_index();
    if (event >= n) return;
    factor[event] = flux<double>(momenta(p, n_legs, n), std::size_t(event), 1);
}

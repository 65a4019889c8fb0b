// Random numbers of points, sums over the weights of channels, and hit or miss.
//
// Sums are as many partial sums as there are threads, each over points that lie `parts` apart: the
// same on every run, whatever order the threads have. Who asks for them adds them up.
#include <cmath>

#include "cuda/launch.hpp"
#include "random/philox.hpp"

using namespace madnis;

// n numbers of a stream from a position on. Key and subsequence are 64 bits each, as signed
// integers.
MADNIS_KERNEL(uniform_numbers, std::int64_t key, std::int64_t subsequence, std::int64_t position,
              double* numbers, std::int64_t n) {
    const std::int64_t i = thread_index();
    if (i >= n) return;
    const RandomStream stream{std::uint64_t(key), std::uint64_t(subsequence)};
    numbers[i] = uniform(stream, std::uint64_t(position) + std::uint64_t(i));
}

// Of points sorted by channel, those of channel c from bounds[c] to bounds[c + 1]: partial sums of
// the weights in a unit, and the largest size of a weight, not in the unit; (n_channels, parts).
MADNIS_KERNEL(channel_sums, const double* weight, const std::int64_t* bounds, double unit,
              double* sums, double* largest, std::int64_t parts, std::int64_t n_channels) {
    const std::int64_t thread = thread_index();
    if (thread >= n_channels * parts) return;
    const std::int64_t channel = thread / parts;
    double sum = 0, size = 0;
    for (std::int64_t i = bounds[channel] + thread % parts; i < bounds[channel + 1]; i += parts) {
        sum += weight[i] / unit;
        size = std::fmax(size, std::fabs(weight[i]));
    }
    sums[thread] = sum;
    largest[thread] = size;
}

// Partial sums of the squared deviations from the means (n_channels,), also in the unit.
MADNIS_KERNEL(channel_squares, const double* weight, const std::int64_t* bounds, double unit,
              const double* means, double* sums, std::int64_t parts, std::int64_t n_channels) {
    const std::int64_t thread = thread_index();
    if (thread >= n_channels * parts) return;
    const std::int64_t channel = thread / parts;
    double sum = 0;
    for (std::int64_t i = bounds[channel] + thread % parts; i < bounds[channel + 1]; i += parts) {
        const double deviation = weight[i] / unit - means[channel];
        sum += deviation * deviation;
    }
    sums[thread] = sum;
}

namespace {

// Sums of `UnweightingTally` (events/unweighting.py), and trials with a weight in a channel whose
// maximum is 0.
struct Tally {
    static constexpr std::int64_t size = 8;

    double live = 0, accepted = 0, negative = 0, ratio = 0, magnitude = 0, magnitude_squared = 0,
           squared = 0, lost = 0;

    // A trial with r = `r` and |r| = `size`.
    MADNIS_GPU_FN void add(double r, double size) {
        const double kept = std::fmin(size, 1.0);
        live += size > 0;
        accepted += kept;
        negative += kept * ((size - r) / (size > 0 ? 2 * size : 1.0));
        ratio += r;
        magnitude += size;
        magnitude_squared += size * std::fmax(size, 1.0);
        squared += r * r;
    }

    MADNIS_GPU_FN void store(double* sums, std::int64_t part, std::int64_t parts) const {
        const double all[] = {live,      accepted,          negative, ratio,
                              magnitude, magnitude_squared, squared,  lost};
        for (std::int64_t k = 0; k < size; ++k) sums[k * parts + part] = all[k];
    }
};

}  // namespace

// Hit or miss of n trials with weights and magnitudes (n,) of channels (n,) with maxima: |w| / M
// with the sign of w (n,), whether a trial is accepted (n,), and partial sums (8, parts).
MADNIS_KERNEL(accept_trials, const double* weight, const double* magnitude,
              const std::int64_t* channel, const double* maxima, const double* number,
              double* signed_size, bool* accepted, double* sums, std::int64_t parts,
              std::int64_t n) {
    const std::int64_t part = thread_index();
    if (part >= parts) return;
    Tally tally;
    for (std::int64_t i = part; i < n; i += parts) {
        const double maximum = maxima[channel[i]], divisor = maximum > 0 ? maximum : 1.0;
        const double ratio = weight[i] / divisor, size = magnitude[i] / divisor;
        signed_size[i] = std::copysign(size, ratio);
        accepted[i] = number[i] < size;
        tally.add(ratio, size);
        tally.lost += maximum == 0 && magnitude[i] != 0;
    }
    tally.store(sums, part, parts);
}

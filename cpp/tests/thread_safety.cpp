// The kernels with several threads and several callers at once, for a build with
// -DMADNIS_SANITIZE=thread. Exits with 0 when every result is, byte for byte, that of one thread.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "flows/coupling.hpp"
#include "flows/event_ranges.hpp"
#include "runtime/elementary.hpp"
#include "runtime/parallel.hpp"

// A child of a process with threads may start threads again; the first race ends the process.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0:halt_on_error=1"; }

namespace {

using namespace madnis;

constexpr std::size_t dim = 3, bins = 4, units = 6;
// Several ranges, and a channel without events.
const std::vector<std::int64_t> counts = {1100, 0, 900};
constexpr std::size_t events = 2000;

const CouplingKernels<float>& coupling(float) { return coupling_float32(); }
const CouplingKernels<double>& coupling(double) { return coupling_float64(); }

// Numbers in [0, 1) that look random.
template <class Number>
std::vector<Number> numbers(std::size_t count, std::uint32_t seed) {
    std::vector<Number> result(count);
    for (auto& number : result) {
        number = Number((seed = seed * 1664525u + 1013904223u) >> 8) / Number(1u << 24);
    }
    return result;
}

struct Results {
    std::vector<double> z, log_jac, x, slope, gradient, parameter_gradient, exponentials;

    bool operator==(const Results&) const = default;
};

// Two coupling blocks with complementary masks.
template <class Number>
class Flow {
public:
    Flow() {
        for (auto& block : blocks_) add(block);
        for (const auto& array : arrays_) addresses_.push_back(array.data());
        for (const auto& range : ranges_) partials_ = std::max(partials_, range.partial);
        spec_.blocks = specs_.data();
        spec_.n_blocks = specs_.size();
    }

    Flow(const Flow&) = delete;

    // Every kernel once, into memory of the caller's own.
    Results run() const {
        const auto points = numbers<double>(dim * events, 1);
        Results out;
        for (auto* rows : {&out.z, &out.x, &out.gradient, &out.exponentials}) {
            rows->resize(dim * events);
        }
        for (auto* row : {&out.log_jac, &out.slope}) row->resize(events);
        std::vector<Number> gradient(counts.size() * spec_.n_parameters);
        const EventRanges ranges{ranges_.data(), ranges_.size(), partials_};
        const auto& kernel = coupling(Number());
        kernel.forward(spec_, addresses_.data(), ranges, batch(points.data()), batch(out.z.data()),
                       out.log_jac.data());
        kernel.inverse(spec_, addresses_.data(), ranges, batch(points.data()), batch(out.x.data()),
                       out.slope.data());
        kernel.backward(spec_, addresses_.data(), ranges, batch(points.data()),
                        batch<const double>(out.z.data()), out.log_jac.data(),
                        batch(out.gradient.data()), gradient.data());
        elementary_kernels().apply(Elementary::exp, points.data(), points.size(),
                                   out.exponentials.data());
        out.parameter_gradient.assign(gradient.begin(), gradient.end());
        return out;
    }

private:
    struct Block {
        std::vector<std::size_t> transformed, fixed;
        std::array<LayerSpec, 2> layers;
    };

    template <class Element>
    static BatchView<Element> batch(Element* data) {
        return {data, events, dim, 1, events};
    }

    void add(Block& block) {
        const std::size_t n_in = block.fixed.size();
        const std::size_t n_out = (3 * bins + 1) * block.transformed.size();
        block.layers = {LayerSpec{n_in, units, 0, place(n_in * units), place(units)},
                        LayerSpec{units, n_out, n_in, place(units * n_out), place(n_out)}};
        specs_.push_back({block.transformed.data(), block.fixed.data(), block.transformed.size(),
                          n_in, block.layers.data(), block.layers.size(), n_in + units + n_out});
    }

    ParameterSpec place(std::size_t size) {
        const ParameterSpec result{arrays_.size(), spec_.n_parameters, size};
        arrays_.push_back(numbers<Number>(counts.size() * size, std::uint32_t(arrays_.size())));
        spec_.n_parameters += size;
        return result;
    }

    CouplingSpec spec_{nullptr, 0, dim, counts.size(), 0, 64, {bins, 1e-4, {-12.0, 1e4}}};
    std::array<Block, 2> blocks_{Block{{0, 2}, {1}, {}}, Block{{1}, {0, 2}, {}}};
    std::vector<CouplingBlockSpec> specs_;
    std::vector<std::vector<Number>> arrays_;
    std::vector<const Number*> addresses_;
    std::vector<EventRange> ranges_ = event_ranges(counts);
    std::size_t partials_ = 0;
};

// Runs `work` in four threads while `meanwhile` runs in this one; whether all of `work` returned
// true.
bool callers(const std::function<bool()>& work, const std::function<void()>& meanwhile) {
    std::atomic<bool> good{true};
    std::vector<std::thread> threads;
    for (int caller = 0; caller < 4; ++caller) {
        threads.emplace_back([&] {
            for (int call = 0; call < 10; ++call) {
                if (!work()) good = false;
            }
        });
    }
    meanwhile();
    for (auto& thread : threads) thread.join();
    return good;
}

bool works_in_a_child(const std::function<bool()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work() ? 0 : 1);
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool report(const char* what, bool good) {
    std::printf("%s: %s\n", what, good ? "same bytes" : "FAILED");
    return good;
}

template <class Number>
bool check() {
    const Flow<Number> flow;
    set_thread_count(1);
    const Results expected = flow.run();
    const auto work = [&] { return flow.run() == expected; };
    bool good = true;
    for (std::size_t threads : {2, 3, 8}) {
        set_thread_count(threads);
        good &= report("threads", work());
    }
    good &= report("several callers", callers(work, [] {}));
    good &= report("thread count changed in use", callers(work, [] {
                       for (std::size_t i = 0; i < 40; ++i) set_thread_count(1 + i % 4);
                   }));
    set_thread_count(3);
    bool children = true;
    good &= report("forks in use", callers(work, [&] {
                       for (int i = 0; i < 5; ++i) children &= works_in_a_child(work);
                   }));
    return report("children", children) && good;
}

}  // namespace

int main() {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const bool single = check<float>(), full = check<double>();
    return single && full ? 0 : 1;
}

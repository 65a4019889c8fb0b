#include "events/event_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>
#include <vector>

#include "runtime/parallel.hpp"
#include "simd/batch.hpp"

namespace madnis {
namespace {

constexpr double momentum_tolerance = 1e-6;
constexpr std::int32_t first_tag = 501;

// Colour tags that begin and end at one place. A line begins at an outgoing colour or an incoming
// anticolour; a negative number is a second line of the other side, of a sextet.
class Lines {
public:
    void clear() {
        begins_.clear();
        ends_.clear();
    }

    void outgoing(const std::int32_t* colour) { add(colour[0], colour[1]); }
    void incoming(const std::int32_t* colour) { add(colour[1], colour[0]); }

    // Every line begins once and ends once, but for those that meet at junctions: three each, all
    // of which only begin, or only end.
    bool pair_up() {
        std::ranges::sort(begins_);
        std::ranges::sort(ends_);
        const auto twice = [](const auto& lines) {
            return std::ranges::adjacent_find(lines) != lines.end();
        };
        if (twice(begins_) || twice(ends_)) return false;
        for (const auto& lines : {begins_, ends_}) {
            if (!lines.empty() && lines.front() < first_tag) return false;
        }
        return alone(begins_, ends_) % 3 == 0 && alone(ends_, begins_) % 3 == 0;
    }

private:
    void add(std::int32_t begin, std::int32_t end) {
        for (const auto line : {begin, -end}) {
            if (line > 0) begins_.push_back(line);
        }
        for (const auto line : {end, -begin}) {
            if (line > 0) ends_.push_back(line);
        }
    }

    static std::size_t alone(const std::vector<std::int32_t>& lines,
                             const std::vector<std::int32_t>& others) {
        std::vector<std::int32_t> found;
        std::ranges::set_difference(lines, others, std::back_inserter(found));
        return found.size();
    }

    std::vector<std::int32_t> begins_, ends_;
};

// Looks at one event after the other, each rule supposing those before it.
class Checker {
public:
    Checker(const EventRecords& events, double on_shell)
        : events_(events), shell_tolerance_(on_shell) {}

    std::optional<EventFault> fault(std::size_t event) {
        event_ = event;
        used_ = particle_count(events_, event);
        if (!finite()) return broken("finite");
        if (!unused_rows_last()) return broken("unused");
        n_incoming_ = used_ > 1 && row_status(1) == incoming_particle ? 2 : 1;
        if (!status()) return broken("status");
        for (std::size_t k = 0; k < used_; ++k) {
            if (!mothers(k)) return broken("mothers", k);
        }
        for (std::size_t k = 0; k < used_; ++k) {
            if (!on_shell(k)) return broken("mass_shell", k);
        }
        if (!conserved()) return broken("conservation");
        for (std::size_t k = n_incoming_; k < used_; ++k) {
            if (row_status(k) == intermediate_particle && !sum_of_daughters(k)) {
                return broken("daughters", k);
            }
        }
        if (!lines_pair_up()) return broken("colour");
        for (std::size_t k = n_incoming_; k < used_; ++k) {
            if (row_status(k) == intermediate_particle && !colour_of_decay(k)) {
                return broken("decay_colour", k);
            }
        }
        return std::nullopt;
    }

private:
    EventFault broken(const char* rule, std::size_t particle = 0) const {
        return {event_, rule, particle};
    }

    std::size_t row(std::size_t k) const { return event_ * events_.rows + k; }
    std::int32_t row_status(std::size_t k) const { return events_.status[row(k)]; }
    std::int32_t mother(std::size_t k) const { return events_.mothers[2 * row(k)]; }
    const double* momentum(std::size_t k) const { return events_.momenta + 4 * row(k); }
    const std::int32_t* colour(std::size_t k) const { return events_.colour + 2 * row(k); }
    bool is_daughter(std::size_t k, std::size_t of) const {
        return mother(k) == std::int32_t(of + 1);
    }

    static bool all_finite(const double* data, std::size_t count) {
        return std::all_of(data, data + count, [](double value) { return std::isfinite(value); });
    }

    bool finite() const {
        for (const auto* column :
             {events_.weight, events_.scale, events_.factorization_scale,
              events_.renormalization_scale, events_.alpha_qed, events_.alpha_s}) {
            if (!std::isfinite(column[event_])) return false;
        }
        for (const auto* column : {events_.mass, events_.lifetime, events_.spin}) {
            if (!all_finite(column + row(0), used_)) return false;
        }
        return all_finite(momentum(0), 4 * used_) &&
               all_finite(events_.variation + event_ * events_.variations, events_.variations);
    }

    bool unused_rows_last() const {
        const auto* status = events_.status + row(0);
        return std::all_of(status + used_, status + events_.rows,
                           [](auto one) { return one == unused_row; });
    }

    bool status() const {
        const auto* status = events_.status + row(0);
        return used_ > 2 && status[0] == incoming_particle &&
               std::all_of(status + n_incoming_, status + used_, [](auto one) {
                   return one == outgoing_particle || one == intermediate_particle;
               });
    }

    // None for the incoming ones, all of them for what they make, an earlier intermediate one for
    // what it decays to.
    bool mothers(std::size_t k) const {
        const auto first = mother(k), last = events_.mothers[2 * row(k) + 1];
        if (k < n_incoming_) return first == 0 && last == 0;
        if (first == 1) return std::size_t(last) == n_incoming_;
        const bool earlier = first > std::int32_t(n_incoming_) && std::size_t(first) <= k &&
                             row_status(std::size_t(first) - 1) == 2;
        return earlier && (last == first || last == 0);
    }

    bool on_shell(std::size_t k) const {
        const double* p = momentum(k);
        const double mass = events_.mass[row(k)];
        const double energy = std::sqrt(p[1] * p[1] + p[2] * p[2] + p[3] * p[3] + mass * mass);
        return std::abs(p[0] - energy) <= shell_tolerance_ * std::abs(p[0]);
    }

    bool conserved() const {
        std::array<double, 4> missing{};
        for (std::size_t k = 0; k < used_; ++k) {
            const double sign = row_status(k) == intermediate_particle ? 0.0 : -row_status(k);
            add(missing, sign, k);
        }
        double energy = momentum(0)[0];
        if (n_incoming_ == 2) energy += momentum(1)[0];
        return below(missing, momentum_tolerance * energy);
    }

    bool sum_of_daughters(std::size_t parent) const {
        std::array<double, 4> missing{};
        bool any = false;
        add(missing, 1.0, parent);
        for (std::size_t k = parent + 1; k < used_; ++k) {
            if (!is_daughter(k, parent)) continue;
            any = true;
            add(missing, -1.0, k);
        }
        return any && below(missing, momentum_tolerance * momentum(parent)[0]);
    }

    void add(std::array<double, 4>& sum, double factor, std::size_t k) const {
        for (std::size_t component = 0; component < 4; ++component) {
            sum[component] += factor * momentum(k)[component];
        }
    }

    static bool below(const std::array<double, 4>& p, double limit) {
        return std::ranges::all_of(
            p, [limit](double component) { return std::abs(component) <= limit; });
    }

    bool lines_pair_up() {
        lines_.clear();
        for (std::size_t k = 0; k < used_; ++k) {
            if (row_status(k) == incoming_particle) lines_.incoming(colour(k));
            if (row_status(k) == outgoing_particle) lines_.outgoing(colour(k));
        }
        return lines_.pair_up();
    }

    bool colour_of_decay(std::size_t parent) {
        lines_.clear();
        lines_.incoming(colour(parent));
        for (std::size_t k = parent + 1; k < used_; ++k) {
            if (is_daughter(k, parent)) lines_.outgoing(colour(k));
        }
        return lines_.pair_up();
    }

    const EventRecords& events_;
    double shell_tolerance_;
    std::size_t event_ = 0, used_ = 0, n_incoming_ = 2;
    Lines lines_;
};

std::optional<EventFault> first_fault(const EventRecords& events, double on_shell,
                                      std::size_t begin, std::size_t end) {
    Checker checker(events, on_shell);
    for (std::size_t event = begin; event < end; ++event) {
        if (const auto fault = checker.fault(event)) return fault;
    }
    return std::nullopt;
}

}  // namespace

std::optional<EventFault> first_fault(const EventRecords& events, double on_shell) {
    std::vector<std::optional<EventFault>> faults((events.count + block_size - 1) / block_size);
    parallel_for(events.count, [&](std::size_t begin, std::size_t end) {
        faults[begin / block_size] = first_fault(events, on_shell, begin, end);
    });
    const auto first =
        std::ranges::find_if(faults, [](const auto& fault) { return fault.has_value(); });
    return first == faults.end() ? std::nullopt : *first;
}

}  // namespace madnis

// Phase space of a diagram: partons, then a line of momentum transfers between them from which
// clusters of final particles leave one after the other, then the decays of the clusters.
//
// With one cluster everything goes through the s channel. Everything is built in the rest frame of
// the collision; the unit cube is read in one order: s-hat and the share of its logarithm that x_1
// has (hadron beams); the masses of clusters that decay; the masses of what is left after each
// cluster but the last two; per step along the line the momentum transfer and an angle; per
// cluster, parents first, the masses of its children and two angles.
#pragma once

#include <limits>

#include "phase_space/kinematics.hpp"
#include "phase_space/lines.hpp"
#include "phase_space/mapping_specs.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
FourVector<T> boosted(const FourVector<T>& p, const FourVector<T>& frame, const T& mass) {
    const T energy = (frame.e * p.e + frame.x * p.x + frame.y * p.y + frame.z * p.z) / mass;
    const T along = (p.e + energy) / (frame.e + mass);
    return {energy, p.x + frame.x * along, p.y + frame.y * along, p.z + frame.z * along};
}

// p in the rest frame of `frame`.
template <class T>
FourVector<T> at_rest(const FourVector<T>& p, const FourVector<T>& frame, const T& mass) {
    return boosted(p, FourVector<T>{frame.e, -frame.x, -frame.y, -frame.z}, mass);
}

// Two particles from D = E_2 p_1 - E_1 p_2: no difference of large numbers, however fast a light
// pair is.
template <class T>
struct Pair {
    FourVector<T> p, q;
    T m1, m2;

    FourVector<T> difference() const {
        return {T(0.), q.e * p.x - p.e * q.x, q.e * p.y - p.e * q.y, q.e * p.z - p.e * q.z};
    }

    // m^2 = m_1^2 + m_2^2 + (D^2 + m_1^2 E_2^2 + m_2^2 E_1^2) / (E_1 E_2)
    T squared_mass() const {
        const auto d = difference();
        const T s1 = m1 * m1, s2 = m2 * m2, product = p.e * q.e;
        const T sum = d.x * d.x + d.y * d.y + d.z * d.z + s1 * q.e * q.e + s2 * p.e * p.e;
        return s1 + s2 + sum / select(product > 0., product, T(1.));
    }

    // Momentum of the first where both rest, (D + P P.D / (m (E + m))) / E, P.D from energies and
    // masses.
    FourVector<T> at_rest(const T& mass) const {
        const auto d = difference(), sum = p + q;
        const T along = 0.5 * (mass * mass * (p.e - q.e) - sum.e * ((m1 - m2) * (m1 + m2)));
        const T across = mass * (sum.e + mass);
        const T inverse = 1. / (across * select(sum.e > 0., sum.e, T(1.)));
        return {T(0.), (d.x * across + sum.x * along) * inverse,
                (d.y * across + sum.y * along) * inverse, (d.z * across + sum.z * along) * inverse};
    }
};

// The axes x, y and z after the shortest rotation that takes z to a unit vector n; it jumps at
// n = -z alone.
template <class T>
struct Frame {
    T a[3], b[3], n[3];

    Frame(const T& x, const T& y, const T& z) : n{x, y, z} {
        const T across = x * x + y * y;
        const auto ahead = z >= 0., behind = !ahead && across > 1e-290;
        const T scale = select(behind, T(1. - z), T(1.)) /
                        select(behind, across, select(ahead, T(1. + z), T(1.)));
        const T xy = x * y * scale;
        a[0] = 1. - x * x * scale;
        a[1] = -xy;
        a[2] = -x;
        b[0] = -xy;
        b[1] = 1. - y * y * scale;
        b[2] = -y;
    }
};

// sqrt(lambda(s, m1^2, m2^2)) with squared masses of the event.
template <class T>
T root_kaellen_of(const T& s, const T& m1, const T& m2) {
    const T sum = m1 + m2, difference = m1 - m2;
    return sqrt(max(T((s - sum * sum) * (s - difference * difference)), T(0.)));
}

template <class T>
T square_root(const T& x) {
    return sqrt(max(x, T(0.)));
}

inline constexpr std::size_t max_clusters = 32;

// One event group on its way through a topology, forward (cube to momenta) or back.
template <class T>
class TopologyMap {
public:
    explicit TopologyMap(const TopologySpec& spec) : spec_(spec) {}

    // p: all legs; returns dx_1 dx_2 dPhi_n / dx, 0 outside.
    T forward(const T* x, FourVector<T>* p) {
        begin(x);
        const T s = beams_forward();
        start(s);
        if (spec_.n_top > 1) {
            for (std::size_t j = 0; j < spec_.n_top; ++j) draw_top(j);
            for (std::size_t j = 0; j + 2 < spec_.n_top; ++j) draw_rest(j);
            finish_rests();
            for (std::size_t j = 0; j + 1 < spec_.n_top; ++j) step_forward(j);
        }
        for (std::size_t k = spec_.n_clusters; k-- > 0;) {
            if (spec_.clusters[k].left >= 0) decay_forward(k);
        }
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            const auto& cluster = spec_.clusters[k];
            if (cluster.left < 0) {
                p[spec_.legs[cluster.leg]] =
                    to_laboratory(about_beams(momenta_[k], turn_), cluster.minimum);
            }
        }
        const T zero(0.);
        const T first = swapped() ? energies_[1] : energies_[0];
        const T second = swapped() ? energies_[0] : energies_[1];
        p[0] = {first, zero, zero, first};
        p[1] = {second, zero, zero, -second};
        return found_jacobian();
    }

    // The point of the unit cube; returns the same Jacobian as forward, 0 outside of the support.
    T inverse(const FourVector<T>* p, T* x) {
        begin(nullptr);
        out_ = x;
        const T s = beams_inverse(p);
        start(s);
        collect(p);
        if (spec_.n_top > 1) {
            collect_rests();
            for (std::size_t j = 0; j < spec_.n_top; ++j) place_top(j);
            for (std::size_t j = 0; j + 2 < spec_.n_top; ++j) place_rest(j);
            for (std::size_t j = 0; j + 1 < spec_.n_top; ++j) step_inverse(j);
        }
        for (std::size_t k = spec_.n_clusters; k-- > 0;) {
            if (spec_.clusters[k].left >= 0) decay_inverse(k);
        }
        return found_jacobian();
    }

private:
    static constexpr double per_invariant = 0.5 / std::numbers::pi;
    // GeV: lighter lines, which only massless particles without cuts have, count as outside; s^2
    // must not underflow.
    static constexpr double least_line = 1e-70;

    bool swapped() const { return spec_.legs[0] == 1; }

    void begin(const T* x) {
        in_ = x;
        jacobian_ = T(1.);
        turned_ = false;
    }

    T next() {
        const T z = *in_++;
        const auto inside = z >= 0. && z <= 1.;
        jacobian_ = select(inside, jacobian_, T(0.));
        return select(inside, z, T(0.5));
    }

    void put(const T& z) { *out_++ = min(max(z, T(0.)), T(1.)); }

    T found_jacobian() const {
        return select(jacobian_ > 0. && jacobian_ < std::numeric_limits<double>::infinity(),
                      jacobian_, T(0.));
    }

    void times(const T& factor) { jacobian_ = jacobian_ * factor; }

    T drawn(const LineSpec& line, const T& lower, const T& upper) {
        const auto [s, ds] = draw_line(line, next(), lower, upper);
        times(ds);
        return s;
    }

    void placed(const LineSpec& line, const T& s, const T& lower, const T& upper) {
        const auto [z, ds] = place_on_line(line, s, lower, upper);
        put(z);
        times(ds);
    }

    // ds / 2 pi of lines that are drawn or found.

    T drawn_mass(const LineSpec& line, const T& lower, const T& upper) {
        const T mass = mass_of(drawn(line, lower, upper));
        times(select(mass > least_line, T(per_invariant), T(0.)));
        return mass;
    }

    void placed_mass(const LineSpec& line, const T& mass, const T& lower, const T& upper) {
        placed(line, T(mass * mass), lower, upper);
        times(select(mass > least_line, T(per_invariant), T(0.)));
    }

    static T mass_of(const T& s) { return max(square_root(s), T(least_line)); }

    // -- beams

    double beam(int role) const { return spec_.beam_energies[swapped() ? 1 - role : role]; }

    T beams_forward() {
        if (spec_.partonic) {
            energies_[0] = T(beam(0));
            energies_[1] = T(beam(1));
            return T(4 * beam(0) * beam(1));
        }
        const double s_beams = 4 * beam(0) * beam(1);
        const T s = drawn(spec_.s_hat, T(spec_.s_min), T(spec_.s_max));
        const T tau = s / s_beams, log_tau = log(tau);
        const T x1 = min(max(exp(next() * log_tau), tau), T(1.));
        times(-log_tau / s_beams);
        energies_[0] = beam(0) * x1;
        energies_[1] = beam(1) * (tau / x1);
        return s;
    }

    T beams_inverse(const FourVector<T>* p) {
        energies_[0] = swapped() ? p[1].e : p[0].e;
        energies_[1] = swapped() ? p[0].e : p[1].e;
        const T s = 4. * energies_[0] * energies_[1];
        if (spec_.partonic) {
            const auto same = abs(energies_[0] - beam(0)) <= 1e-9 * beam(0) &&
                              abs(energies_[1] - beam(1)) <= 1e-9 * beam(1);
            jacobian_ = select(same, jacobian_, T(0.));
            return s;
        }
        const double s_beams = 4 * beam(0) * beam(1);
        const T x1 = energies_[0] / beam(0), x2 = energies_[1] / beam(1);
        jacobian_ =
            select(x1 <= 1 + 1e-12 && x2 <= 1 + 1e-12 && x1 > 0. && x2 > 0., jacobian_, T(0.));
        placed(spec_.s_hat, s, T(spec_.s_min), T(spec_.s_max));
        const T log_tau = min(log(max(T(s / s_beams), T(1e-300))), T(0.));
        put(select(log_tau < 0., T(log(max(min(x1, T(1.)), T(1e-300))) / log_tau), T(0.5)));
        times(-log_tau / s_beams);
        return s;
    }

    void start(const T& s) {
        const T zero(0.);
        const T root = square_root(s), half = 0.5 * root;
        ratio_ = sqrt(energies_[0] / energies_[1]);
        incoming_[0] = {half, zero, zero, half};
        incoming_[1] = {half, zero, zero, -half};
        rest_[0] = root;
        if (spec_.n_top == 1) {
            masses_[spec_.top[0]] = root;
            momenta_[spec_.top[0]] = {root, zero, zero, zero};
        }
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            if (spec_.clusters[k].left < 0) masses_[k] = T(spec_.clusters[k].minimum);
        }
    }

    FourVector<T> to_laboratory(const FourVector<T>& p, double mass) const {
        const T transverse = p.x * p.x + p.y * p.y + mass * mass;
        const T large = p.e + abs(p.z), small = transverse / select(large > 0., large, T(1.));
        const auto forward = p.z > 0.;
        const T plus = select(forward, large, small) * ratio_;
        const T minus = select(forward, small, large) / ratio_;
        const T z = 0.5 * (plus - minus);
        if (swapped()) return {0.5 * (plus + minus), p.x, -p.y, -z};
        return {0.5 * (plus + minus), p.x, p.y, z};
    }

    FourVector<T> from_laboratory(const FourVector<T>& p, double mass) const {
        const T y = swapped() ? T(-p.y) : p.y, z = swapped() ? T(-p.z) : p.z;
        const T transverse = p.x * p.x + p.y * p.y + mass * mass;
        const T large = p.e + abs(z), small = transverse / select(large > 0., large, T(1.));
        const auto forward = z > 0.;
        const T plus = select(forward, large, small) / ratio_;
        const T minus = select(forward, small, large) * ratio_;
        return {0.5 * (plus + minus), p.x, y, 0.5 * (plus - minus)};
    }

    // -- azimuths: the first one turns the whole event about the beams, the others count from it

    Direction<T> drawn_azimuth() {
        const auto found = direction(next());
        if (turned_) return found;
        turned_ = true;
        turn_ = found;
        return {T(1.), T(0.)};
    }

    void placed_azimuth(const T& y, const T& x) {
        put(turned_ ? turns(y, x) : turns(turn_.sin, turn_.cos));
        turned_ = true;
    }

    static FourVector<T> about_beams(const FourVector<T>& p, const Direction<T>& turn) {
        return {p.e, p.x * turn.cos - p.y * turn.sin, p.x * turn.sin + p.y * turn.cos, p.z};
    }

    static T turns(const T& y, const T& x) {
        const T angle = atan2(y, x) * (0.5 / std::numbers::pi);
        return select(angle < 0., T(angle + 1.), angle);
    }

    // Turn all clusters back; the first azimuth is that of the first cluster, or of the first child
    // if there is but one.
    void turn_back() {
        const auto top = std::size_t(spec_.top[0]);
        const auto& first = momenta_[spec_.n_top > 1 ? top : std::size_t(spec_.clusters[top].left)];
        const T length = sqrt(first.x * first.x + first.y * first.y);
        const auto known = length > 0.;
        const T inverse = 1. / select(known, length, T(1.));
        turn_ = {select(known, T(first.x * inverse), T(1.)), first.y * inverse};
        const Direction<T> back = {turn_.cos, -turn_.sin};
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            momenta_[k] = about_beams(momenta_[k], back);
        }
    }

    // -- masses of the clusters on the line

    // Least mass of the clusters of the line from j on, in GeV.
    double least_from(std::size_t j) const { return spec_.least_rest[j]; }

    T highest_top(std::size_t j) const {
        T room = rest_[0];
        for (std::size_t i = 0; i < j; ++i) room = room - masses_[spec_.top[i]];
        return max(T(room - least_from(j + 1)), T(0.));
    }

    void draw_top(std::size_t j) {
        const std::size_t k = spec_.top[j];
        if (spec_.clusters[k].left < 0) return;
        const T highest = highest_top(j);
        masses_[k] = drawn_mass(spec_.clusters[k].line, lowest(k), T(highest * highest));
    }

    void place_top(std::size_t j) {
        const std::size_t k = spec_.top[j];
        if (spec_.clusters[k].left < 0) return;
        const T highest = highest_top(j);
        placed_mass(spec_.clusters[k].line, masses_[k], lowest(k), T(highest * highest));
    }

    T lowest(std::size_t k) const {
        return T(spec_.clusters[k].minimum * spec_.clusters[k].minimum);
    }

    // Least mass of all clusters after j: of each and those after it at least their masses together
    // and what cuts leave.
    T least_after(std::size_t j) const {
        std::size_t i = spec_.n_top - 1;
        T least = masses_[spec_.top[i]];
        while (--i > j) least = max(T(masses_[spec_.top[i]] + least), T(least_from(i)));
        return least;
    }

    void draw_rest(std::size_t j) {
        const T least = least_after(j), highest = max(T(rest_[j] - masses_[spec_.top[j]]), T(0.));
        rest_[j + 1] = drawn_mass(spec_.rest, T(least * least), T(highest * highest));
    }

    void place_rest(std::size_t j) {
        const T least = least_after(j), highest = max(T(rest_[j] - masses_[spec_.top[j]]), T(0.));
        placed_mass(spec_.rest, rest_[j + 1], T(least * least), T(highest * highest));
    }

    // A cluster and what is left after it.
    Pair<T> parts(std::size_t j) const {
        return {momenta_[spec_.top[j]], after_[j], masses_[spec_.top[j]], rest_[j + 1]};
    }

    void collect_rests() {
        std::size_t j = spec_.n_top - 1;
        FourVector<T> sum = momenta_[spec_.top[j]];
        finish_rests();
        while (j-- > 0) {
            after_[j] = sum;
            sum = sum + momenta_[spec_.top[j]];
            if (j > 0) rest_[j] = mass_of(parts(j).squared_mass());
        }
    }

    void finish_rests() { rest_[spec_.n_top - 1] = masses_[spec_.top[spec_.n_top - 1]]; }

    // -- steps along the line: q + p_b -> cluster j + rest, q^2 = transfer_

    struct Step {
        T s, root, q, momentum, energy, furthest, range;  // furthest: -t at theta = 0
        FourVector<T> system;
    };

    Step step(std::size_t j) const {
        Step step;
        const T virtual_mass = j == 0 ? T(0.) : transfer_;
        const T first = masses_[spec_.top[j]], second = rest_[j + 1];
        step.system = j == 0 ? incoming_[0] + incoming_[1] : left_;
        step.root = rest_[j];
        step.s = step.root * step.root;
        const T root_lambda = root_kaellen_of(step.s, first, second);
        step.momentum = 0.5 * root_lambda / step.root;
        step.energy = 0.5 * (step.s + (first - second) * (first + second)) / step.root;
        step.q = 0.5 * (step.s - virtual_mass) / step.root;
        // t_max = q^2 (1 - 2 E / sqrt(s)) + m^2 (1 - 2 |q| / (E + |p|))
        const T nearest = virtual_mass * (1. - 2. * step.energy / step.root) +
                          first * first * (1. - 2. * step.q / (step.energy + step.momentum));
        step.furthest = max(T(-nearest), T(0.));
        step.range = 4. * step.q * step.momentum;
        return step;
    }

    // Direction of q in the rest frame of the system, opposite to that of the other parton.
    Frame<T> axis(const Step& step) const {
        const auto other = at_rest(incoming_[1], step.system, step.root);
        const T length = sqrt(other.x * other.x + other.y * other.y + other.z * other.z);
        const auto known = length > 0.;  // not for a light system that goes on along the beam
        const T inverse = -1. / select(known, length, T(1.));
        return Frame<T>(other.x * inverse, other.y * inverse,
                        select(known, T(other.z * inverse), T(1.)));
    }

    // dPhi_2 = d(-t) dphi / (16 pi^2 (s - q^2)), dphi = 2 pi dz
    void times_step(const Step& step, const T& root_range) {
        times(select(root_range > 0., T(1. / (8 * std::numbers::pi * 2. * step.q * step.root)),
                     T(0.)));
    }

    void step_forward(std::size_t j) {
        const Step now = step(j);
        const T minus_t = drawn(spec_.exchanges[j], now.furthest, T(now.furthest + now.range));
        const T share =
            min(max(T((minus_t - now.furthest) / select(now.range > 0., now.range, T(1.))), T(0.)),
                T(1.));
        const auto [cosine, sine] = drawn_azimuth();
        const Frame<T> frame = axis(now);
        const T along = now.momentum * (1. - 2. * share);
        const T across = 2. * now.momentum * sqrt(share * (1. - share));
        const T a = across * cosine, b = across * sine;
        const FourVector<T> resting = {now.energy,
                                       along * frame.n[0] + a * frame.a[0] + b * frame.b[0],
                                       along * frame.n[1] + a * frame.a[1] + b * frame.b[1],
                                       along * frame.n[2] + a * frame.a[2] + b * frame.b[2]};
        momenta_[spec_.top[j]] =
            on_shell(boosted(resting, now.system, now.root), masses_[spec_.top[j]]);
        left_ = now.system - momenta_[spec_.top[j]];
        if (j + 2 == spec_.n_top) {
            momenta_[spec_.top[j + 1]] = on_shell(left_, masses_[spec_.top[j + 1]]);
        }
        transfer_ = -minus_t;
        times_step(now, now.range);
    }

    void step_inverse(std::size_t j) {
        const Step now = step(j);
        const auto resting = parts(j).at_rest(now.root);
        const Frame<T> frame = axis(now);
        const T length =
            sqrt(resting.x * resting.x + resting.y * resting.y + resting.z * resting.z);
        const T inverse = 1. / select(length > 0., length, T(1.));
        const T u[3] = {resting.x * inverse, resting.y * inverse, resting.z * inverse};
        T share(0.), a(0.), b(0.);  // share = (1 - cos(theta)) / 2 = |u - n|^2 / 4
        for (int i = 0; i < 3; ++i) {
            share = share + 0.25 * (u[i] - frame.n[i]) * (u[i] - frame.n[i]);
            a = a + u[i] * frame.a[i];
            b = b + u[i] * frame.b[i];
        }
        const T minus_t = now.furthest + now.range * min(share, T(1.));
        placed(spec_.exchanges[j], minus_t, now.furthest, T(now.furthest + now.range));
        placed_azimuth(b, a);
        left_ = now.system - momenta_[spec_.top[j]];
        transfer_ = -minus_t;
        times_step(now, now.range);
    }

    static FourVector<T> on_shell(const FourVector<T>& p, const T& mass) {
        return {sqrt(p.x * p.x + p.y * p.y + p.z * p.z + mass * mass), p.x, p.y, p.z};
    }

    // -- decays

    struct Children {
        std::size_t left, right;
    };

    Pair<T> pair(std::size_t left, std::size_t right) const {
        return {momenta_[left], momenta_[right], masses_[left], masses_[right]};
    }

    Children children(std::size_t k) const {
        return {std::size_t(spec_.clusters[k].left), std::size_t(spec_.clusters[k].right)};
    }

    void decay_forward(std::size_t k) {
        const auto [left, right] = children(k);
        draw_child(left, T(masses_[k] - spec_.clusters[right].minimum));
        draw_child(right, T(masses_[k] - masses_[left]));
        const T s = masses_[k] * masses_[k];
        const T root_lambda = root_kaellen_of(s, masses_[left], masses_[right]);
        const T theta = next();
        const auto [cosine, sine] = drawn_azimuth();
        const T momentum = 0.5 * root_lambda / masses_[k];
        const T across = 2. * momentum * sqrt(theta * (1. - theta));
        const T along = momentum * (2. * theta - 1.);
        const T energy = 0.5 *
                         (s + (masses_[left] - masses_[right]) * (masses_[left] + masses_[right])) /
                         masses_[k];
        const FourVector<T> resting = {energy, across * cosine, across * sine, along};
        momenta_[left] = on_shell(boosted(resting, momenta_[k], masses_[k]), masses_[left]);
        momenta_[right] = on_shell(momenta_[k] - momenta_[left], masses_[right]);
        times_decay(s, root_lambda, masses_[left] + masses_[right] < masses_[k]);
    }

    void times_decay(const T& s, const T& root_lambda, const Mask<T>& open) {
        times(select(open, T(root_lambda / (8 * std::numbers::pi * s)), T(0.)));
    }

    void draw_child(std::size_t k, const T& highest) {
        if (spec_.clusters[k].left < 0) return;
        const T top = max(highest, T(0.));
        masses_[k] = drawn_mass(spec_.clusters[k].line, lowest(k), T(top * top));
    }

    void decay_inverse(std::size_t k) {
        const auto [left, right] = children(k);
        place_child(left, T(masses_[k] - spec_.clusters[right].minimum));
        place_child(right, T(masses_[k] - masses_[left]));
        const T s = masses_[k] * masses_[k];
        const T root_lambda = root_kaellen_of(s, masses_[left], masses_[right]);
        const auto resting = pair(left, right).at_rest(masses_[k]);
        put(T(0.5 + resting.z * masses_[k] / select(root_lambda > 0., root_lambda, T(1.))));
        placed_azimuth(resting.y, resting.x);
        times_decay(s, root_lambda, masses_[left] + masses_[right] < masses_[k]);
    }

    void place_child(std::size_t k, const T& highest) {
        if (spec_.clusters[k].left < 0) return;
        const T top = max(highest, T(0.));
        placed_mass(spec_.clusters[k].line, masses_[k], lowest(k), T(top * top));
    }

    // Momenta and masses of all clusters from those of the legs, whose energies have to add up.
    void collect(const FourVector<T>* p) {
        T energy(0.);
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            const auto& cluster = spec_.clusters[k];
            if (cluster.left < 0) {
                momenta_[k] = from_laboratory(p[spec_.legs[cluster.leg]], cluster.minimum);
                energy = energy + momenta_[k].e;
            } else if (spec_.n_top > 1 || k != std::size_t(spec_.top[0])) {
                momenta_[k] =
                    momenta_[std::size_t(cluster.left)] + momenta_[std::size_t(cluster.right)];
                masses_[k] = mass_of(
                    pair(std::size_t(cluster.left), std::size_t(cluster.right)).squared_mass());
            }
        }
        jacobian_ = select(abs(energy - rest_[0]) <= 1e-6 * rest_[0], jacobian_, T(0.));
        turn_back();
    }

    const TopologySpec& spec_;
    const T* in_ = nullptr;
    T* out_ = nullptr;
    T jacobian_, ratio_, transfer_;
    T energies_[2];
    Direction<T> turn_;
    bool turned_ = false;
    T rest_[max_clusters], masses_[max_clusters];
    FourVector<T> momenta_[max_clusters], after_[max_clusters], incoming_[2], left_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

// The line of momentum transfers between the two partons, from which clusters of final particles
// leave one after the other.
//
// Step j is 2 -> 2 scattering: what comes in along the line (first a parton, then the exchanged
// particle, q^2 <= 0 unless a parton is heavy) and the second parton go to cluster j and the rest,
// all clusters after it.
#pragma once

#include "phase_space/collision.hpp"
#include "phase_space/rest_frames.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// Masses and momenta of the clusters of a topology, where the partons rest.
template <class T, std::size_t legs>
struct Clusters {
    T mass[most_clusters(legs)];
    FourVector<T> p[most_clusters(legs)];

    MADNIS_FN Pair<T> pair(std::size_t left, std::size_t right) const {
        return {p[left], p[right], mass[left], mass[right]};
    }
};

// Least squared mass of a cluster, in GeV^2.
MADNIS_FN inline double least_square(const ClusterSpec& cluster) {
    return cluster.minimum * cluster.minimum;
}

template <class T, std::size_t legs>
class ExchangeLine {
public:
    // Forward the masses of the legs have to be there, back those of all clusters and their
    // momenta.
    MADNIS_FN ExchangeLine(const TopologySpec& spec, const Collision<T>& collision,
                           Clusters<T, legs>& clusters)
        : spec_(spec),
          system_(collision.parton(0) + collision.parton(1)),
          other_(collision.parton(1)),
          first_mass_(collision.mass(0)),
          other_mass_(collision.mass(1)),
          clusters_(clusters) {
        rest_[0] = collision.root_s();
    }

    // From the unit cube: masses of the clusters and of the rests, then the momenta.
    MADNIS_FN void forward(CubeReader<T>& cube) {
        masses(cube);
        Incoming incoming = beginning();
        for (std::size_t j = 0; j < steps(); ++j) incoming = step_forward(j, incoming, cube);
    }

    MADNIS_FN void inverse(CubeWriter<T>& cube) {
        collect_rests();
        masses(cube);
        Incoming incoming = beginning();
        for (std::size_t j = 0; j < steps(); ++j) incoming = step_inverse(j, incoming, cube);
    }

private:
    // What comes into a step: q^2 of the line, and the system of line and second parton.
    struct Incoming {
        T q2;
        FourVector<T> system;
    };

    MADNIS_FN Incoming beginning() const { return {T(first_mass_ * first_mass_), system_}; }

    MADNIS_FN std::size_t last() const { return spec_.n_top - 1; }
    MADNIS_FN std::size_t steps() const { return spec_.n_top - 1; }

    MADNIS_FN T& mass(std::size_t j) const { return clusters_.mass[spec_.top[j]]; }
    MADNIS_FN FourVector<T>& momentum(std::size_t j) const { return clusters_.p[spec_.top[j]]; }

    // -- masses

    template <class Cube>
    MADNIS_FN void masses(Cube& cube) {
        for (std::size_t j = 0; j <= last(); ++j) {
            const auto& cluster = spec_.clusters[spec_.top[j]];
            if (cluster.is_leg()) continue;
            const T highest = min(highest_mass(j), T(cluster.maximum));
            cube.mass(cluster.line, T(least_square(cluster)), T(highest * highest), mass(j));
        }
        rest_[last()] = mass(last());
        for (std::size_t j = 0; j + 1 < last(); ++j) {
            const T least = least_after(j), highest = max(T(rest_[j] - mass(j)), T(0.));
            cube.mass(spec_.rest, T(least * least), T(highest * highest), rest_[j + 1]);
        }
    }

    // What the clusters before j leave, less what those after it need.
    MADNIS_FN T highest_mass(std::size_t j) const {
        T room = rest_[0];
        for (std::size_t i = 0; i < j; ++i) room = room - mass(i);
        return max(T(room - spec_.least_rest[j + 1]), T(0.));
    }

    // Least mass of all clusters after j: of each and those after it at least their masses together
    // and what cuts leave.
    MADNIS_FN T least_after(std::size_t j) const {
        std::size_t i = last();
        T least = mass(i);
        while (--i > j) least = max(T(mass(i) + least), T(spec_.least_rest[i]));
        return least;
    }

    // Momenta and masses of the rests from those of the clusters.
    MADNIS_FN void collect_rests() {
        std::size_t j = last();
        FourVector<T> sum = momentum(j);
        rest_[j] = mass(j);
        while (j-- > 0) {
            after_[j] = sum;
            sum = sum + momentum(j);
            if (j > 0) rest_[j] = mass_of(parts(j).squared_mass());
        }
    }

    // A cluster and what is left after it.
    MADNIS_FN Pair<T> parts(std::size_t j) const {
        return {momentum(j), after_[j], mass(j), rest_[j + 1]};
    }

    // -- momenta

    struct Step {
        T s, root, q, momentum, energy;
        T furthest, range;  // -t at theta = 0, and by how much it grows to theta = pi
        FourVector<T> system;
    };

    MADNIS_FN Step step(std::size_t j, const Incoming& incoming) const {
        Step step;
        // References, not copies: the last bits of contracted products follow from it.
        const T &first = mass(j), &second = rest_[j + 1];
        step.system = incoming.system;
        step.root = rest_[j];
        step.s = step.root * step.root;
        const T root_lambda = root_kaellen_of(step.s, first, second);
        step.momentum = 0.5 * root_lambda / step.root;
        step.energy = 0.5 * (step.s + (first - second) * (first + second)) / step.root;
        if (other_mass_ == 0) {
            step.q = 0.5 * (step.s - incoming.q2) / step.root;
            step.furthest = -nearest(step, incoming, step.root, first);
        } else {
            const double m2 = other_mass_ * other_mass_;
            const T gap = step.s - incoming.q2 - m2;
            step.q = 0.5 * square_root(T(gap * gap - 4. * m2 * incoming.q2)) / step.root;
            const T energy = 0.5 * (gap + 2. * m2) / step.root;
            const T large = step.root - m2 / (energy + step.q);
            step.furthest = -nearest(step, incoming, large, first);
        }
        if (first_mass_ == 0 && other_mass_ == 0) step.furthest = max(step.furthest, T(0.));
        step.range = 4. * step.q * step.momentum;
        return step;
    }

    // t_max = q^2 (1 - 2 E / (E_q + |q|)) + m^2 (1 - 2 |q| / (E + |p|)), where E_q + |q| = sqrt(s)
    // for a massless second parton.
    MADNIS_FN static T nearest(const Step& step, const Incoming& incoming, const T& large,
                               const T& first) {
        return incoming.q2 * (1. - 2. * step.energy / large) +
               first * first * (1. - 2. * step.q / (step.energy + step.momentum));
    }

    // Direction of q in the rest frame of the system, opposite to that of the other parton.
    MADNIS_FN Frame<T> axis(const Step& step) const {
        const auto other = at_rest(other_, step.system, step.root);
        const T length = sqrt(other.x * other.x + other.y * other.y + other.z * other.z);
        const auto known = length > 0.;  // not for a light system that goes on along the beam
        const T inverse = -1. / select(known, length, T(1.));
        return Frame<T>(other.x * inverse, other.y * inverse,
                        select(known, T(other.z * inverse), T(1.)));
    }

    // dPhi_2 = d(-t) dphi / (32 pi^2 |q| sqrt(s)), dphi = 2 pi dz
    MADNIS_FN static T jacobian(const Step& step) {
        const T dphi = 1. / (8 * std::numbers::pi * 2. * step.q * step.root);
        return select(step.range > 0., dphi, T(0.));
    }

    MADNIS_FN Incoming step_forward(std::size_t j, const Incoming& incoming, CubeReader<T>& cube) {
        const Step now = step(j, incoming);
        T minus_t;
        cube.line(spec_.exchanges[j], now.furthest, T(now.furthest + now.range), minus_t);
        const T range = select(now.range > 0., now.range, T(1.));
        const T share = min(max(T((minus_t - now.furthest) / range), T(0.)), T(1.));
        const auto [cosine, sine] = cube.azimuth();
        const Frame<T> frame = axis(now);
        const T along = now.momentum * (1. - 2. * share);
        const T across = 2. * now.momentum * sqrt(share * (1. - share));
        const T a = across * cosine, b = across * sine;
        const auto component = [&](int i) {
            return T(along * frame.n[i] + a * frame.a[i] + b * frame.b[i]);
        };
        const FourVector<T> resting = {now.energy, component(0), component(1), component(2)};
        momentum(j) = on_shell(boosted(resting, now.system, now.root), mass(j));
        const FourVector<T> left = now.system - momentum(j);
        if (j + 1 == last()) momentum(last()) = on_shell(left, mass(last()));
        cube.jacobian.times(jacobian(now));
        return {-minus_t, left};
    }

    MADNIS_FN Incoming step_inverse(std::size_t j, const Incoming& incoming, CubeWriter<T>& cube) {
        const Step now = step(j, incoming);
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
        cube.line(spec_.exchanges[j], now.furthest, T(now.furthest + now.range), minus_t);
        cube.azimuth(b, a);
        cube.jacobian.times(jacobian(now));
        return {-minus_t, now.system - momentum(j)};
    }

    const TopologySpec& spec_;
    const FourVector<T> system_, other_;    // both partons, the second one
    const double first_mass_, other_mass_;  // GeV
    Clusters<T, legs>& clusters_;
    T rest_[legs - 2];               // GeV: mass of the clusters from each on
    FourVector<T> after_[legs - 2];  // momentum of those after each, back alone
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

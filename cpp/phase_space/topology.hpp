// Phase space of a diagram: partons, then a line of momentum transfers between them from which
// clusters of final particles leave one after the other, then the decays of the clusters.
//
// With one cluster everything goes through the s channel. Everything is built in the rest frame of
// the collision; the unit cube is read in one order: s-hat and the share of its logarithm that x_1
// has (hadron beams, collision.hpp); the masses of clusters that decay; the masses of what is left
// after each cluster but the last two; per step along the line the momentum transfer and an angle
// (exchange_line.hpp); per cluster, parents first, the masses of its children and two angles.
#pragma once

#include "phase_space/exchange_line.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

// One event group on its way through a topology of at most `legs` legs, forward (cube to momenta)
// or back.
template <class T, std::size_t legs = max_legs>
class TopologyMap {
public:
    MADNIS_FN explicit TopologyMap(const TopologySpec& spec) : spec_(spec) {}

    // p: all legs; returns dx_1 dx_2 dPhi_n / dx, 0 outside.
    MADNIS_FN T forward(const T* x, FourVector<T>* p) {
        CubeReader<T> cube(x);
        const Collision<T> collision(spec_, cube);
        start(collision);
        if (spec_.n_top > 1) ExchangeLine<T, legs>(spec_, collision, clusters_).forward(cube);
        for_decays([&](std::size_t k) { decay_forward(k, cube); });
        for_legs([&](std::size_t k, const ClusterSpec& cluster) {
            p[spec_.legs[cluster.leg]] =
                collision.to_laboratory(turned(clusters_.p[k], cube.turn()), cluster.minimum);
        });
        collision.store(p);
        return cube.jacobian.value();
    }

    // The point of the unit cube; returns the same Jacobian as forward, 0 outside of the support.
    MADNIS_FN T inverse(const FourVector<T>* p, T* x) {
        CubeWriter<T> cube(x);
        const Collision<T> collision(spec_, p, cube);
        start(collision);
        collect(p, collision, cube);
        turn_back(cube);
        if (spec_.n_top > 1) ExchangeLine<T, legs>(spec_, collision, clusters_).inverse(cube);
        for_decays([&](std::size_t k) { decay_inverse(k, cube); });
        return cube.jacobian.value();
    }

private:
    // Relative difference at which the energies of the legs still add up to that of the partons:
    // momenta that were written to a file are rounded.
    static constexpr double energy_tolerance = 1e-6;

    template <class Body>
    MADNIS_FN void for_legs(const Body& body) const {
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            if (spec_.clusters[k].is_leg()) body(k, spec_.clusters[k]);
        }
    }

    // Parents first.
    template <class Body>
    MADNIS_FN void for_decays(const Body& body) const {
        for (std::size_t k = spec_.n_clusters; k-- > 0;) {
            if (!spec_.clusters[k].is_leg()) body(k);
        }
    }

    // What is known from the beginning: a cluster that carries everything, and the masses of legs.
    MADNIS_FN void start(const Collision<T>& collision) {
        if (has_one_cluster()) {
            const T zero(0.);
            clusters_.mass[first_cluster()] = collision.root_s();
            clusters_.p[first_cluster()] = {collision.root_s(), zero, zero, zero};
        }
        for_legs([&](std::size_t k, const ClusterSpec& cluster) {
            clusters_.mass[k] = T(cluster.minimum);
        });
    }

    MADNIS_FN bool has_one_cluster() const { return spec_.n_top == 1; }
    MADNIS_FN std::size_t first_cluster() const { return std::size_t(spec_.top[0]); }

    // Momenta and masses of all clusters from those of the legs, whose energies have to add up.
    MADNIS_FN void collect(const FourVector<T>* p, const Collision<T>& collision,
                           CubeWriter<T>& cube) {
        T energy(0.);
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            const auto& cluster = spec_.clusters[k];
            if (cluster.is_leg()) {
                const auto& leg = p[spec_.legs[cluster.leg]];
                clusters_.p[k] = collision.from_laboratory(leg, cluster.minimum);
                energy = energy + clusters_.p[k].e;
            } else if (!has_one_cluster() || k != first_cluster()) {
                const auto [left, right] = children(k);
                clusters_.p[k] = clusters_.p[left] + clusters_.p[right];
                clusters_.mass[k] = mass_of(clusters_.pair(left, right).squared_mass());
            }
        }
        const T& all = collision.root_s();
        cube.jacobian.require(abs(energy - all) <= energy_tolerance * all);
    }

    // -- the first azimuth, which all momenta share

    MADNIS_FN static FourVector<T> turned(const FourVector<T>& p, const Direction<T>& turn) {
        return {p.e, p.x * turn.cos - p.y * turn.sin, p.x * turn.sin + p.y * turn.cos, p.z};
    }

    // The first azimuth is that of the first cluster, or of the first child if there is but one.
    MADNIS_FN void turn_back(CubeWriter<T>& cube) {
        const auto& first =
            clusters_.p[has_one_cluster() ? children(first_cluster()).left : first_cluster()];
        const T length = sqrt(first.x * first.x + first.y * first.y);
        const auto known = length > 0.;
        const T inverse = 1. / select(known, length, T(1.));
        const Direction<T> turn = {select(known, T(first.x * inverse), T(1.)), first.y * inverse};
        const Direction<T> back = {turn.cos, -turn.sin};
        for (std::size_t k = 0; k < spec_.n_clusters; ++k) {
            clusters_.p[k] = turned(clusters_.p[k], back);
        }
        cube.turned_back(turn);
    }

    // -- decays

    struct Children {
        std::size_t left, right;
    };

    MADNIS_FN Children children(std::size_t k) const {
        return {std::size_t(spec_.clusters[k].left), std::size_t(spec_.clusters[k].right)};
    }

    MADNIS_FN void decay_forward(std::size_t k, CubeReader<T>& cube) {
        const auto [left, right] = children(k);
        const Decay decay = decay_of(k, cube);
        const T theta = cube.number();
        const auto [cosine, sine] = cube.azimuth();
        const T mass = clusters_.mass[k], m1 = clusters_.mass[left], m2 = clusters_.mass[right];
        const T momentum = 0.5 * decay.root_lambda / mass;
        const T across = 2. * momentum * sqrt(theta * (1. - theta));
        const T along = momentum * (2. * theta - 1.);
        const T energy = 0.5 * (decay.s + (m1 - m2) * (m1 + m2)) / mass;
        const FourVector<T> resting = {energy, across * cosine, across * sine, along};
        clusters_.p[left] = on_shell(boosted(resting, clusters_.p[k], mass), m1);
        clusters_.p[right] = on_shell(clusters_.p[k] - clusters_.p[left], m2);
        cube.jacobian.times(decay.jacobian);
    }

    MADNIS_FN void decay_inverse(std::size_t k, CubeWriter<T>& cube) {
        const auto [left, right] = children(k);
        const Decay decay = decay_of(k, cube);
        const T& mass = clusters_.mass[k];
        const auto resting = clusters_.pair(left, right).at_rest(mass);
        const T range = select(decay.root_lambda > 0., decay.root_lambda, T(1.));
        cube.number(T(0.5 + resting.z * mass / range));
        cube.azimuth(resting.y, resting.x);
        cube.jacobian.times(decay.jacobian);
    }

    struct Decay {
        T s, root_lambda, jacobian;
    };

    // The masses of the children of a cluster, and what follows from them.
    template <class Cube>
    MADNIS_FN Decay decay_of(std::size_t k, Cube& cube) {
        const auto [left, right] = children(k);
        const T& mass = clusters_.mass[k];
        child_mass(left, T(mass - spec_.clusters[right].minimum), cube);
        child_mass(right, T(mass - clusters_.mass[left]), cube);
        const T s = mass * mass;
        const T root_lambda = root_kaellen_of(s, clusters_.mass[left], clusters_.mass[right]);
        const auto open = clusters_.mass[left] + clusters_.mass[right] < mass;
        return {s, root_lambda, select(open, T(root_lambda / (8 * std::numbers::pi * s)), T(0.))};
    }

    template <class Cube>
    MADNIS_FN void child_mass(std::size_t k, const T& highest, Cube& cube) {
        const auto& cluster = spec_.clusters[k];
        if (cluster.is_leg()) return;
        const T top = min(max(highest, T(0.)), T(cluster.maximum));
        cube.mass(cluster.line, T(least_square(cluster)), T(top * top), clusters_.mass[k]);
    }

    const TopologySpec& spec_;
    Clusters<T, legs> clusters_;
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

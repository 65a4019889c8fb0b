// Four-vectors (E, px, py, pz) in GeV and what is measured on them.
#pragma once

#include "simd/batch.hpp"
#include "simd/lane_math.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

template <class T>
struct FourVector {
    T e, x, y, z;

    MADNIS_FN friend FourVector operator+(const FourVector& a, const FourVector& b) {
        return {a.e + b.e, a.x + b.x, a.y + b.y, a.z + b.z};
    }
    MADNIS_FN friend FourVector operator-(const FourVector& a, const FourVector& b) {
        return {a.e - b.e, a.x - b.x, a.y - b.y, a.z - b.z};
    }
};

// Momentum of one particle for the events [event, event + lane_width), `count` of which exist.
template <class T>
MADNIS_FN FourVector<T> load_momentum(const ConstBatch& p, std::size_t particle, std::size_t event,
                                      std::size_t count) {
    const auto component = [&](std::size_t mu) {
        return load<T>(p.at(event, 4 * particle + mu), count);
    };
    return {component(0), component(1), component(2), component(3)};
}

template <class T>
MADNIS_FN void store_momentum(const MutableBatch& p, std::size_t particle, std::size_t event,
                              const FourVector<T>& momentum, std::size_t count) {
    store(p.at(event, 4 * particle + 0), momentum.e, count);
    store(p.at(event, 4 * particle + 1), momentum.x, count);
    store(p.at(event, 4 * particle + 2), momentum.y, count);
    store(p.at(event, 4 * particle + 3), momentum.z, count);
}

template <class T>
MADNIS_FN T dot(const FourVector<T>& a, const FourVector<T>& b) {
    return a.e * b.e - a.x * b.x - a.y * b.y - a.z * b.z;
}

template <class T>
MADNIS_FN T transverse_momentum(const FourVector<T>& p) {
    return sqrt(p.x * p.x + p.y * p.y);
}

// eta = artanh(p_z / |p|) = arsinh(p_z / p_T), Eq. (2.18) of the MadNIS thesis; finite for every
// p_T > 0.
template <class T>
MADNIS_FN T pseudorapidity(const FourVector<T>& p) {
    return asinh(p.z / transverse_momentum(p));
}

// y = artanh(p_z / E) = sign(p_z) log((E + |p_z|) / (E - |p_z|)) / 2.
template <class T>
MADNIS_FN T rapidity(const FourVector<T>& p) {
    const T longitudinal = abs(p.z);
    return copysign(T(0.5 * log1p(2. * longitudinal / (p.e - longitudinal))), p.z);
}

// sqrt(p^2), 0 for space-like momenta; NaN stays, which `max` would take for 0.
template <class T>
MADNIS_FN T invariant_mass(const FourVector<T>& p) {
    const T square = dot(p, p);
    return sqrt(select(square < 0., T(0.), square));
}

// Energy in the rest frame of a system, k.P / sqrt(P^2).
template <class T>
MADNIS_FN T energy_in_rest_frame(const FourVector<T>& k, const FourVector<T>& system) {
    return dot(k, system) / invariant_mass(system);
}

// Delta phi = phi_b - phi_a, -pi to pi.
template <class T>
MADNIS_FN T azimuthal_separation(const FourVector<T>& a, const FourVector<T>& b) {
    return atan2(T(a.x * b.y - a.y * b.x), T(a.x * b.x + a.y * b.y));
}

// Delta R = sqrt(Delta y^2 + Delta phi^2) of two momenta, with the rapidity as in jet algorithms.
template <class T>
MADNIS_FN T separation(const FourVector<T>& a, const FourVector<T>& b) {
    const T delta_y = rapidity(a) - rapidity(b);
    const T delta_phi = azimuthal_separation(a, b);
    return sqrt(delta_y * delta_y + delta_phi * delta_phi);
}

// Delta R = sqrt(Delta eta^2 + Delta phi^2), by directions alone.
template <class T>
MADNIS_FN T separation_of_directions(const FourVector<T>& a, const FourVector<T>& b) {
    const T delta_eta = pseudorapidity(a) - pseudorapidity(b);
    const T delta_phi = azimuthal_separation(a, b);
    return sqrt(delta_eta * delta_eta + delta_phi * delta_phi);
}

template <class T>
MADNIS_FN T azimuth(const FourVector<T>& p) {
    return atan2(p.y, p.x);
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

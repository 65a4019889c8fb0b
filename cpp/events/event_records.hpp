// Batches of complete events in the terms of the Les Houches accord, hep-ph/0609017.
#pragma once

#include <cstddef>
#include <cstdint>

namespace madnis {

// ISTUP; rows without a particle come last in an event.
inline constexpr std::int32_t unused_row = 0, incoming_particle = -1, outgoing_particle = 1,
                              intermediate_particle = 2;

// Every array is C-contiguous with the event as slowest index.
struct EventRecords {
    std::size_t count;       // events
    std::size_t rows;        // per event, of which the last ones may be unused
    std::size_t variations;  // further weights per event

    const double* weight;                 // XWGTUP in pb, (count,)
    const double* scale;                  // SCALUP in GeV, (count,)
    const double* factorization_scale;    // GeV, (count,)
    const double* renormalization_scale;  // GeV, (count,)
    const double* alpha_qed;              // (count,)
    const double* alpha_s;                // (count,)
    const std::int32_t* process_id;       // (count,)
    const double* variation;              // pb, (count, variations)
    const std::int32_t* pdg;              // (count, rows)
    const std::int32_t* status;           // (count, rows)
    const std::int32_t* mothers;          // (count, rows, 2)
    const std::int32_t* colour;           // (count, rows, 2)
    const double* momenta;                // (E, px, py, pz) in GeV, (count, rows, 4)
    const double* mass;                   // GeV, (count, rows)
    const double* lifetime;               // mm, (count, rows)
    const double* spin;                   // (count, rows)
    const double* jet_kt;                 // GeV, 0 without one, (count, rows); null: no events have
    const std::int32_t* n_jets;           // -1: not known, (count,); null: no events have
};

// Particles of an event: what comes before its first unused row.
inline std::size_t particle_count(const EventRecords& events, std::size_t event) {
    const auto* status = events.status + event * events.rows;
    std::size_t particles = 0;
    while (particles < events.rows && status[particles] != unused_row) ++particles;
    return particles;
}

}  // namespace madnis

// Les Houches event records as text, hep-ph/0609017 and the LHE 3.0 proposal of arXiv:1405.1067.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace madnis {

// A batch of complete events; every array is C-contiguous with the event as slowest index.
struct EventRecords {
    std::size_t count;      // events
    std::size_t particles;  // per event

    const double* weight;               // XWGTUP in pb, (count,)
    const double* scale;                // SCALUP in GeV, (count,)
    const double* alpha_qed;            // (count,)
    const double* alpha_s;              // (count,)
    const std::int32_t* process_id;     // (count,)
    const std::int32_t* pdg;            // (count, particles)
    const std::int32_t* status;         // (count, particles)
    const std::int32_t* mothers;        // (count, particles, 2)
    const std::int32_t* colour;         // (count, particles, 2)
    const double* momenta;              // (E, px, py, pz) in GeV, (count, particles, 4)
    const double* mass;                 // GeV, (count, particles)
    const double* spin;                 // (count, particles)
};

// One <event> element per event, in pieces of block_size events: the text does not depend on the number of threads.
// Real numbers are the shortest ones that read back as the same double.
std::vector<std::string> lhe_text(const EventRecords& events);

}  // namespace madnis

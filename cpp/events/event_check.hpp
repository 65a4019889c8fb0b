// Whether a shower can use events.
#pragma once

#include <cstddef>
#include <optional>

#include "events/event_records.hpp"

namespace madnis {

// A rule that an event breaks, see docs/formats.md, and the particle that breaks it, counted from
// 0.
struct EventFault {
    std::size_t event;
    const char* rule;
    std::size_t particle;
};

// The fault of the first event that has one. Energies are compared to `on_shell`, momenta to 1e-6.
std::optional<EventFault> first_fault(const EventRecords& events, double on_shell);

}  // namespace madnis

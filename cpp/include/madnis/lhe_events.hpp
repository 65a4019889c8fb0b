// Events of Les Houches files, read from their text: hep-ph/0609017, arXiv:1405.1067, and what MadGraph adds to both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace madnis {

// "event 17: expected ...; got ...", counted from the first event of the file.
struct LheError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The <event> elements in a piece of a file.
struct EventSpans {
    std::vector<std::string_view> events;  // from the attributes to before </event>
    std::size_t rows;                      // particles of the largest event
    std::size_t end;                       // where the last whole event ends
};

// Finds whole events; `before` is the number of events that precede the piece in its file.
EventSpans find_events(std::string_view text, std::size_t before);

// Where the numbers of events go; the layout is that of EventRecords, and everything is zero beforehand.
struct EventColumns {
    std::size_t rows, variations;
    double *weight, *scale, *factorization_scale, *renormalization_scale, *alpha_qed, *alpha_s;
    std::int32_t* process_id;
    double* variation;
    std::int32_t *pdg, *status, *mothers, *colour;
    double *momenta, *mass, *lifetime, *spin;
};

// Reads the numbers of events, on all threads.
//
// weights: the identifiers of the variations, in the order of their columns.
// Returns what the columns have no room for, in words: "comments in events", "<mgrwt>", ...
std::set<std::string> read_events(const EventSpans& spans, const std::vector<std::string>& weights, std::size_t before,
                                  const EventColumns& columns);

}  // namespace madnis

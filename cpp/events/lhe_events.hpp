// Events of Les Houches files, read from their text: hep-ph/0609017, arXiv:1405.1067, and what
// MadGraph adds to both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace madnis {

// How many events are read together at most, so that the memory is bounded: all of them get the
// rows of the longest.
struct BatchLimits {
    std::size_t rows;  // of all events together; one event may have more
    std::size_t events;
};

// The <event> elements in a piece of a file.
struct EventSpans {
    std::vector<std::string_view> events;  // from the attributes to before </event>
    std::size_t rows;                      // particles of the largest event
    std::size_t end;                       // what precedes it is done with
    bool finished;                         // </LesHouchesEvents> is at the end
    bool text_between;                     // there is something else than events and comments
};

// Finds whole events, none in comments; `before` is the number of events that precede the piece in
// its file.
EventSpans find_events(std::string_view text, std::size_t before, BatchLimits limits);

// What there is no column for.
struct Remainder {
    std::set<std::string> left_out;  // in words: "comments in events", "<mgrwt>", ...
    // Identifiers of weights in <rwgt>, in the order in which they come.
    std::vector<std::string> undeclared;
};

// Where the numbers of events go; the layout is that of EventRecords. Beforehand everything is
// zero, variations are NaN, which they stay in events that do not have them.
struct EventColumns {
    std::size_t rows, variations;
    double *weight, *scale, *factorization_scale, *renormalization_scale, *alpha_qed, *alpha_s;
    std::int32_t* process_id;
    double* variation;
    std::int32_t *pdg, *status, *mothers, *colour;
    double *momenta, *mass, *lifetime, *spin;
    double* jet_kt;        // GeV, 0 without one
    std::int32_t* n_jets;  // beforehand -1: not known
};

// Which weight goes to which column.
struct Variations {
    std::vector<std::string> weights;  // identifiers in <rwgt>, in the order of the columns
    // Columns of the numbers in <weights>, in their order; -1 for one without.
    std::vector<std::int32_t> listed;
};

// Reads the numbers of events, on all threads.
Remainder read_events(const EventSpans& spans, const Variations& variations, std::size_t before,
                      const EventColumns& columns);

}  // namespace madnis

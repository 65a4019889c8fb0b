// Les Houches event records as text, hep-ph/0609017 and the LHE 3.0 proposal of arXiv:1405.1067.
#pragma once

#include <string>
#include <vector>

#include "events/event_records.hpp"

namespace madnis {

// One <event> element per event, in pieces of a fixed number of events: the text does not depend on
// the number of threads. Real numbers are the shortest ones that read back as the same double.
//
// weight_tags: what stands before the value of each variation, "<wgt id='...'> ".
std::vector<std::string> lhe_text(const EventRecords& events,
                                  const std::vector<std::string>& weight_tags);

}  // namespace madnis

// Threads over blocks of events.
#pragma once

#include <cstddef>
#include <functional>

#include "simd/batch.hpp"

namespace madnis {

// Number of threads that parallel_for uses, the calling one included; at least 1.
void set_thread_count(std::size_t count);
std::size_t thread_count();

// Run task(begin, end) over blocks [begin, end) of at most `size` events that cover [0, count). The
// blocks do not depend on the number of threads, so neither do results; tasks must neither throw
// nor call parallel_for.
void parallel_for(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task,
                  std::size_t size = block_size);

}  // namespace madnis

// Whoever calls a library with a matrix element has the threads.
#include <algorithm>

#include "runtime/parallel.hpp"

namespace madnis {

void parallel_for(std::size_t count, const std::function<void(std::size_t, std::size_t)>& task,
                  std::size_t size) {
    for (std::size_t begin = 0; begin < count; begin += size) {
        task(begin, std::min(count, begin + size));
    }
}

}  // namespace madnis

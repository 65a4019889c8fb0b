// Working memory that a thread keeps between calls, so that kernels do not allocate.
#pragma once

#include <cstddef>

namespace madnis {

// At least `bytes` of the calling thread's memory, aligned to 64 bytes, with whatever the last user
// left there. There are two areas; a kernel that asks for the same one again gives up what it had.
enum class ThreadMemory { tile, sums };
void* thread_memory(ThreadMemory area, std::size_t bytes);

}  // namespace madnis

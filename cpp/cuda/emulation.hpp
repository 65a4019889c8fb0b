// The words of CUDA on the processor: kernels register under their names, a launch is a loop over
// blocks and threads. Threads of a block that wait for each other are fibres.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace madnis::emulation {

struct Index {
    unsigned x = 0, y = 0, z = 0;
};

inline thread_local Index thread, block;
inline thread_local Index block_size{1, 1, 1}, grid_size{1, 1, 1};

// Calls a kernel with the addresses of its arguments, as cuLaunchKernel takes them.
using Call = std::function<void(void** arguments)>;

// Whether the threads of a block wait for each other.
enum class Threads { independent, cooperating };

class Registration {
public:
    template <class... Parameters>
    Registration(const char* name, void (*kernel)(Parameters...), Threads threads) {
        add(name, threads, [kernel](void** arguments) {
            call(kernel, arguments, std::index_sequence_for<Parameters...>());
        });
    }

private:
    template <class... Parameters, std::size_t... place>
    static void call(void (*kernel)(Parameters...), void** arguments,
                     std::index_sequence<place...>) {
        kernel(*static_cast<Parameters*>(arguments[place])...);
    }

    static void add(const char* name, Threads threads, Call call);
};

// Wait for the other threads of the block.
void synchronise();

// The shared memory of the block.
void* shared_memory();

}  // namespace madnis::emulation

#define threadIdx ::madnis::emulation::thread
#define blockIdx ::madnis::emulation::block
#define blockDim ::madnis::emulation::block_size
#define gridDim ::madnis::emulation::grid_size
#define __syncthreads() ::madnis::emulation::synchronise()

#include "runtime/thread_memory.hpp"

#include <new>

namespace madnis {
namespace {

constexpr std::align_val_t alignment{64};

struct Area {
    void* data = nullptr;
    std::size_t size = 0;

    ~Area() { ::operator delete(data, alignment); }

    void* grown_to(std::size_t bytes) {
        if (bytes > size) {
            void* larger = ::operator new(bytes, alignment);
            ::operator delete(data, alignment);
            data = larger;
            size = bytes;
        }
        return data;
    }
};

thread_local Area areas[2];

}  // namespace

void* thread_memory(ThreadMemory area, std::size_t bytes) {
    return areas[std::size_t(area)].grown_to(bytes);
}

}  // namespace madnis

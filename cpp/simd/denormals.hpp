// Numbers too small for the normal range taken as zero, as long as an object of this class lives:
// gradients far out in a tail are full of them, and each costs the processor a hundred times an
// ordinary operation.
#pragma once

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace madnis {

class FlushDenormals {
public:
    FlushDenormals() : before_(read()) { write(before_ | flush); }
    ~FlushDenormals() { write(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__SSE2__)
    using Control = unsigned;
    static constexpr Control flush = 0x8040;  // of results and of arguments
    static Control read() { return _mm_getcsr(); }
    static void write(Control control) { _mm_setcsr(control); }
#elif defined(__aarch64__)
    using Control = std::uint64_t;
    static constexpr Control flush = 1 << 24;
    static Control read() {
        Control control;
        asm volatile("mrs %0, fpcr" : "=r"(control));
        return control;
    }
    static void write(Control control) { asm volatile("msr fpcr, %0" ::"r"(control)); }
#else
    using Control = int;
    static constexpr Control flush = 0;
    static Control read() { return 0; }
    static void write(Control) {}
#endif

    Control before_;
};

}  // namespace madnis

// The instruction sets that kernels are compiled for, and the choice among them.
#pragma once

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace madnis {

inline constexpr std::size_t most_instruction_sets = 3;

#ifdef MADNIS_X86
inline bool has_avx2() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

inline bool has_avx512() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#endif

// Tables of kernels that this processor runs, slowest first, ending with a null pointer; each has a `name`.
template <class Table>
struct Available {
    const Table* tables[most_instruction_sets + 1] = {};
    std::size_t count = 0;

    void add(const Table& table) { tables[count++] = &table; }

    // The fastest one, or that which the environment variable MADNIS_PY_ISA names.
    const Table& chosen() const {
        const char* wanted = std::getenv("MADNIS_PY_ISA");
        if (wanted == nullptr || *wanted == '\0') return *tables[count - 1];
        std::string names;
        for (std::size_t i = 0; i < count; ++i) {
            if (std::strcmp(tables[i]->name, wanted) == 0) return *tables[i];
            names += std::string(i ? ", " : "") + tables[i]->name;
        }
        throw std::runtime_error("MADNIS_PY_ISA: expected one of " + names + " on this processor, got " + wanted);
    }
};

}  // namespace madnis

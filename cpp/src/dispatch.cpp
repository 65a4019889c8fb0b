// Choice of the instruction set, once, when the first kernel is asked for.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "madnis/kernel_table.hpp"

namespace madnis {

namespace baseline {
extern const KernelTable table;
}
#ifdef MADNIS_X86
namespace avx2 {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}
#endif

namespace {

struct Available {
    const KernelTable* tables[4] = {};
    std::size_t count = 0;

    Available() {
        tables[count++] = &baseline::table;
#ifdef MADNIS_X86
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) tables[count++] = &avx2::table;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
            tables[count++] = &avx512::table;
        }
#endif
    }
};

const Available& available() {
    static const Available instance;
    return instance;
}

const KernelTable& choose() {
    const auto& choice = available();
    const char* wanted = std::getenv("MADNIS_PY_ISA");
    if (wanted == nullptr || *wanted == '\0') return *choice.tables[choice.count - 1];
    std::string names;
    for (std::size_t i = 0; i < choice.count; ++i) {
        if (std::strcmp(choice.tables[i]->name, wanted) == 0) return *choice.tables[i];
        names += std::string(i ? ", " : "") + choice.tables[i]->name;
    }
    throw std::runtime_error("MADNIS_PY_ISA: expected one of " + names + " on this processor, got " + wanted);
}

}  // namespace

const KernelTable& kernels() {
    static const KernelTable& chosen = choose();
    return chosen;
}

const KernelTable* const* available_kernels() { return available().tables; }

}  // namespace madnis

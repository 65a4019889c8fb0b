#include "runtime/instruction_set.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace madnis {
namespace {

bool runs(InstructionSet set) {
#ifdef MADNIS_X86
    __builtin_cpu_init();
    switch (set) {
        case InstructionSet::baseline: break;
        case InstructionSet::avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case InstructionSet::avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    }
#endif
    return set == InstructionSet::baseline;
}

std::vector<InstructionSet> found() {
    std::vector<InstructionSet> result;
    for (const auto set :
         {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
        if (runs(set)) result.push_back(set);
    }
    return result;
}

InstructionSet chosen() {
    const char* wanted = std::getenv("MADNIS_PY_ISA");
    if (wanted == nullptr || *wanted == '\0') return instruction_sets().back();
    std::string names;
    for (const auto set : instruction_sets()) {
        if (std::string(name_of(set)) == wanted) return set;
        names += (names.empty() ? "" : ", ") + std::string(name_of(set));
    }
    throw std::runtime_error("MADNIS_PY_ISA: expected one of " + names +
                             " on this processor, got " + wanted);
}

}  // namespace

const char* name_of(InstructionSet set) {
    switch (set) {
        case InstructionSet::avx2: return "avx2";
        case InstructionSet::avx512: return "avx512";
        case InstructionSet::baseline: break;
    }
    return "baseline";
}

const std::vector<InstructionSet>& instruction_sets() {
    static const std::vector<InstructionSet> result = found();
    return result;
}

InstructionSet instruction_set() {
    static const InstructionSet result = chosen();
    return result;
}

}  // namespace madnis

// The instruction sets that kernels are compiled for, and the choice among them.
#pragma once

#include <vector>

namespace madnis {

enum class InstructionSet { baseline, avx2, avx512 };

// "baseline", "avx2" or "avx512".
const char* name_of(InstructionSet set);

// Those of this build that this processor runs, slowest first.
const std::vector<InstructionSet>& instruction_sets();

// The fastest one, or that which the environment variable MADNIS_PY_ISA names: chosen once,
// std::runtime_error if there is none of that name.
InstructionSet instruction_set();

}  // namespace madnis

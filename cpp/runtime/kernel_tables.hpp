// How kernels are reached: each topic has a table of function pointers, `struct <Topic>Kernels`,
// declared by MADNIS_KERNELS(<Topic>Kernels, <topic>_kernels) beside it. Its source is compiled
// once per instruction set and defines
//
//     const <Topic>Kernels <topic>_kernels_table = {.forward = forward, ..};
//
// in its inline name space; <topic>_kernels() is the table of the instruction set in use.
#pragma once

#include "runtime/instruction_set.hpp"
#include "simd/isa.hpp"

#ifdef MADNIS_X86
#define MADNIS_KERNELS(Table, name)                                   \
    namespace baseline {                                              \
    extern const Table name##_table;                                  \
    }                                                                 \
    namespace avx2 {                                                  \
    extern const Table name##_table;                                  \
    }                                                                 \
    namespace avx512 {                                                \
    extern const Table name##_table;                                  \
    }                                                                 \
    inline const Table& name() {                                      \
        switch (instruction_set()) {                                  \
            case InstructionSet::avx512: return avx512::name##_table; \
            case InstructionSet::avx2: return avx2::name##_table;     \
            case InstructionSet::baseline: break;                     \
        }                                                             \
        return baseline::name##_table;                                \
    }
#else
#define MADNIS_KERNELS(Table, name)  \
    namespace baseline {             \
    extern const Table name##_table; \
    }                                \
    inline const Table& name() { return baseline::name##_table; }
#endif

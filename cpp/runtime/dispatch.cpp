// Choice of the instruction set, once, when the first kernel is asked for.
#include "runtime/instruction_set.hpp"
#include "runtime/kernel_table.hpp"

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

Available<KernelTable> find_available() {
    Available<KernelTable> found;
    found.add(baseline::table);
#ifdef MADNIS_X86
    if (has_avx2()) found.add(avx2::table);
    if (has_avx512()) found.add(avx512::table);
#endif
    return found;
}

const Available<KernelTable>& available() {
    static const Available<KernelTable> instance = find_available();
    return instance;
}

}  // namespace

const KernelTable& kernels() {
    static const KernelTable& chosen = available().chosen();
    return chosen;
}

const KernelTable* const* available_kernels() { return available().tables; }

}  // namespace madnis

#include "observables/cuts.hpp"

#include "runtime/kernels.hpp"
#include "runtime/sweep.hpp"

namespace madnis {
inline namespace MADNIS_ISA {

void cuts(const CutSpec* list, std::size_t n_cuts, ConstBatch p, bool* mask) {
    sweep(p.count, [&](std::size_t event, std::size_t count) {
        Mask<Lane> pass(true);
        for (std::size_t k = 0; k < n_cuts && any(pass); ++k) {
            pass = pass && passes<Lane>(list[k], p, event, count);
        }
        for (std::size_t i = 0; i < count; ++i) mask[event + i] = pass[i];
    });
}

}  // inline namespace MADNIS_ISA
}  // namespace madnis

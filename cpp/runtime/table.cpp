#include "runtime/kernels.hpp"
#include "simd/lane.hpp"

#define MADNIS_STRING_(x) #x
#define MADNIS_STRING(x) MADNIS_STRING_(x)

namespace madnis {
inline namespace MADNIS_ISA {

extern const KernelTable table;
const KernelTable table = {
    .name = MADNIS_STRING(MADNIS_ISA),
    .lane_width = Lane::size(),
    .amplitude = amplitude,
    .diagram_squares = diagram_squares,
    .coupling_float32 = &coupling_float32,
    .coupling_float64 = &coupling_float64,
    .cuts = cuts,
    .drell_yan = drell_yan,
    .elementary = elementary,
    .exp_float32 = exp_float32,
    .arc_tangent = arc_tangent,
    .observables = observables,
    .invariant_forward = invariant_forward,
    .invariant_inverse = invariant_inverse,
    .s_channel_forward = s_channel_forward,
    .s_channel_inverse = s_channel_inverse,
    .topology_forward = topology_forward,
    .topology_inverse = topology_inverse,
    .pdf_density = pdf_density,
    .alpha_s = alpha_s,
};

}  // inline namespace MADNIS_ISA
}  // namespace madnis

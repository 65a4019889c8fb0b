// A tape behind the UMAMI interface. The tape stands at the end of the file that this code was
// loaded from, so that a new library is a copy of this one with another tape, and no compiler is
// needed to make it.
#include "umami/umami.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "amplitudes/tape_kernels.hpp"
#include "umami/cargo.hpp"

namespace madnis {
namespace {

constexpr std::size_t events_per_block = 1024;
constexpr double default_alpha_s = 0.118;

std::unique_ptr<const Cargo> own_cargo() {
    Dl_info place;
    try {
        if (dladdr(reinterpret_cast<const void*>(&own_cargo), &place) == 0) return nullptr;
        return read_cargo(place.dli_fname);
    } catch (...) {
        return nullptr;  // every call will say so
    }
}

const Cargo* cargo() {
    static const std::unique_ptr<const Cargo> loaded = own_cargo();
    return loaded.get();
}

// As soon as the library is loaded: later the working directory may be another one.
[[gnu::constructor]] void load_early() { cargo(); }

constexpr bool supported_inputs[UMAMI_INPUT_KEYS] = {true, true,  true,  true,  true,
                                                     true, false, false, false, true};
constexpr bool required_inputs[UMAMI_INPUT_KEYS] = {true};
constexpr bool supported_outputs[UMAMI_OUTPUT_KEYS] = {true, true, true, true, true};

// What one call asks for; null where it does not.
struct Request {
    const double *momenta = nullptr, *alpha_s = nullptr, *g_strong = nullptr;
    const double *random_colour = nullptr, *random_helicity = nullptr, *random_diagram = nullptr;
    const std::int32_t* flavour = nullptr;
    double *me2 = nullptr, *squares = nullptr;
    std::int32_t *colour = nullptr, *helicity = nullptr, *diagram = nullptr;

    UmamiStatus take(UmamiInputKey key, const void* data) {
        switch (key) {
            case UMAMI_IN_MOMENTA: return set(momenta, data);
            case UMAMI_IN_ALPHA_S: return set(alpha_s, data);
            case UMAMI_IN_FLAVOR_INDEX: return set(flavour, data);
            case UMAMI_IN_RANDOM_COLOR: return set(random_colour, data);
            case UMAMI_IN_RANDOM_HELICITY: return set(random_helicity, data);
            case UMAMI_IN_RANDOM_DIAGRAM: return set(random_diagram, data);
            case UMAMI_IN_G_STRONG: return set(g_strong, data);
            default: return UMAMI_ERROR_UNSUPPORTED_INPUT;
        }
    }

    UmamiStatus take(UmamiOutputKey key, void* data) {
        switch (key) {
            case UMAMI_OUT_MATRIX_ELEMENT: return set(me2, data);
            case UMAMI_OUT_DIAGRAM_AMP2: return set(squares, data);
            case UMAMI_OUT_COLOR_INDEX: return set(colour, data);
            case UMAMI_OUT_HELICITY_INDEX: return set(helicity, data);
            case UMAMI_OUT_DIAGRAM_INDEX: return set(diagram, data);
            default: return UMAMI_ERROR_UNSUPPORTED_OUTPUT;
        }
    }

private:
    template <class Value, class Data>
    static UmamiStatus set(Value*& place, Data* data) {
        place = static_cast<Value*>(data);
        return data == nullptr ? UMAMI_ERROR : UMAMI_SUCCESS;
    }
};

// A weight of a row of `weights` with the probability of its share; negative ones count as zero.
std::int32_t drawn(const MutableBatch& weights, std::size_t event, double uniform) {
    double total = 0;
    std::int32_t last = 0;
    for (std::size_t k = 0; k < weights.rows; ++k) {
        const double weight = *weights.at(event, k);
        if (weight > 0) last = std::int32_t(k), total += weight;
    }
    double edge = 0;
    std::int32_t below = 0;
    for (std::size_t k = 0; k < weights.rows; ++k) {
        edge += std::max(*weights.at(event, k), 0.0);
        below += edge <= uniform * total;
    }
    return std::min(below, last);
}

// The memory of one handle, and the evaluation of one block of events at a time.
class Instance {
public:
    explicit Instance(const Cargo& tape)
        : tape_(tape),
          n_legs_(tape.masses.size()),
          momenta_(4 * n_legs_ * events_per_block),
          alpha_s_(events_per_block),
          me2_(events_per_block) {}

    UmamiStatus evaluate(const Request& request, std::size_t count, std::size_t stride,
                         std::size_t offset) {
        if (request.momenta == nullptr) return UMAMI_ERROR_MISSING_INPUT;
        if (offset > stride || count > stride - offset || !known_flavours(request, count, offset)) {
            return UMAMI_ERROR;
        }
        for (std::size_t done = 0; done < count; done += events_per_block) {
            block(request, std::min(events_per_block, count - done), stride, offset + done);
        }
        return UMAMI_SUCCESS;
    }

private:
    bool known_flavours(const Request& request, std::size_t count, std::size_t offset) const {
        if (request.flavour == nullptr) return true;
        return std::all_of(request.flavour + offset, request.flavour + offset + count,
                           [&](std::int32_t one) { return one >= 0 && one < tape_.flavours; });
    }

    void block(const Request& request, std::size_t count, std::size_t stride, std::size_t first) {
        const EventInput input{gathered(request, count, stride, first), alpha_s_.data(), {}};
        if (request.me2 || request.colour || request.helicity) amplitude(request, input, first);
        if (request.squares || request.diagram) diagrams(request, input, stride, first);
    }

    // Momenta with the components of a particle side by side, and the strong coupling.
    ConstBatch gathered(const Request& request, std::size_t count, std::size_t stride,
                        std::size_t first) {
        for (std::size_t leg = 0; leg < n_legs_; ++leg) {
            for (std::size_t mu = 0; mu < 4; ++mu) {
                std::memcpy(&momenta_[(4 * leg + mu) * count],
                            request.momenta + first + stride * (leg + n_legs_ * mu),
                            count * sizeof(double));
            }
        }
        for (std::size_t event = 0; event < count; ++event) {
            alpha_s_[event] = coupling(request, first + event);
        }
        return {momenta_.data(), count, 4 * n_legs_, 1, count};
    }

    static double coupling(const Request& request, std::size_t event) {
        if (request.g_strong) return request.g_strong[event] * request.g_strong[event] / four_pi;
        return request.alpha_s ? request.alpha_s[event] : default_alpha_s;
    }

    void amplitude(const Request& request, const EventInput& input, std::size_t first) {
        const auto count = input.p.count;
        AmplitudeOutput output{request.me2 ? request.me2 + first : me2_.data(), {}, {}};
        if (request.colour) output.flows = room(flows_, tape_.amplitude.n_flows, count);
        if (request.helicity) {
            output.helicities = room(helicities_, tape_.amplitude.n_helicities, count);
        }
        tape_kernels().amplitude(tape_.amplitude, input, output, false);
        draw(output.flows, request.random_colour, request.colour, first, count);
        draw(output.helicities, request.random_helicity, request.helicity, first, count);
    }

    void diagrams(const Request& request, const EventInput& input, std::size_t stride,
                  std::size_t first) {
        const auto count = input.p.count, n = tape_.squares.n_diagrams;
        const MutableBatch squares =
            request.squares ? MutableBatch{request.squares + first, count, n, 1, stride}
                            : room(squares_, n, count);
        tape_kernels().diagram_squares(tape_.squares, input, squares);
        draw(squares, request.random_diagram, request.diagram, first, count);
    }

    static MutableBatch room(std::vector<double>& memory, std::size_t rows, std::size_t count) {
        memory.resize(rows * events_per_block);
        return {memory.data(), count, rows, 1, count};
    }

    static void draw(const MutableBatch& weights, const double* random, std::int32_t* index,
                     std::size_t first, std::size_t count) {
        if (index == nullptr) return;
        for (std::size_t event = 0; event < count; ++event) {
            index[first + event] = drawn(weights, event, random ? random[first + event] : 0.5);
        }
    }

    const Cargo& tape_;
    std::size_t n_legs_;
    std::vector<double> momenta_, alpha_s_, me2_, flows_, helicities_, squares_;
};

template <class Value>
UmamiStatus answer(void* result, const Value& value) {
    *static_cast<Value*>(result) = value;
    return UMAMI_SUCCESS;
}

UmamiStatus tell(bool const** where, int* count, const bool* keys, int n) {
    if (where == nullptr || count == nullptr) return UMAMI_ERROR;
    *where = keys;
    *count = n;
    return UMAMI_SUCCESS;
}

}  // namespace
}  // namespace madnis

using madnis::cargo;

extern "C" {

UmamiStatus umami_get_meta(UmamiMetaKey key, void* result) {
    const auto* tape = cargo();
    if (tape == nullptr || result == nullptr) return UMAMI_ERROR;
    switch (key) {
        case UMAMI_META_DEVICE: return madnis::answer(result, int(UMAMI_DEVICE_CPU));
        case UMAMI_META_PARTICLE_COUNT: return madnis::answer(result, int(tape->masses.size()));
        case UMAMI_META_DIAGRAM_COUNT: return madnis::answer(result, int(tape->squares.n_diagrams));
        case UMAMI_META_HELICITY_COUNT:
            return madnis::answer(result, int(tape->amplitude.n_helicities));
        case UMAMI_META_COLOR_COUNT: return madnis::answer(result, int(tape->amplitude.n_flows));
        case UMAMI_META_MASSES:
            std::copy(tape->masses.begin(), tape->masses.end(), static_cast<double*>(result));
            return UMAMI_SUCCESS;
        case UMAMI_META_ABI_MAJOR_VERSION: return madnis::answer(result, int(UMAMI_MAJOR));
        case UMAMI_META_ABI_MINOR_VERSION: return madnis::answer(result, int(UMAMI_MINOR));
        case UMAMI_META_PROCESS_FINGERPRINT:
            return madnis::answer(result, tape->fingerprint.c_str());
        default: return UMAMI_ERROR_UNSUPPORTED_META;
    }
}

UmamiStatus umami_supported_inputs(bool const** supported, int* count) {
    return madnis::tell(supported, count, madnis::supported_inputs, UMAMI_INPUT_KEYS);
}

UmamiStatus umami_required_inputs(bool const** required, int* count) {
    return madnis::tell(required, count, madnis::required_inputs, UMAMI_INPUT_KEYS);
}

UmamiStatus umami_supported_outputs(bool const** supported, int* count) {
    return madnis::tell(supported, count, madnis::supported_outputs, UMAMI_OUTPUT_KEYS);
}

UmamiStatus umami_initialize(UmamiHandle* handle, char const*) {
    if (cargo() == nullptr || handle == nullptr) return UMAMI_ERROR;
    try {
        madnis::tape_kernels();
        *handle = new madnis::Instance(*cargo());
    } catch (...) {
        return UMAMI_ERROR;
    }
    return UMAMI_SUCCESS;
}

UmamiStatus umami_set_parameter(UmamiHandle, char const*, double, double) {
    return UMAMI_ERROR_NOT_IMPLEMENTED;
}

UmamiStatus umami_get_parameter(UmamiHandle, char const*, double*, double*) {
    return UMAMI_ERROR_NOT_IMPLEMENTED;
}

UmamiStatus umami_matrix_element(UmamiHandle handle, size_t count, size_t stride, size_t offset,
                                 size_t n_inputs, UmamiInputKey const* input_keys,
                                 void const* const* inputs, size_t n_outputs,
                                 UmamiOutputKey const* output_keys, void* const* outputs) {
    if (handle == nullptr) return UMAMI_ERROR;
    madnis::Request request;
    for (size_t k = 0; k < n_inputs; ++k) {
        if (const auto status = request.take(input_keys[k], inputs[k]); status != UMAMI_SUCCESS) {
            return status;
        }
    }
    for (size_t k = 0; k < n_outputs; ++k) {
        if (const auto status = request.take(output_keys[k], outputs[k]); status != UMAMI_SUCCESS) {
            return status;
        }
    }
    try {
        return static_cast<madnis::Instance*>(handle)->evaluate(request, count, stride, offset);
    } catch (...) {
        return UMAMI_ERROR;
    }
}

UmamiStatus umami_free(UmamiHandle handle) {
    delete static_cast<madnis::Instance*>(handle);
    return UMAMI_SUCCESS;
}

}  // extern "C"

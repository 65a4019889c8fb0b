/* e+ e- > mu+ mu- through photon and Z behind the UMAMI interface, in the ways that libraries differ.
 *
 * MINOR 0 or 1: version of the interface. REPORTED: the major version that is told. STATUS: what every evaluation
 * returns. NUMBER: float or double. DEVICE, PARTICLES, MASS: what the metadata say. POISON: what |M|^2 is at events
 * with an electron below 1 GeV. FIRST_CALL: what an evaluation does at first. WITHOUT_FREE: a symbol is missing.
 * WITHOUT_SQUARES: no single diagrams.
 * Flavour k has |M|^2 times k + 1. The couplings are given as E_L, E_R (photon), Z_L, Z_R, with MZ and WZ.
 */
#include <complex.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifndef MINOR
#define MINOR 1
#endif
#ifndef REPORTED
#define REPORTED 1
#endif
#ifndef STATUS
#define STATUS 0
#endif
#ifndef NUMBER
#define NUMBER double
#endif
#ifndef DEVICE
#define DEVICE 0
#endif
#ifndef PARTICLES
#define PARTICLES 4
#endif
#ifndef MASS
#define MASS 0.0
#endif
#ifndef FIRST_CALL
#define FIRST_CALL
#endif
#ifndef POISON
#define POISON NAN
#endif

enum { UNSUPPORTED_INPUT = 3, UNSUPPORTED_OUTPUT = 4, UNSUPPORTED_META = MINOR ? 6 : 5, MISSING_INPUT = MINOR ? 7 : 6 };
enum { LAST_INPUT = MINOR ? 9 : 7, HELICITIES = 4 };

typedef struct {
    atomic_int users;
} Handle;

static atomic_int handles, filtered;
static bool good[HELICITIES];

int stub_handles(void) { return handles; }

int umami_get_meta(int key, void* result) {
    int* number = result;
    switch (key) {
        case 0: *number = DEVICE; return 0;
        case 1: *number = PARTICLES; return 0;
        case 2: *number = 2; return 0;
        case 3: *number = HELICITIES; return 0;
        case 4: *number = 1; return 0;
#if MINOR
        case 5: for (int k = 0; k < PARTICLES; ++k) ((double*)result)[k] = MASS; return 0;
        case 6: *number = REPORTED; return 0;
        case 7: *number = MINOR; return 0;
#endif
        default: return UNSUPPORTED_META;
    }
}

#if MINOR
int umami_supported_inputs(bool const** keys, int* count) {
    static const bool data[LAST_INPUT + 1] = {true, true, true, true, true, true};
    *keys = data;
    *count = LAST_INPUT + 1;
    return 0;
}
#endif

int umami_initialize(void** handle, char const* card) {
    if (card[0] == '!') return 1;
    ++handles;
    *handle = calloc(1, sizeof(Handle));
    return 0;
}

#ifndef WITHOUT_FREE
int umami_free(void* handle) {
    free(handle);
    return 0;
}
#endif

static NUMBER product(const double* p, size_t step, int a, int b) {
    NUMBER sum = (NUMBER)p[step * a] * (NUMBER)p[step * b];
    for (int mu = 1; mu < 4; ++mu) sum -= (NUMBER)p[step * (a + 4 * mu)] * (NUMBER)p[step * (b + 4 * mu)];
    return sum;
}

/* Of one event: helicities of electron and muon are equal in the first two. */
static void event(const double* p, size_t step, NUMBER* helicities, NUMBER* diagrams) {
    static const double photon[2] = {E_L, E_R}, z[2] = {Z_L, Z_R};
    const NUMBER s = 2 * product(p, step, 0, 1), u = 2 * product(p, step, 1, 2), t = 2 * product(p, step, 1, 3);
    diagrams[0] = diagrams[1] = 0;
    for (int h = 0; h < HELICITIES; ++h) {
        const int electron = h & 1, muon = h < 2 ? electron : 1 - electron;
        const NUMBER angle = h < 2 ? u : t;
        const double complex a = photon[electron] * photon[muon] / s;
        const double complex b = z[electron] * z[muon] / (s - MZ * MZ + I * MZ * WZ);
        helicities[h] = (NUMBER)(creal((a + b) * conj(a + b))) * angle * angle;
        diagrams[0] += 4 * (NUMBER)creal(a * conj(a)) * angle * angle;
        diagrams[1] += 4 * (NUMBER)creal(b * conj(b)) * angle * angle;
    }
}

int umami_matrix_element(void* handle, size_t count, size_t stride, size_t offset, size_t n_in, int const* in_keys,
                         void const* const* in, size_t n_out, int const* out_keys, void* const* out) {
    Handle* mine = handle;
    const double *p = NULL, *random = NULL;
    const int32_t* flavour = NULL;
    FIRST_CALL
    if (STATUS) return STATUS;
    for (size_t k = 0; k < n_in; ++k) {
        if (in_keys[k] < 0 || in_keys[k] > LAST_INPUT) return UNSUPPORTED_INPUT;
        if (in_keys[k] == 0) p = in[k];
        if (in_keys[k] == 2) flavour = in[k];
        if (in_keys[k] == 4) random = in[k];
    }
    if (p == NULL) return MISSING_INPUT;
    for (size_t k = 0; k < n_out; ++k) {
        if (out_keys[k] < 0 || out_keys[k] > 4) return UNSUPPORTED_OUTPUT;
#ifdef WITHOUT_SQUARES
        if (out_keys[k] == 1) return UNSUPPORTED_OUTPUT;
#endif
    }
    if (mine->users++) return 1; /* a second thread with the same handle */
    for (size_t e = offset; e < offset + count; ++e) {
        NUMBER helicity[HELICITIES], diagram[2], total = 0, edge = 0;
        event(p + e, stride, helicity, diagram);
        if (!filtered) {
            for (int h = 0; h < HELICITIES; ++h) good[h] = helicity[h] > 0;
            filtered = 1;
        }
        for (int h = 0; h < HELICITIES; ++h) total += good[h] ? helicity[h] : 0;
        for (size_t k = 0; k < n_out; ++k) {
            int32_t* index = out[k];
            double* number = out[k];
            int chosen = 0;
            switch (out_keys[k]) {
                case 0: number[e] = p[e + stride] < 1 ? POISON : total * (flavour ? flavour[e] + 1 : 1); break;
                case 1: for (int d = 0; d < 2; ++d) number[e + stride * d] = diagram[1 - d] / (diagram[0] + diagram[1]); break;
                case 3:
                    for (; chosen < HELICITIES - 1; ++chosen) {
                        edge += helicity[chosen];
                        if (edge > (random ? random[e] : 0.5) * total) break;
                    }
                    index[e] = chosen;
                    break;
                default: index[e] = 0;
            }
        }
    }
    --mine->users;
    return 0;
}

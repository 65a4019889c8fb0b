/* The Unified MAtrix eleMent Interface, version 1.1: what a library with a matrix element exports.
 *
 * Our own statement of its facts. Every array has the event fastest: number r of event e is at
 * array[offset + e + stride * r]; row r of the momenta is particle + n_particles * mu with
 * mu = E, px, py, pz in GeV, incoming particles first with positive energies. Events outside
 * [offset, offset + count) are left alone. A handle belongs to one thread at a time. Version 1.0
 * has the inputs 0 to 7, the outputs 0 to 4 and the metadata 0 to 4.
 */
#ifndef MADNIS_UMAMI_H
#define MADNIS_UMAMI_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { UMAMI_MAJOR = 1, UMAMI_MINOR = 1 };

typedef enum {
    UMAMI_SUCCESS = 0,
    UMAMI_ERROR = 1,
    UMAMI_ERROR_NOT_IMPLEMENTED = 2,
    UMAMI_ERROR_UNSUPPORTED_INPUT = 3,
    UMAMI_ERROR_UNSUPPORTED_OUTPUT = 4,
    UMAMI_ERROR_UNINITIALIZED_META = 5,
    UMAMI_ERROR_UNSUPPORTED_META = 6,
    UMAMI_ERROR_MISSING_INPUT = 7
} UmamiStatus;

typedef enum { UMAMI_DEVICE_CPU = 0, UMAMI_DEVICE_CUDA = 1, UMAMI_DEVICE_HIP = 2 } UmamiDevice;

typedef enum {
    UMAMI_META_DEVICE = 0, /* int, as those up to COLOR_COUNT */
    UMAMI_META_PARTICLE_COUNT = 1,
    UMAMI_META_DIAGRAM_COUNT = 2,
    UMAMI_META_HELICITY_COUNT = 3,
    UMAMI_META_COLOR_COUNT = 4,
    UMAMI_META_MASSES = 5,              /* double per particle, known once there is a handle */
    UMAMI_META_ABI_MAJOR_VERSION = 6,   /* int */
    UMAMI_META_ABI_MINOR_VERSION = 7,   /* int */
    UMAMI_META_PROCESS_FINGERPRINT = 8, /* const char* that the library owns */
    UMAMI_META_SQUARED_ORDER_COUNT = 9  /* int */
} UmamiMetaKey;

typedef enum {
    UMAMI_IN_MOMENTA = 0,      /* double (4, n_particles, stride) */
    UMAMI_IN_ALPHA_S = 1,      /* double */
    UMAMI_IN_FLAVOR_INDEX = 2, /* int32 */
    UMAMI_IN_RANDOM_COLOR = 3, /* double in [0, 1), as the next two */
    UMAMI_IN_RANDOM_HELICITY = 4,
    UMAMI_IN_RANDOM_DIAGRAM = 5,
    UMAMI_IN_HELICITY_INDEX = 6, /* int32 */
    UMAMI_IN_DIAGRAM_INDEX = 7,  /* int32 */
    UMAMI_IN_CHANNEL_INDEX = 8,  /* uint32 */
    UMAMI_IN_G_STRONG = 9        /* double */
} UmamiInputKey;

enum { UMAMI_INPUT_KEYS = 10, UMAMI_OUTPUT_KEYS = 7 };

typedef enum {
    UMAMI_OUT_MATRIX_ELEMENT = 0, /* double */
    UMAMI_OUT_DIAGRAM_AMP2 = 1,   /* double (n_diagrams, stride) */
    UMAMI_OUT_COLOR_INDEX = 2,    /* int32 from 0, as the next two */
    UMAMI_OUT_HELICITY_INDEX = 3,
    UMAMI_OUT_DIAGRAM_INDEX = 4,
    UMAMI_OUT_GPU_STREAM = 5,
    UMAMI_OUT_SQUARED_ORDERS = 6
} UmamiOutputKey;

typedef void* UmamiHandle;

#if defined(__GNUC__)
#define MADNIS_UMAMI_EXPORT __attribute__((visibility("default")))
#else
#define MADNIS_UMAMI_EXPORT
#endif

MADNIS_UMAMI_EXPORT UmamiStatus umami_get_meta(UmamiMetaKey key, void* result);
MADNIS_UMAMI_EXPORT UmamiStatus umami_supported_inputs(bool const** supported, int* count);
MADNIS_UMAMI_EXPORT UmamiStatus umami_required_inputs(bool const** required, int* count);
MADNIS_UMAMI_EXPORT UmamiStatus umami_supported_outputs(bool const** supported, int* count);
MADNIS_UMAMI_EXPORT UmamiStatus umami_initialize(UmamiHandle* handle, char const* param_card);
MADNIS_UMAMI_EXPORT UmamiStatus umami_set_parameter(UmamiHandle handle, char const* name, double re,
                                                    double im);
MADNIS_UMAMI_EXPORT UmamiStatus umami_get_parameter(UmamiHandle handle, char const* name,
                                                    double* re, double* im);
MADNIS_UMAMI_EXPORT UmamiStatus umami_matrix_element(UmamiHandle handle, size_t count,
                                                     size_t stride, size_t offset, size_t n_inputs,
                                                     UmamiInputKey const* input_keys,
                                                     void const* const* inputs, size_t n_outputs,
                                                     UmamiOutputKey const* output_keys,
                                                     void* const* outputs);
MADNIS_UMAMI_EXPORT UmamiStatus umami_free(UmamiHandle handle);

#ifdef __cplusplus
}
#endif

#endif

// A driver of CUDA that has the calls which kernels need, and runs them on the processor: launches
// go to the library of emulated kernels whose path is in $MADNIS_EMULATED. The GPU is lost after
// $MADNIS_LAUNCHES of them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, INVALID_VALUE = 1, INVALID_CONTEXT = 201, NOT_FOUND = 500 };
enum { LAUNCH_FAILED = 719, NOT_SUPPORTED = 801 };
enum { MOST_KERNELS = 64, LONGEST_NAME = 64, FREE_SHARED_BYTES = 48 * 1024 };

typedef struct {
    char name[LONGEST_NAME];
    unsigned shared_bytes;  // that a block may have
} Kernel;

typedef struct {
    unsigned grid[3], block[3], shared_bytes;
    void *stream, *attributes;
    unsigned n_attributes;
} LaunchConfig;

static Kernel kernels[MOST_KERNELS];
static int n_kernels;

static int not_supported(void) { return NOT_SUPPORTED; }

static int emulated(const char* name, int64_t blocks, int64_t threads, int64_t shared_bytes,
                    void** arguments) {
    int (*launch)(const char*, int64_t, int64_t, int64_t, void**) =
        dlsym(dlopen(getenv("MADNIS_EMULATED"), RTLD_NOW), "madnis_launch");
    return launch(name, blocks, threads, shared_bytes, arguments) ? NOT_FOUND : SUCCESS;
}

int cuInit(unsigned flags) { return SUCCESS; }

int cuDriverGetVersion(int* version) {
    *version = 13000;
    return SUCCESS;
}

int cuGetExportTable(const void** table, const void* id) { return NOT_SUPPORTED; }

int cuGetErrorName(int error, const char** name) {
    *name = error == NOT_FOUND       ? "CUDA_ERROR_NOT_FOUND"
            : error == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED"
                                     : "CUDA_ERROR_INVALID_VALUE";
    return SUCCESS;
}

int cuGetErrorString(int error, const char** text) { return cuGetErrorName(error, text); }

static _Thread_local void* current_context;

int cuCtxGetCurrent(void** context) {
    *context = current_context;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
    *context = kernels;
    return SUCCESS;
}

int cuCtxSetCurrent(void* context) {
    current_context = context;
    return SUCCESS;
}

int cuCtxGetDevice(int* device) {
    *device = 0;
    return SUCCESS;
}

int cuLibraryLoadData(void** library, const char* code, void* a, void* b, unsigned c, void* d,
                      void* e, unsigned f) {
    *library = kernels;
    return memcmp(code, "\x7f" "ELF", 4) == 0 ? SUCCESS : INVALID_VALUE;
}

int cuLibraryUnload(void* library) { return SUCCESS; }

int cuLibraryGetKernel(Kernel** kernel, void* library, const char* name) {
    if (n_kernels == MOST_KERNELS || strlen(name) >= LONGEST_NAME) return INVALID_VALUE;
    if (emulated(name, 0, 1, 0, NULL)) return NOT_FOUND;
    *kernel = &kernels[n_kernels++];
    strcpy((*kernel)->name, name);
    (*kernel)->shared_bytes = FREE_SHARED_BYTES;
    return SUCCESS;
}

// Attribute 8 is CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
int cuKernelSetAttribute(int attribute, int value, Kernel* kernel, int device) {
    if (attribute != 8) return INVALID_VALUE;
    kernel->shared_bytes = (unsigned)value;
    return SUCCESS;
}

int cuLaunchKernelEx(const LaunchConfig* config, Kernel* kernel, void** arguments, void** extra) {
    static long launches = 0;
    if (current_context == NULL) return INVALID_CONTEXT;
    const char* most = getenv("MADNIS_LAUNCHES");
    if (most && ++launches > atol(most)) return LAUNCH_FAILED;
    if (config->shared_bytes > kernel->shared_bytes) return INVALID_VALUE;
    if (config->grid[1] * config->grid[2] * config->block[1] * config->block[2] != 1 || extra)
        return INVALID_VALUE;
    return emulated(kernel->name, config->grid[0], config->block[0], config->shared_bytes,
                    arguments);
}

int cuGetProcAddress_v2(const char* name, void** call, int version, uint64_t flags, int* status) {
    Dl_info here;
    dladdr((void*)cuInit, &here);
    void* found = dlsym(dlopen(here.dli_fname, RTLD_NOW), name);
    *call = found ? found : (void*)not_supported;
    if (status) *status = 0;
    return SUCCESS;
}

int cuGetProcAddress(const char* name, void** call, int version, uint64_t flags) {
    return cuGetProcAddress_v2(name, call, version, flags, NULL);
}

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "madnis/kernel_table.hpp"
#include "madnis/parallel.hpp"

namespace madnis::bindings {

namespace py = pybind11;

void bind_runtime(py::module_& m) {
    m.def("instruction_set", [] { return std::string(kernels().name); },
          "Name of the instruction set in use: baseline, avx2 or avx512.");
    m.def("instruction_sets",
          [] {
              std::vector<std::string> names;
              for (auto table = available_kernels(); *table != nullptr; ++table) names.emplace_back((*table)->name);
              return names;
          },
          "Instruction sets of this build that this processor runs, slowest first.");
    m.def("lane_width", [] { return kernels().lane_width; }, "Doubles per SIMD register.");
    m.def("set_thread_count",
          [](py::ssize_t count) {
              if (count < 1) throw py::value_error("threads: expected at least 1; got " + std::to_string(count));
              set_thread_count(std::size_t(count));
          },
          py::arg("count"), "Threads that the kernels use from now on, the calling one included.");
    m.def("thread_count", &thread_count, "Threads that the kernels use.");
}

}  // namespace madnis::bindings

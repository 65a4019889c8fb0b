#include <pybind11/stl.h>

#include "runtime/arrays.hpp"
#include "runtime/elementary.hpp"
#include "runtime/parallel.hpp"

namespace madnis::bindings {

namespace {

Elementary elementary_function(const std::string& name) {
    static constexpr const char* names[] = {"exp", "expm1", "log",  "log1p", "sin",
                                            "cos", "tan",   "atan", "asinh"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        if (name == names[i]) return Elementary(i);
    }
    throw py::value_error("function: expected a function of lane_math.hpp; got " + name);
}

}  // namespace

void bind_runtime(py::module_& m) {
    m.def(
        "instruction_set", [] { return std::string(name_of(instruction_set())); },
        "Name of the instruction set in use: baseline, avx2 or avx512.");
    m.def(
        "instruction_sets",
        [] {
            std::vector<std::string> names;
            for (const auto set : instruction_sets()) names.emplace_back(name_of(set));
            return names;
        },
        "Instruction sets of this build that this processor runs, slowest first.");
    m.def(
        "lane_width", [] { return elementary_kernels().lane_width; }, "Doubles per SIMD register.");
    m.def(
        "set_thread_count",
        [](py::ssize_t count) {
            if (count < 1) {
                throw py::value_error("threads: expected at least 1; got " + std::to_string(count));
            }
            set_thread_count(std::size_t(count));
        },
        py::arg("count"), "Threads that the kernels use from now on, the calling one included.");
    m.def(
        "elementary",
        [](const std::string& function, const py::array& x) {
            const auto* data = scalars(x, "x");
            py::array_t<double> y(x.size());
            elementary_kernels().apply(elementary_function(function), data, std::size_t(x.size()),
                                       y.mutable_data());
            return y;
        },
        py::arg("function"), py::arg("x"),
        "An elementary function as the kernels compute it, float64 (n,).");
    m.def(
        "exp_float32",
        [](const py::array& x) {
            const auto* data = contiguous<float>(x, "x", {std::size_t(x.size())});
            py::array_t<float> y(x.size());
            elementary_kernels().exp_float32(data, std::size_t(x.size()), y.mutable_data());
            return y;
        },
        py::arg("x"), "The exponential as the networks of the kernels compute it, float32 (n,).");
    m.def(
        "arc_tangent",
        [](const py::array& y, const py::array& x) {
            const auto *ordinate = scalars(y, "y"),
                       *abscissa = scalars(x, "x", std::size_t(y.size()));
            py::array_t<double> angle(y.size());
            elementary_kernels().arc_tangent(ordinate, abscissa, std::size_t(y.size()),
                                             angle.mutable_data());
            return angle;
        },
        py::arg("y"), py::arg("x"), "atan2(y, x) as the kernels compute it, float64 (n,).");
    m.def("thread_count", &thread_count, "Threads that the kernels use.");
}

}  // namespace madnis::bindings

#include <pybind11/stl.h>

#include <array>

#include "random/random_kernels.hpp"
#include "runtime/arrays.hpp"

namespace madnis::bindings {

void bind_random(py::module_& m) {
    m.def(
        "random_uniform",
        [](std::int64_t key, std::int64_t subsequence, std::int64_t position, py::ssize_t count) {
            if (position < 0 || count < 0) {
                throw py::value_error("random numbers: expected position and count >= 0; got " +
                                      std::to_string(position) + " and " + std::to_string(count));
            }
            py::array_t<double> numbers(count);
            auto* data = numbers.mutable_data();
            py::gil_scoped_release release;  // pure C++ from here on
            random_kernels().uniform({std::uint64_t(key), std::uint64_t(subsequence)},
                                     std::uint64_t(position), std::size_t(count), data);
            return numbers;
        },
        py::arg("key"), py::arg("subsequence"), py::arg("position"), py::arg("count"),
        "Numbers of a random stream from a position on, uniform in [0, 1), float64 (count,).");
    m.def(
        "random_words",
        [](std::int64_t key, std::int64_t subsequence, std::int64_t block) {
            std::array<std::uint32_t, 4> words;
            random_kernels().words({std::uint64_t(key), std::uint64_t(subsequence)},
                                   std::uint64_t(block), words.data());
            return words;
        },
        py::arg("key"), py::arg("subsequence"), py::arg("block"),
        "The four words of 32 bits that a block of a random stream is made of.");
}

}  // namespace madnis::bindings

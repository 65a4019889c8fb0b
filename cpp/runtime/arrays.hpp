// The one place where arguments from Python are checked and turned into batch views. Nothing is
// converted in silence: a wrong dtype, shape or layout is a TypeError or ValueError that says what
// was expected and what came.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "simd/batch.hpp"

namespace madnis::bindings {

namespace py = pybind11;

// "float64 (4096, 10)"
inline std::string describe(const py::array& array) {
    std::string text = py::str(array.dtype()).cast<std::string>() + " (";
    for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
        text += (axis ? ", " : "") + std::to_string(array.shape(axis));
    }
    return text + (array.ndim() == 1 ? ",)" : ")");
}

[[noreturn]] inline void fail(const char* name, const std::string& expected,
                              const py::array& array) {
    throw py::value_error(std::string(name) + ": expected " + expected + "; got " +
                          describe(array));
}

template <class Number>
const Number* typed(const py::array& array, const char* name, const std::string& expected) {
    if (!py::dtype::of<Number>().is(array.dtype()) &&
        !py::dtype::of<Number>().equal(array.dtype())) {
        fail(name, expected, array);
    }
    return static_cast<const Number*>(array.data());
}

// The data of a C-contiguous array of this dtype and shape; `expected` says so in words.
template <class Number>
const Number* of_shape(const py::array& array, const char* name,
                       const std::vector<std::size_t>& shape, const std::string& expected) {
    const auto* data = typed<Number>(array, name, expected);
    bool good = std::size_t(array.ndim()) == shape.size() && (array.flags() & py::array::c_style);
    for (std::size_t axis = 0; good && axis < shape.size(); ++axis) {
        good = std::size_t(array.shape(py::ssize_t(axis))) == shape[axis];
    }
    if (!good) fail(name, expected, array);
    return data;
}

// Points: float64 (n, rows), C-contiguous.
inline ConstBatch points(const py::array& array, const char* name, std::size_t rows) {
    const std::string expected = "float64 (n, " + std::to_string(rows) + "), C-contiguous";
    const auto count = std::size_t(array.ndim() > 0 ? array.shape(0) : 0);
    return {of_shape<double>(array, name, {count, rows}, expected), count, rows, rows, 1};
}

// One number per event: float64 (n,), contiguous; `count` events.
inline const double* scalars(const py::array& array, const char* name, std::size_t count) {
    const std::string expected = "float64 (" + std::to_string(count) + ",), contiguous";
    return of_shape<double>(array, name, {count}, expected);
}

// Any shape, C-contiguous.
template <class Number>
const Number* contiguous(const py::array& array, const char* name,
                         const std::vector<std::size_t>& shape) {
    std::string expected = py::str(py::dtype::of<Number>()).template cast<std::string>() + " (";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        expected += (axis > 0 ? ", " : "") + std::to_string(shape[axis]);
    }
    expected += shape.size() == 1 ? ",), contiguous" : "), C-contiguous";
    return of_shape<Number>(array, name, shape, expected);
}

// Momenta: float64 (n, particles, 4), event-fastest in memory, as every kernel returns them.
inline ConstBatch momenta(const py::array& array, const char* name, std::size_t particles) {
    const std::string expected = "float64 (n, " + std::to_string(particles) +
                                 ", 4) with the events fastest in memory (as_momenta makes it so)";
    const auto* data = typed<double>(array, name, expected);
    const auto size = py::ssize_t(sizeof(double));
    bool good =
        array.ndim() == 3 && std::size_t(array.shape(1)) == particles && array.shape(2) == 4;
    if (good && array.shape(0) > 1) good = array.strides(0) == size;
    if (good && array.size() > 0) {
        good = array.strides(2) % size == 0 && array.strides(2) >= size * array.shape(0) &&
               array.strides(1) == 4 * array.strides(2);
    }
    if (!good) fail(name, expected, array);
    const auto stride = array.size() > 0 ? std::size_t(array.strides(2) / size) : 1;
    return {data, std::size_t(array.shape(0)), 4 * particles, 1, stride};
}

// Any number of particles, at least one.
inline ConstBatch momenta(const py::array& array, const char* name) {
    if (array.ndim() != 3 || array.shape(1) < 1) fail(name, "float64 (n, particles, 4)", array);
    return momenta(array, name, std::size_t(array.shape(1)));
}

// One number per event, as many events as there are.
inline const double* scalars(const py::array& array, const char* name) {
    if (array.ndim() != 1) fail(name, "float64 (n,), contiguous", array);
    return scalars(array, name, std::size_t(array.shape(0)));
}

// Positions of particles of a batch of momenta.
inline void check_particles(const std::vector<std::int64_t>& particles, const ConstBatch& p) {
    for (const auto particle : particles) {
        if (particle < 0 || 4 * std::size_t(particle) >= p.rows) {
            throw py::value_error("particles: expected 0.." + std::to_string(p.rows / 4 - 1) +
                                  "; got " + std::to_string(particle));
        }
    }
}

struct OutputPoints {
    py::array_t<double> array;
    MutableBatch view;
};

// New points, float64 (n, rows), C-contiguous.
inline OutputPoints new_points(std::size_t count, std::size_t rows) {
    py::array_t<double> array({count, rows});
    return {array, {array.mutable_data(), count, rows, rows, 1}};
}

// New momenta, float64 (n, particles, 4), event-fastest: row r of event e at data[r * n + e].
inline OutputPoints new_momenta(std::size_t count, std::size_t particles) {
    const auto size = py::ssize_t(sizeof(double));
    const auto stride = size * py::ssize_t(count);
    py::array_t<double> array(
        std::vector<py::ssize_t>{py::ssize_t(count), py::ssize_t(particles), 4},
        std::vector<py::ssize_t>{size, 4 * stride, stride});
    return {array, {array.mutable_data(), count, 4 * particles, 1, count}};
}

}  // namespace madnis::bindings

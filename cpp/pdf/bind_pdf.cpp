#include <pybind11/stl.h>

#include <algorithm>

#include "pdf/pdf_grid.hpp"
#include "pdf/pdf_kernels.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

// At least two knots, positive and ascending; `repeats` allows equal neighbours, but not at the
// end.
std::vector<double> knots(const py::array& array, const char* name, bool repeats) {
    const auto size = std::size_t(array.ndim() == 1 ? array.shape(0) : 0);
    const double* data = scalars(array, name, size);
    std::vector<double> result(data, data + size);
    const auto wrong = [repeats](double a, double b) { return repeats ? b < a : b <= a; };
    const bool ascending = std::adjacent_find(result.begin(), result.end(), wrong) == result.end();
    if (size < 2 || !ascending || !(result.front() > 0) || !(result[size - 1] > result[size - 2])) {
        throw py::value_error(std::string(name) +
                              ": expected at least two positive, ascending knots");
    }
    return result;
}

PdfGrid make_grid(const py::array& x, const py::array& q2, const py::array& values,
                  double minimum) {
    const std::string expected = "float64 (x knots, q2 knots, 1.." +
                                 std::to_string(PdfGridSpec::max_flavours) +
                                 " flavours), C-contiguous";
    const double* data = typed<double>(values, "values", expected);
    auto x_knots = knots(x, "x", false);
    auto q2_knots = knots(q2, "q2", true);
    const bool good = values.ndim() == 3 && std::size_t(values.shape(0)) == x_knots.size() &&
                      std::size_t(values.shape(1)) == q2_knots.size() && values.shape(2) >= 1 &&
                      std::size_t(values.shape(2)) <= PdfGridSpec::max_flavours &&
                      (values.flags() & py::array::c_style);
    if (!good) fail("values", expected, values);
    return PdfGrid(std::move(x_knots), std::move(q2_knots), std::size_t(values.shape(2)), data,
                   minimum);
}

AlphaSTable make_alpha_s(const py::array& q2, const py::array& values) {
    auto q2_knots = knots(q2, "q2", true);
    return AlphaSTable(q2_knots, scalars(values, "values", q2_knots.size()));
}

void check_columns(const PdfGridSpec& grid, const std::vector<std::int64_t>& columns) {
    for (const auto column : columns) {
        if (column < -1 || column >= std::int64_t(grid.flavours)) {
            throw py::value_error("columns: expected -1.." + std::to_string(grid.flavours - 1) +
                                  "; got " + std::to_string(column));
        }
    }
}

LogAxisSpec put(Image& image, const LogAxisSpec& axis) {
    return {image.put(axis.knots, axis.size), image.put(axis.intervals, axis.size - 1), axis.size};
}

py::bytes grid_image(const PdfGrid& grid, std::uintptr_t address) {
    return image_of<PdfGridSpec>(address, [&grid](Image& image) {
        PdfGridSpec spec = grid.spec();
        spec.x = put(image, spec.x);
        spec.q2 = put(image, spec.q2);
        spec.values = image.put(spec.values, spec.n_values());
        return spec;
    });
}

py::bytes table_image(const AlphaSTable& table, std::uintptr_t address) {
    return image_of<AlphaSSpec>(address, [&table](Image& image) {
        AlphaSSpec spec = table.spec();
        spec.q2 = put(image, spec.q2);
        spec.values = image.put(spec.values, spec.q2.size + 2);
        return spec;
    });
}

std::size_t length(const py::array& array, const char* name) {
    if (array.ndim() != 1) fail(name, "float64 (n,), contiguous", array);
    return std::size_t(array.shape(0));
}

}  // namespace

void bind_pdf(py::module_& m) {
    m.attr("MAX_FLAVOURS") = PdfGridSpec::max_flavours;
    py::class_<PdfGrid>(
        m, "PdfGrid",
        "x f(x, Q^2) of one PDF member, cubic in log x and log Q^2 between its knots.")
        .def(py::init(&make_grid), py::arg("x"), py::arg("q2"), py::arg("values"),
             py::arg("minimum"))
        .def(
            "density",
            [](const PdfGrid& self, const std::vector<std::int64_t>& columns, const py::array& x,
               const py::array& q2) {
                const PdfGridSpec grid = self.spec();
                check_columns(grid, columns);
                const auto count = length(x, "x");
                const double* x_data = scalars(x, "x", count);
                const double* q2_data = scalars(q2, "q2", count);
                auto out = new_points(count, columns.size());
                py::gil_scoped_release release;  // pure C++ from here on
                pdf_kernels().density(grid, x_data, q2_data, count, columns.data(), columns.size(),
                                      out.view.data);
                return std::move(out.array);
            },
            py::arg("columns"), py::arg("x"), py::arg("q2"),
            "x f(x, Q^2) of the flavours with these numbers, float64 (n, len(columns)); column -1 "
            "is zero.")
        .def("image", &grid_image, py::arg("address"),
             "Bytes of the grid, with pointers as if it lay at the address.");
    py::class_<AlphaSTable>(m, "AlphaSTable", "alpha_s(Q^2), cubic in log Q^2 between its knots.")
        .def(py::init(&make_alpha_s), py::arg("q2"), py::arg("values"))
        .def(
            "evaluate",
            [](const AlphaSTable& table, const py::array& q2) {
                const auto count = length(q2, "q2");
                const double* q2_data = scalars(q2, "q2", count);
                py::array_t<double> result(static_cast<py::ssize_t>(count));
                double* out = result.mutable_data();
                {
                    py::gil_scoped_release release;  // pure C++ inside
                    pdf_kernels().alpha_s(table.spec(), q2_data, count, out);
                }
                return result;
            },
            py::arg("q2"), "alpha_s(Q^2), float64 (n,).")
        .def("image", &table_image, py::arg("address"),
             "Bytes of the table, with pointers as if it lay at the address.");
}

}  // namespace madnis::bindings

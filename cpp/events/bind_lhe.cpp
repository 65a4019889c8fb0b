#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "events/event_check.hpp"
#include "events/lhe_cursor.hpp"
#include "events/lhe_events.hpp"
#include "events/lhe_text.hpp"
#include "runtime/arrays.hpp"

namespace madnis::bindings {
namespace {

// Name -> array of every column of a batch of events.
class Columns {
public:
    explicit Columns(const py::dict& arrays) : arrays_(arrays) {
        const auto pdg = array("pdg"), variations = array("variations");
        if (pdg.ndim() != 2) fail("pdg", "int32 (n, rows), C-contiguous", pdg);
        if (variations.ndim() != 2) {
            fail("variations", "float64 (n, weights), C-contiguous", variations);
        }
        count_ = std::size_t(pdg.shape(0));
        rows_ = std::size_t(pdg.shape(1));
        variations_ = std::size_t(variations.shape(1));
    }

    EventRecords records() const {
        return {
            .count = count_,
            .rows = rows_,
            .variations = variations_,
            .weight = column<double>("weight", {count_}),
            .scale = column<double>("scale", {count_}),
            .factorization_scale = column<double>("factorization_scale", {count_}),
            .renormalization_scale = column<double>("renormalization_scale", {count_}),
            .alpha_qed = column<double>("alpha_qed", {count_}),
            .alpha_s = column<double>("alpha_s", {count_}),
            .process_id = column<std::int32_t>("process_id", {count_}),
            .variation = column<double>("variations", {count_, variations_}),
            .pdg = column<std::int32_t>("pdg", {count_, rows_}),
            .status = column<std::int32_t>("status", {count_, rows_}),
            .mothers = column<std::int32_t>("mothers", {count_, rows_, 2}),
            .colour = column<std::int32_t>("colour", {count_, rows_, 2}),
            .momenta = column<double>("momenta", {count_, rows_, 4}),
            .mass = column<double>("mass", {count_, rows_}),
            .lifetime = column<double>("lifetime", {count_, rows_}),
            .spin = column<double>("spin", {count_, rows_}),
            .jet_kt = optional<double>("jet_kt", {count_, rows_}),
            .n_jets = optional<std::int32_t>("n_jets", {count_}),
        };
    }

private:
    py::array array(const char* name) const {
        if (!arrays_.contains(name) || !py::isinstance<py::array>(arrays_[name])) {
            throw py::value_error(std::string(name) + ": expected an array of this name");
        }
        return py::reinterpret_borrow<py::array>(arrays_[name]);
    }

    template <class Number>
    const Number* column(const char* name, const std::vector<std::size_t>& shape) const {
        return contiguous<Number>(array(name), name, shape);
    }

    template <class Number>
    const Number* optional(const char* name, const std::vector<std::size_t>& shape) const {
        return arrays_.contains(name) ? column<Number>(name, shape) : nullptr;
    }

    const py::dict& arrays_;
    std::size_t count_, rows_, variations_;
};

// New columns, zero everywhere but NaN in the variations.
class NewColumns {
public:
    NewColumns(std::size_t count, std::size_t rows, std::size_t variations)
        : columns{
              .rows = rows,
              .variations = variations,
              .weight = column<double>("weight", {count}),
              .scale = column<double>("scale", {count}),
              .factorization_scale = column<double>("factorization_scale", {count}),
              .renormalization_scale = column<double>("renormalization_scale", {count}),
              .alpha_qed = column<double>("alpha_qed", {count}),
              .alpha_s = column<double>("alpha_s", {count}),
              .process_id = column<std::int32_t>("process_id", {count}),
              .variation = column<double>("variations", {count, variations},
                                          std::numeric_limits<double>::quiet_NaN()),
              .pdg = column<std::int32_t>("pdg", {count, rows}),
              .status = column<std::int32_t>("status", {count, rows}),
              .mothers = column<std::int32_t>("mothers", {count, rows, 2}),
              .colour = column<std::int32_t>("colour", {count, rows, 2}),
              .momenta = column<double>("momenta", {count, rows, 4}),
              .mass = column<double>("mass", {count, rows}),
              .lifetime = column<double>("lifetime", {count, rows}),
              .spin = column<double>("spin", {count, rows}),
              .jet_kt = column<double>("jet_kt", {count, rows}),
              .n_jets = column<std::int32_t>("n_jets", {count}, -1),
          } {}

    py::dict arrays;  // before the pointers into it
    EventColumns columns;

private:
    template <class Number>
    Number* column(const char* name, const std::vector<std::size_t>& shape, Number value = 0) {
        py::array_t<Number> array(shape);
        std::fill_n(array.mutable_data(), array.size(), value);
        arrays[name] = array;
        return array.mutable_data();
    }
};

py::list as_bytes(std::vector<std::string> pieces) {
    py::list list(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        list[i] = py::bytes(pieces[i]);
        std::string().swap(pieces[i]);  // only one piece exists twice at a time
    }
    return list;
}

py::tuple lhe_events(const py::bytes& text, std::vector<std::string> weights,
                     std::vector<std::int32_t> listed, std::size_t before, std::size_t most_rows,
                     std::size_t most_events) {
    const Variations variations{.weights = std::move(weights), .listed = std::move(listed)};
    const std::string_view content = text;
    EventSpans spans;
    {
        py::gil_scoped_release release;  // pure C++ until the arrays are made
        spans = find_events(content, before, {.rows = most_rows, .events = most_events});
    }
    NewColumns made(spans.events.size(), spans.rows, variations.weights.size());
    Remainder remainder;
    {
        py::gil_scoped_release release;  // pure C++ from here on
        remainder = read_events(spans, variations, before, made.columns);
    }
    if (spans.text_between) remainder.left_out.insert("text between events");
    return py::make_tuple(made.arrays, remainder.left_out,
                          as_bytes(std::move(remainder.undeclared)), spans.end, spans.finished);
}

}  // namespace

void bind_lhe(py::module_& m) {
    m.def(
        "event_fault",
        [](const py::dict& columns, double on_shell) -> py::object {
            const auto events = Columns(columns).records();
            std::optional<EventFault> fault;
            {
                py::gil_scoped_release release;  // pure C++ from here on
                fault = first_fault(events, on_shell);
            }
            if (!fault) return py::none();
            return py::make_tuple(fault->event, fault->rule, fault->particle);
        },
        py::arg("columns"), py::arg("on_shell"),
        "The first event that a shower cannot use, the rule it breaks and the particle; or None.");
    py::register_exception<LheError>(m, "LheError", PyExc_ValueError);
    m.def("lhe_events", &lhe_events, py::arg("text"), py::arg("weights"), py::arg("listed"),
          py::arg("before"), py::arg("most_rows"), py::arg("most_events"),
          "Columns of the first whole <event> elements in a piece of a file, what they have no "
          "room for in words, weights beside the given ones, where the rest begins, and whether it "
          "begins with </LesHouchesEvents>; `before` events precede the piece, and `listed` are "
          "the columns of the numbers in <weights>, -1 for none.");
    m.def(
        "lhe_text",
        [](const py::dict& columns, const std::vector<std::string>& weight_tags) {
            const auto events = Columns(columns).records();
            if (weight_tags.size() != events.variations) {
                throw py::value_error("weight_tags: expected " + std::to_string(events.variations) +
                                      "; got " + std::to_string(weight_tags.size()));
            }
            std::vector<std::string> pieces;
            {
                py::gil_scoped_release release;  // pure C++ from here on
                pieces = lhe_text(events, weight_tags);
            }
            return as_bytes(std::move(pieces));
        },
        py::arg("columns"), py::arg("weight_tags"),
        "The <event> elements of a Les Houches file, as a list of bytes.");
}

}  // namespace madnis::bindings

#include <pybind11/stl.h>

#include <algorithm>
#include <deque>
#include <numeric>
#include <optional>
#include <tuple>

#include "flows/coupling.hpp"
#include "flows/event_ranges.hpp"
#include "runtime/arrays.hpp"
#include "runtime/image.hpp"

namespace madnis::bindings {
namespace {

const CouplingKernels<float>& coupling_kernels(float) { return coupling_float32(); }
const CouplingKernels<double>& coupling_kernels(double) { return coupling_float64(); }

// Owns what the descriptions of the blocks point to.
template <class Number>
class CouplingFlow {
public:
    // Features to transform, and inputs and outputs of the layers of the subnetwork.
    using Layers = std::vector<std::pair<std::size_t, std::size_t>>;
    using Block = std::pair<std::vector<std::size_t>, Layers>;
    using Addresses = std::vector<std::uintptr_t>;

    CouplingFlow(std::size_t dim, std::size_t n_channels, std::size_t bins, double min_bin_size,
                 std::pair<double, double> derivative_range, const std::vector<Block>& blocks)
        : spec_{nullptr, 0, dim, n_channels, 0, 0, {bins, min_bin_size, {}}} {
        std::tie(spec_.spline.derivative_range[0], spec_.spline.derivative_range[1]) =
            derivative_range;
        for (const auto& [transformed, layers] : blocks) add(transformed, layers);
        spec_.blocks = blocks_.data();
        spec_.n_blocks = blocks_.size();
        spec_.widest = (spec_.widest + 63) / 64 * 64;
    }

    CouplingFlow(const CouplingFlow&) = delete;

    py::bytes image(std::uintptr_t address) const {
        return image_of<CouplingSpec>(address, [this](Image& image) {
            auto blocks = blocks_;
            for (auto& block : blocks) {
                block.transformed = image.put(block.transformed, block.n_transformed);
                block.fixed = image.put(block.fixed, block.n_fixed);
                block.layers = image.put(block.layers, block.n_layers);
            }
            CouplingSpec spec = spec_;
            spec.blocks = image.put(blocks.data(), blocks.size());
            return spec;
        });
    }

    std::size_t n_blocks() const { return spec_.n_blocks; }
    std::size_t n_parameters() const { return spec_.n_parameters; }

    // Of the memory of a block of threads of a GPU, see cuda/flows.cu.
    std::size_t transform_rows() const {
        return most_rows([this](const CouplingBlockSpec& block) {
            return 2 * rows_of_layer(block, spec_.spline);
        });
    }

    std::size_t backward_rows() const {
        return most_rows([this](const CouplingBlockSpec& block) {
            return rows_of_inputs(block) + 2 * rows_of_layer(block, spec_.spline);
        });
    }

    py::tuple forward(const Addresses& parameters, const std::vector<std::int64_t>& counts,
                      const py::array& x) const {
        return transform(coupling_kernels(Number()).forward, parameters, counts, x);
    }

    py::tuple inverse(const Addresses& parameters, const std::vector<std::int64_t>& counts,
                      const py::array& z) const {
        return transform(coupling_kernels(Number()).inverse, parameters, counts, z);
    }

    py::tuple backward(const Addresses& parameters, const std::vector<std::int64_t>& counts,
                       const py::array& x, const std::optional<py::array>& grad_z,
                       const py::array& grad_log_jac) const {
        const auto batch = features(x, "x");
        const auto ranges = checked_ranges(parameters, counts, batch.count);
        ConstBatch gz{nullptr, batch.count, spec_.dim, 1, batch.count};
        if (grad_z) gz.data = contiguous<double>(*grad_z, "grad_z", {spec_.dim, batch.count});
        const double* gl = scalars(grad_log_jac, "grad_log_jac", batch.count);
        auto grad_x = new_features(batch.count);
        py::array_t<Number> gradient(py::ssize_t(spec_.n_channels * spec_.n_parameters));
        auto* sums = gradient.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            coupling_kernels(Number()).backward(spec_, typed_addresses(parameters), view(ranges),
                                                batch, gz, gl, grad_x.view, sums);
        }
        return py::make_tuple(std::move(grad_x.array), std::move(gradient));
    }

private:
    template <class Rows>
    std::size_t most_rows(const Rows& rows) const {
        std::size_t most = 0;
        for (const auto& block : blocks_) most = std::max(most, rows(block));
        return most;
    }

    template <class Kernel>
    py::tuple transform(Kernel kernel, const Addresses& parameters,
                        const std::vector<std::int64_t>& counts, const py::array& in) const {
        const auto batch = features(in, "x");
        const auto ranges = checked_ranges(parameters, counts, batch.count);
        auto out = new_features(batch.count);
        py::array_t<double> log_jac(py::ssize_t(batch.count));
        auto* data = log_jac.mutable_data();
        {
            py::gil_scoped_release release;  // pure C++ inside
            kernel(spec_, typed_addresses(parameters), view(ranges), batch, out.view, data);
        }
        return py::make_tuple(std::move(out.array), std::move(log_jac));
    }

    // Points, features first: float64 (dim, n), C-contiguous.
    ConstBatch features(const py::array& array, const char* name) const {
        if (array.ndim() != 2) {
            fail(name, "float64 (" + std::to_string(spec_.dim) + ", n), C-contiguous", array);
        }
        const auto count = std::size_t(array.shape(1));
        return {contiguous<double>(array, name, {spec_.dim, count}), count, spec_.dim, 1, count};
    }

    OutputPoints new_features(std::size_t count) const {
        py::array_t<double> array({spec_.dim, count});
        return {array, {array.mutable_data(), count, spec_.dim, 1, count}};
    }

    void add(const std::vector<std::size_t>& transformed, const Layers& layers) {
        auto& chosen = features_.emplace_back(transformed);
        auto& others = features_.emplace_back();
        for (std::size_t i = 0; i < spec_.dim; ++i) {
            if (std::find(transformed.begin(), transformed.end(), i) == transformed.end()) {
                others.push_back(i);
            }
        }
        auto& specs = layers_.emplace_back();
        std::size_t row = 0;
        for (const auto& [n_in, n_out] : layers) {
            specs.push_back({n_in, n_out, row, {}, {}});
            spec_.widest = std::max(spec_.widest, n_in);
            row += n_in;
        }
        for (auto& layer : specs) layer.weight = place(layer.n_in * layer.n_out);
        for (auto& layer : specs) layer.bias = place(layer.n_out);
        const std::size_t outputs = (3 * spec_.spline.bins + 1) * transformed.size();
        if (layers.empty() || layers.front().first != others.size() ||
            layers.back().second != outputs) {
            throw py::value_error("blocks: expected layers from " + std::to_string(others.size()) +
                                  " inputs to " + std::to_string(outputs) + " outputs");
        }
        blocks_.push_back({chosen.data(), others.data(), chosen.size(), others.size(), specs.data(),
                           specs.size(), row + outputs});
    }

    // The next array of parameters.
    ParameterSpec place(std::size_t size) {
        const ParameterSpec result{n_arrays_++, spec_.n_parameters, size};
        spec_.n_parameters += size;
        return result;
    }

    std::vector<EventRange> checked_ranges(const Addresses& parameters,
                                           const std::vector<std::int64_t>& counts,
                                           std::size_t events) const {
        const auto total = std::accumulate(counts.begin(), counts.end(), std::int64_t(0));
        const bool negative =
            std::any_of(counts.begin(), counts.end(), [](auto count) { return count < 0; });
        if (counts.size() != spec_.n_channels || negative || std::size_t(total) != events) {
            throw py::value_error("counts: expected " + std::to_string(spec_.n_channels) +
                                  " numbers that are not negative, of sum " +
                                  std::to_string(events));
        }
        if (parameters.size() != n_arrays_) {
            throw py::value_error("parameters: expected " + std::to_string(n_arrays_) +
                                  " addresses; got " + std::to_string(parameters.size()));
        }
        return event_ranges(counts);
    }

    static const Number* const* typed_addresses(const Addresses& parameters) {
        return reinterpret_cast<const Number* const*>(parameters.data());
    }

    static EventRanges view(const std::vector<EventRange>& ranges) {
        std::size_t partials = 0;
        for (const auto& range : ranges) partials = std::max(partials, range.partial);
        return {ranges.data(), ranges.size(), partials};
    }

    CouplingSpec spec_;
    std::size_t n_arrays_ = 0;
    std::deque<std::vector<std::size_t>> features_;
    std::deque<std::vector<LayerSpec>> layers_;
    std::vector<CouplingBlockSpec> blocks_;
};

template <class Number>
void bind_flow(py::module_& m, const char* name) {
    using Flow = CouplingFlow<Number>;
    py::class_<Flow>(
        m, name,
        "Coupling blocks of rational-quadratic splines, in the order from data x to latent z.")
        .def(py::init<std::size_t, std::size_t, std::size_t, double, std::pair<double, double>,
                      const std::vector<typename Flow::Block>&>(),
             py::arg("dim"), py::arg("n_channels"), py::arg("bins"), py::arg("min_bin_size"),
             py::arg("derivative_range"), py::arg("blocks"))
        .def("forward", &Flow::forward, py::arg("parameters"), py::arg("counts"), py::arg("x"),
             "z, float64 (dim, n), and log |dz/dx|, float64 (n,).")
        .def("inverse", &Flow::inverse, py::arg("parameters"), py::arg("counts"), py::arg("z"),
             "x, float64 (dim, n), and log |dx/dz|, float64 (n,).")
        .def("backward", &Flow::backward, py::arg("parameters"), py::arg("counts"), py::arg("x"),
             py::arg("grad_z"), py::arg("grad_log_jac"),
             "Gradients with respect to x, float64 (dim, n), and to all weights and biases in one "
             "array.")
        .def("image", &Flow::image, py::arg("address"),
             "Bytes of the description, with pointers as if it lay at the address.")
        .def_property_readonly("n_blocks", &Flow::n_blocks, "Number of blocks.")
        .def_property_readonly("n_parameters", &Flow::n_parameters, "Parameters of one channel.")
        .def_property_readonly("transform_rows", &Flow::transform_rows,
                               "Numbers of a point that a device keeps on the way to z or x.")
        .def_property_readonly("backward_rows", &Flow::backward_rows,
                               "Numbers of a point that a device keeps in the backward direction.");
}

}  // namespace

void bind_coupling(py::module_& m) {
    bind_flow<float>(m, "CouplingFlow32");
    bind_flow<double>(m, "CouplingFlow64");
    m.attr("TILE_NUMBERS") = tile_numbers;
}

}  // namespace madnis::bindings

// The arrays of a tape by name, and what the kernels run, made of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "amplitudes/tape.hpp"
#include "runtime/image.hpp"

namespace madnis {

// Tables of rows are int32 (n, columns). A missing array, or half a row, is std::invalid_argument.
class TapeArrays {
public:
    void set(const std::string& name, std::vector<double> values) {
        numbers_[name] = std::move(values);
    }
    void set(const std::string& name, std::vector<std::int32_t> values) {
        integers_[name] = std::move(values);
    }

    const std::vector<double>& numbers(const std::string& name) const;
    const std::vector<std::int32_t>& integers(const std::string& name) const;

private:
    std::map<std::string, std::vector<std::int32_t>> integers_;
    std::map<std::string, std::vector<double>> numbers_;
};

// Views of the arrays, which have to live as long.
AmplitudeSpec amplitude_spec(const TapeArrays& arrays, double average);
DiagramSquaresSpec diagram_squares_spec(const TapeArrays& arrays);

// Descriptions whose views are of copies of the arrays in an image.
AmplitudeSpec relocated(AmplitudeSpec spec, const TapeArrays& arrays, Image& image);
DiagramSquaresSpec relocated(DiagramSquaresSpec spec, const TapeArrays& arrays, Image& image);

}  // namespace madnis

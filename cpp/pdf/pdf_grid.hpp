// Parton densities on a grid and the table of alpha_s: the arrays behind their descriptions.
#pragma once

#include <cstddef>
#include <vector>

#include "pdf/pdf_specs.hpp"

namespace madnis {

class LogAxis {
public:
    explicit LogAxis(std::vector<double> knots);

    LogAxisSpec spec() const { return {knots.data(), intervals.data(), knots.size()}; }

    std::vector<double> knots;
    std::vector<CubicInterval> intervals;
};

class PdfGrid {
public:
    // values: (x knots, Q^2 knots, flavours) in C order; minimum: results below it are raised to
    // it.
    PdfGrid(std::vector<double> x_knots, std::vector<double> q2_knots, std::size_t flavours,
            const double* values, double minimum);

    PdfGridSpec spec() const {
        return {x_.spec(), q2_.spec(), flavours_, stride_, minimum_, values_.data()};
    }

private:
    LogAxis x_, q2_;
    std::size_t flavours_, stride_;
    double minimum_;
    std::vector<double> values_;
};

class AlphaSTable {
public:
    AlphaSTable(std::vector<double> q2_knots, const double* values);

    AlphaSSpec spec() const { return {q2_.spec(), values_.data(), power_below_}; }

private:
    LogAxis q2_;
    std::vector<double> values_;
    double power_below_;
};

}  // namespace madnis

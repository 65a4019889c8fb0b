// What an exported library carries behind its own end: the tape of one process.
//
// The file ends with the records, their size (uint64) and the eight characters of `cargo_mark`. A
// record is the size of its name, its kind (0 int32, 1 float64, 2 text) and the count of its
// values, all uint64, then name and values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amplitudes/tape_arrays.hpp"

namespace madnis {

inline constexpr char cargo_mark[] = "madnis01";

struct Cargo {
    TapeArrays amplitude_arrays, square_arrays;
    AmplitudeSpec amplitude;
    DiagramSquaresSpec squares;
    std::vector<double> masses;  // of the particles in GeV
    std::int32_t flavours;       // how many combinations share the matrix element
    std::string fingerprint;
};

// The cargo of a file; std::runtime_error where there is none.
std::unique_ptr<const Cargo> read_cargo(const std::string& path);

}  // namespace madnis

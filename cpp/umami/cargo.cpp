#include "umami/cargo.hpp"

#include <cstring>
#include <fstream>
#include <stdexcept>

namespace madnis {
namespace {

constexpr std::size_t mark_size = sizeof(cargo_mark) - 1;

[[noreturn]] void damaged() {
    throw std::runtime_error("expected a tape at the end of the library; got none");
}

std::vector<char> records_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::uint64_t total = file ? std::uint64_t(file.tellg()) : 0;
    char end[sizeof(std::uint64_t) + mark_size];
    if (total < sizeof(end)) damaged();
    file.seekg(std::streamoff(total - sizeof(end)));
    file.read(end, sizeof(end));
    std::uint64_t size;
    std::memcpy(&size, end, sizeof(size));
    if (!file || std::memcmp(end + sizeof(size), cargo_mark, mark_size) != 0 ||
        size > total - sizeof(end)) {
        damaged();
    }
    std::vector<char> records(size);
    file.seekg(std::streamoff(total - sizeof(end) - size));
    file.read(records.data(), std::streamsize(size));
    if (!file) damaged();
    return records;
}

class Reader {
public:
    explicit Reader(const std::vector<char>& bytes)
        : next_(bytes.data()), end_(next_ + bytes.size()) {}

    bool done() const { return next_ == end_; }
    std::uint64_t number() { return values<std::uint64_t>(1)[0]; }

    template <class Value>
    std::vector<Value> values(std::uint64_t count) {
        if (count > std::uint64_t(end_ - next_) / sizeof(Value)) damaged();
        std::vector<Value> result(count);
        if (count > 0) std::memcpy(result.data(), next_, count * sizeof(Value));
        next_ += count * sizeof(Value);
        return result;
    }

    std::string text(std::uint64_t size) {
        const auto characters = values<char>(size);
        return {characters.begin(), characters.end()};
    }

private:
    const char *next_, *end_;
};

// "amplitude.nodes" belongs to one tape, "squares.nodes" to the other, "masses" to neither.
struct Place {
    TapeArrays& arrays;
    std::string name;
};

Place place_of(const std::string& name, Cargo& cargo, TapeArrays& others) {
    const auto dot = name.find('.');
    const auto first = name.substr(0, dot == std::string::npos ? 0 : dot);
    if (first == "amplitude") return {cargo.amplitude_arrays, name.substr(dot + 1)};
    if (first == "squares") return {cargo.square_arrays, name.substr(dot + 1)};
    return {others, name};
}

}  // namespace

std::unique_ptr<const Cargo> read_cargo(const std::string& path) {
    const auto bytes = records_of(path);
    auto cargo = std::make_unique<Cargo>();
    TapeArrays others;
    for (Reader reader(bytes); !reader.done();) {
        const auto name_size = reader.number(), kind = reader.number(), count = reader.number();
        const auto place = place_of(reader.text(name_size), *cargo, others);
        if (kind == 0) {
            place.arrays.set(place.name, reader.values<std::int32_t>(count));
        } else if (kind == 1) {
            place.arrays.set(place.name, reader.values<double>(count));
        } else {
            cargo->fingerprint = reader.text(count);
        }
    }
    cargo->amplitude = amplitude_spec(cargo->amplitude_arrays, others.numbers("average").at(0));
    cargo->squares = diagram_squares_spec(cargo->square_arrays);
    cargo->masses = others.numbers("masses");
    cargo->flavours = others.integers("flavours").at(0);
    return cargo;
}

}  // namespace madnis

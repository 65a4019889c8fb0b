#include "madnis/lhe_text.hpp"

#include <charconv>
#include <string_view>

#include "madnis/batch.hpp"
#include "madnis/parallel.hpp"

namespace madnis {
namespace {

// Writes one event into memory that the caller made large enough.
class RecordWriter {
public:
    explicit RecordWriter(char* begin) : cursor_(begin) {}

    char* end() const { return cursor_; }

    void text(std::string_view piece) { cursor_ += piece.copy(cursor_, piece.size()); }

    void integer(std::int32_t value) {
        *cursor_++ = ' ';
        cursor_ = std::to_chars(cursor_, cursor_ + integer_width, value).ptr;
    }

    void real(double value) {
        *cursor_++ = ' ';
        cursor_ = std::to_chars(cursor_, cursor_ + real_width, value).ptr;
    }

    // "-2147483648" and "-2.2250738585072014e-308", each with the space before it.
    static constexpr std::size_t integer_width = 12, real_width = 25;

private:
    char* cursor_;
};

// NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP
void write_event_line(RecordWriter& out, const EventRecords& events, std::size_t event) {
    out.integer(std::int32_t(events.particles));
    out.integer(events.process_id[event]);
    out.real(events.weight[event]);
    out.real(events.scale[event]);
    out.real(events.alpha_qed[event]);
    out.real(events.alpha_s[event]);
    out.text("\n");
}

// IDUP ISTUP MOTHUP(2) ICOLUP(2) PUP(5) = (px, py, pz, E, m) VTIMUP SPINUP; particles decay where they are made.
void write_particle_line(RecordWriter& out, const EventRecords& events, std::size_t particle) {
    out.integer(events.pdg[particle]);
    out.integer(events.status[particle]);
    out.integer(events.mothers[2 * particle]);
    out.integer(events.mothers[2 * particle + 1]);
    out.integer(events.colour[2 * particle]);
    out.integer(events.colour[2 * particle + 1]);
    const double* p = events.momenta + 4 * particle;
    out.real(p[1]);
    out.real(p[2]);
    out.real(p[3]);
    out.real(p[0]);
    out.real(events.mass[particle]);
    out.real(0.0);
    out.real(events.spin[particle]);
    out.text("\n");
}

void write_event(RecordWriter& out, const EventRecords& events, std::size_t event) {
    out.text("<event>\n");
    write_event_line(out, events, event);
    for (std::size_t k = 0; k < events.particles; ++k) write_particle_line(out, events, event * events.particles + k);
    out.text("</event>\n");
}

std::size_t largest_event(std::size_t particles) {
    constexpr std::size_t tags = 32, numbers = 6 * RecordWriter::integer_width + 7 * RecordWriter::real_width + 1;
    return tags + (particles + 1) * numbers;
}

std::string block_text(const EventRecords& events, std::size_t begin, std::size_t end) {
    std::vector<char> scratch(largest_event(events.particles));
    std::string text;
    text.reserve((end - begin) * (scratch.size() / 2));
    for (std::size_t event = begin; event < end; ++event) {
        RecordWriter out(scratch.data());
        write_event(out, events, event);
        text.append(scratch.data(), std::size_t(out.end() - scratch.data()));
    }
    return text;
}

}  // namespace

std::vector<std::string> lhe_text(const EventRecords& events) {
    std::vector<std::string> blocks((events.count + block_size - 1) / block_size);
    parallel_for(events.count, [&](std::size_t begin, std::size_t end) {
        blocks[begin / block_size] = block_text(events, begin, end);
    });
    return blocks;
}

}  // namespace madnis

#include "events/lhe_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "runtime/parallel.hpp"

namespace madnis {
namespace {

// Events per piece: half a megabyte of text, so that many threads have something to do in a batch
// of bounded memory.
constexpr std::size_t piece_size = 512;

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
        bare_real(value);
    }

    void bare_real(double value) {
        // Small integers, masses and spins among them, look the same and take a fraction of the
        // time.
        const auto whole = std::abs(value) < 1e5 ? std::int32_t(value) : 0;
        if (whole != 0 && whole == value) {
            cursor_ = std::to_chars(cursor_, cursor_ + real_width, whole).ptr;
        } else if (value == 0.0 && !std::signbit(value)) {
            *cursor_++ = '0';
        } else {
            cursor_ = std::to_chars(cursor_, cursor_ + real_width, value).ptr;
        }
    }

    // "-2147483648" and "-2.2250738585072014e-308", each with the space before it.
    static constexpr std::size_t integer_width = 12, real_width = 25;

private:
    char* cursor_;
};

// NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP
void write_event_line(RecordWriter& out, const EventRecords& events, std::size_t event,
                      std::size_t particles) {
    out.integer(std::int32_t(particles));
    out.integer(events.process_id[event]);
    out.real(events.weight[event]);
    out.real(events.scale[event]);
    out.real(events.alpha_qed[event]);
    out.real(events.alpha_s[event]);
    out.text("\n");
}

// IDUP ISTUP MOTHUP(2) ICOLUP(2) PUP(5) = (px, py, pz, E, m) VTIMUP SPINUP
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
    out.real(events.lifetime[particle]);
    out.real(events.spin[particle]);
    out.text("\n");
}

// With the kT of jets, as MadEvent names them: the number of the particle behind pt_clust_.
void write_scales(RecordWriter& out, const EventRecords& events, std::size_t event,
                  std::size_t particles) {
    out.text("<scales muf=\"");
    out.bare_real(events.factorization_scale[event]);
    out.text("\" mur=\"");
    out.bare_real(events.renormalization_scale[event]);
    out.text("\" mups=\"");
    out.bare_real(events.scale[event]);
    if (events.jet_kt) {
        for (std::size_t k = 0; k < particles; ++k) {
            const double kt = events.jet_kt[event * events.rows + k];
            if (!(kt > 0.)) continue;
            out.text("\" pt_clust_" + std::to_string(k + 1) + "=\"");
            out.bare_real(kt);
        }
    }
    out.text("\"/>\n");
}

void write_variations(RecordWriter& out, const double* variation,
                      const std::vector<std::string>& tags) {
    if (std::all_of(variation, variation + tags.size(),
                    [](double one) { return std::isnan(one); })) {
        return;
    }
    out.text("<rwgt>\n");
    for (std::size_t k = 0; k < tags.size(); ++k) {
        if (std::isnan(variation[k])) continue;  // the event has no such weight
        out.text(tags[k]);
        out.bare_real(variation[k]);
        out.text(" </wgt>\n");
    }
    out.text("</rwgt>\n");
}

void write_event(RecordWriter& out, const EventRecords& events, std::size_t event,
                 const std::vector<std::string>& tags) {
    const auto particles = particle_count(events, event);
    if (events.n_jets && events.n_jets[event] >= 0) {
        out.text("<event npLO=\"" + std::to_string(events.n_jets[event]) + "\" npNLO=\"-1\">\n");
    } else {
        out.text("<event>\n");
    }
    write_event_line(out, events, event, particles);
    for (std::size_t k = 0; k < particles; ++k) {
        write_particle_line(out, events, event * events.rows + k);
    }
    write_scales(out, events, event, particles);
    write_variations(out, events.variation + event * events.variations, tags);
    out.text("</event>\n");
}

std::size_t largest_event(std::size_t rows, const std::vector<std::string>& tags) {
    constexpr std::size_t markup = 128;
    constexpr std::size_t numbers =
        6 * RecordWriter::integer_width + 7 * RecordWriter::real_width + 1;
    std::size_t size = markup + (rows + 2) * numbers;
    for (const auto& tag : tags) {
        size += tag.size() + RecordWriter::real_width + std::string_view(" </wgt>\n").size();
    }
    return size;
}

std::string piece_text(const EventRecords& events, std::size_t begin, std::size_t end,
                       const std::vector<std::string>& tags) {
    std::vector<char> scratch(largest_event(events.rows, tags));
    std::string text;
    text.reserve((end - begin) * (scratch.size() / 2));
    for (std::size_t event = begin; event < end; ++event) {
        RecordWriter out(scratch.data());
        write_event(out, events, event, tags);
        text.append(scratch.data(), std::size_t(out.end() - scratch.data()));
    }
    return text;
}

}  // namespace

std::vector<std::string> lhe_text(const EventRecords& events,
                                  const std::vector<std::string>& weight_tags) {
    std::vector<std::string> pieces((events.count + piece_size - 1) / piece_size);
    parallel_for(
        events.count,
        [&](std::size_t begin, std::size_t end) {
            pieces[begin / piece_size] = piece_text(events, begin, end, weight_tags);
        },
        piece_size);
    return pieces;
}

}  // namespace madnis

#include "madnis/lhe_events.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "madnis/parallel.hpp"

namespace madnis {
namespace {

constexpr std::size_t piece_size = 512;    // events per task
constexpr std::size_t shortest_line = 26;  // characters of 13 numbers

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool ends_name(char c) { return is_space(c) || c == '>' || c == '/'; }

std::string quoted(std::string_view text) { return "'" + std::string(text.substr(0, 40)) + "'"; }

std::string in_event(std::size_t event, const std::string& what) {
    return "event " + std::to_string(event + 1) + ": " + what;
}

// Goes through the text of one event.
class Cursor {
public:
    explicit Cursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

    // The next thing that is neither white space nor a comment line.
    void skip() {
        while (at_ < end_ && (is_space(*at_) || *at_ == '#')) {
            if (*at_ == '#') {
                comments_ = true;
                while (at_ < end_ && *at_ != '\n') ++at_;
            } else {
                ++at_;
            }
        }
    }

    bool at_end() const { return at_ == end_; }
    bool at_tag() const { return at_ < end_ && *at_ == '<'; }
    bool comments() const { return comments_; }
    std::string_view rest() const { return {at_, std::size_t(end_ - at_)}; }
    void advance(std::size_t count) { at_ += count; }

    template <class Number>
    Number number(const char* what) {
        skip();
        const char* begin = at_ + (at_ < end_ && *at_ == '+');
        Number value{};
        auto [stop, error] = std::from_chars(begin, end_, value);
        if (error == std::errc::result_out_of_range) value = beyond_range<Number>(begin, stop);
        const bool whole = stop > begin && (stop == end_ || is_space(*stop) || *stop == '<');
        if (!whole || (error != std::errc() && error != std::errc::result_out_of_range)) {
            throw LheError(std::string("expected ") + what + "; got " + found());
        }
        at_ = stop;
        return value;
    }

    // What comes before the next white space or tag, for messages.
    std::string found() const {
        const char* stop = at_;
        while (stop < end_ && !is_space(*stop) && *stop != '<') ++stop;
        return stop == at_ ? "no more numbers" : quoted({at_, std::size_t(stop - at_)});
    }

    // Past the given text, which must be there.
    std::string_view until(std::string_view mark, const char* what) {
        const auto where = rest().find(mark);
        if (where == std::string_view::npos) throw LheError(std::string("expected ") + what + "; got " + quoted(rest()));
        const auto before = rest().substr(0, where);
        at_ += where + mark.size();
        return before;
    }

private:
    template <class Number>
    static Number beyond_range(const char* begin, const char* stop) {
        if constexpr (std::is_integral_v<Number>) {
            throw LheError("expected an integer of 32 bits; got " + quoted({begin, std::size_t(stop - begin)}));
        } else {
            return std::strtod(std::string(begin, stop).c_str(), nullptr);  // infinite or next to zero
        }
    }

    const char *at_, *end_;
    bool comments_ = false;
};

// Calls use(name, value) for every attribute of a tag, "a='1' b=\"2\"".
template <class Use>
void for_attributes(std::string_view text, Use use) {
    while (true) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return;
        auto name = text.substr(0, equals);
        while (!name.empty() && is_space(name.front())) name.remove_prefix(1);
        while (!name.empty() && is_space(name.back())) name.remove_suffix(1);
        text.remove_prefix(equals + 1);
        std::size_t open = 0;
        while (open < text.size() && is_space(text[open])) ++open;
        if (open == text.size() || (text[open] != '"' && text[open] != '\'')) {
            throw LheError("expected a quoted value of " + quoted(name));
        }
        const auto close = text.find(text[open], open + 1);
        if (close == std::string_view::npos) throw LheError("expected the end of the value of " + quoted(name));
        use(name, text.substr(open + 1, close - open - 1));
        text.remove_prefix(close + 1);
    }
}

std::string unescaped(std::string_view text) {
    static constexpr std::pair<std::string_view, char> entities[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
    std::string result;
    while (!text.empty()) {
        char next = text.front();
        std::size_t size = 1;
        for (const auto& [entity, character] : entities) {
            if (!text.starts_with(entity)) continue;
            next = character;
            size = entity.size();
        }
        result += next;
        text.remove_prefix(size);
    }
    return result;
}

// Positions of the variations by their identifiers.
class WeightIndex {
public:
    explicit WeightIndex(const std::vector<std::string>& weights) : weights_(weights) {
        for (std::size_t k = 0; k < weights.size(); ++k) index_.emplace(weights[k], k);
    }

    std::size_t size() const { return weights_.size(); }

    // Mostly the one that is expected next.
    std::size_t find(std::string_view identifier, std::size_t next) const {
        if (next < weights_.size() && weights_[next] == identifier) return next;
        const auto found = index_.find(unescaped(identifier));
        if (found != index_.end()) return found->second;
        throw LheError("expected a weight of <initrwgt>; got " + quoted(identifier));
    }

private:
    const std::vector<std::string>& weights_;
    std::unordered_map<std::string, std::size_t> index_;
};

// Reads one event after the other; remembers what there is no column for.
class EventReader {
public:
    EventReader(const EventColumns& columns, const WeightIndex& weights)
        : columns_(columns), weights_(weights), seen_(weights.size()) {}

    const std::set<std::string>& left_out() const { return left_out_; }

    void read(std::size_t event, std::string_view text) {
        const auto open = text.find('>');
        if (text.substr(0, open).find('=') != std::string_view::npos) leave_out("attributes of <event>");
        Cursor cursor(text.substr(open + 1));
        const auto particles = read_event_line(event, cursor);
        for (std::size_t k = 0; k < particles; ++k) read_particle_line(event * columns_.rows + k, cursor);
        found_weights_ = 0;
        seen_.assign(seen_.size(), false);
        for (cursor.skip(); !cursor.at_end(); cursor.skip()) read_element(event, cursor, particles);
        if (found_weights_ != weights_.size()) {
            throw LheError("expected " + std::to_string(weights_.size()) + " weights, as <initrwgt> declares; got " +
                           std::to_string(found_weights_));
        }
        if (cursor.comments()) leave_out("comments in events");
    }

private:
    void leave_out(const std::string& what) { left_out_.insert(what); }

    // NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP; the scales are SCALUP unless <scales> says otherwise.
    std::size_t read_event_line(std::size_t event, Cursor& cursor) {
        const auto particles = cursor.number<std::int32_t>("the number of particles");
        columns_.process_id[event] = cursor.number<std::int32_t>("the number of the process");
        columns_.weight[event] = cursor.number<double>("the weight of the event");
        const double scale = cursor.number<double>("the scale of the event");
        columns_.scale[event] = columns_.factorization_scale[event] = columns_.renormalization_scale[event] = scale;
        columns_.alpha_qed[event] = cursor.number<double>("alpha_QED");
        columns_.alpha_s[event] = cursor.number<double>("alpha_s");
        return std::size_t(particles);
    }

    // IDUP ISTUP MOTHUP(2) ICOLUP(2) PUP(5) = (px, py, pz, E, m) VTIMUP SPINUP
    void read_particle_line(std::size_t row, Cursor& cursor) {
        columns_.pdg[row] = cursor.number<std::int32_t>("a particle");
        columns_.status[row] = cursor.number<std::int32_t>("the status of a particle");
        if (columns_.status[row] == 0) throw LheError("expected particles with a status other than 0");
        for (auto* pair : {columns_.mothers, columns_.colour}) {
            for (std::size_t i = 0; i < 2; ++i) {
                pair[2 * row + i] = cursor.number<std::int32_t>("mothers and colours of a particle");
            }
        }
        for (const std::size_t component : {1, 2, 3, 0}) {
            columns_.momenta[4 * row + component] = cursor.number<double>("the momentum of a particle");
        }
        columns_.mass[row] = cursor.number<double>("the mass of a particle");
        columns_.lifetime[row] = cursor.number<double>("the lifetime of a particle");
        columns_.spin[row] = cursor.number<double>("the spin of a particle");
    }

    void read_element(std::size_t event, Cursor& cursor, std::size_t particles) {
        if (!cursor.at_tag()) {
            throw LheError("expected " + std::to_string(particles) + " particles of 13 numbers; got more: " +
                           cursor.found());
        }
        if (cursor.rest().starts_with("<!--")) {
            cursor.until("-->", "the end of a comment");
            return leave_out("comments in events");
        }
        cursor.advance(1);
        auto tag = cursor.until(">", "the end of a tag");
        const bool empty = tag.ends_with('/');
        if (empty) tag.remove_suffix(1);
        std::size_t length = 0;
        while (length < tag.size() && !ends_name(tag[length])) ++length;
        const std::string name(tag.substr(0, length));
        const auto content = empty ? std::string_view() : cursor.until("</" + name, "the end of an element");
        if (!empty) cursor.until(">", "the end of a tag");
        if (name == "scales") return read_scales(event, tag.substr(length));
        if (name == "rwgt") return read_named_weights(event, Cursor(content));
        if (name == "weights") return read_weights(event, Cursor(content));
        leave_out("<" + name + ">");
    }

    void read_scales(std::size_t event, std::string_view attributes) {
        for_attributes(attributes, [&](std::string_view name, std::string_view value) {
            if (name == "muf") {
                columns_.factorization_scale[event] = Cursor(value).number<double>("the factorisation scale");
            } else if (name == "mur") {
                columns_.renormalization_scale[event] = Cursor(value).number<double>("the renormalisation scale");
            } else if (name != "mups") {
                leave_out("other attributes of <scales>");
            }
        });
    }

    void read_named_weights(std::size_t event, Cursor cursor) {
        for (cursor.skip(); !cursor.at_end(); cursor.skip()) {
            const auto tag = cursor.until(">", "<wgt id='...'> in <rwgt>");
            std::optional<std::string_view> identifier;
            if (tag.starts_with("<wgt")) {
                for_attributes(tag.substr(4), [&](std::string_view name, std::string_view value) {
                    if (name == "id") identifier = value;
                });
            }
            if (!identifier) throw LheError("expected <wgt id='...'> in <rwgt>; got " + quoted(tag));
            const auto index = weights_.find(*identifier, found_weights_);
            set_weight(event, index, cursor.number<double>("the value of a weight"));
            cursor.until("</wgt>", "</wgt>");
        }
    }

    void read_weights(std::size_t event, Cursor cursor) {
        for (cursor.skip(); !cursor.at_end(); cursor.skip()) {
            if (found_weights_ == weights_.size()) {
                throw LheError("expected " + std::to_string(weights_.size()) + " weights, as <initrwgt> declares; got more");
            }
            set_weight(event, found_weights_, cursor.number<double>("the value of a weight"));
        }
    }

    void set_weight(std::size_t event, std::size_t index, double value) {
        if (seen_[index]) throw LheError("expected every weight once; got one again");
        seen_[index] = true;
        ++found_weights_;
        columns_.variation[event * columns_.variations + index] = value;
    }

    const EventColumns& columns_;
    const WeightIndex& weights_;
    std::vector<bool> seen_;
    std::size_t found_weights_ = 0;
    std::set<std::string> left_out_;
};

// What an event says at its beginning of how many particles it has.
std::size_t announced_particles(std::string_view event) {
    Cursor cursor(event.substr(event.find('>') + 1));
    const auto particles = cursor.number<std::int32_t>("the number of particles");
    if (particles < 1 || std::size_t(particles) * shortest_line > event.size()) {
        throw LheError("expected a line of 13 numbers per particle; got too few for " + std::to_string(particles));
    }
    return std::size_t(particles);
}

// Collects what the tasks leave out, and the first of their errors.
class Outcome {
public:
    void add(const std::set<std::string>& left_out) {
        std::lock_guard lock(mutex_);
        left_out_.insert(left_out.begin(), left_out.end());
    }

    void fail(std::size_t event, const std::string& what) {
        std::lock_guard lock(mutex_);
        if (!error_ || event < error_->first) error_ = {event, what};
    }

    std::set<std::string> result(std::size_t before) const {
        if (error_) throw LheError(in_event(before + error_->first, error_->second));
        return left_out_;
    }

private:
    std::mutex mutex_;
    std::set<std::string> left_out_;
    std::optional<std::pair<std::size_t, std::string>> error_;
};

}  // namespace

EventSpans find_events(std::string_view text, std::size_t before) {
    constexpr std::string_view open = "<event", close = "</event>";
    EventSpans spans{.events = {}, .rows = 0, .end = 0};
    std::size_t at = 0;
    while ((at = text.find('<', at)) != std::string_view::npos) {
        const auto rest = text.substr(at);
        if (rest.starts_with("<!--")) {
            const auto end = rest.find("-->");
            if (end == std::string_view::npos) break;
            at += end + 3;
            continue;
        }
        if (!rest.starts_with(open) || rest.size() == open.size() || !ends_name(rest[open.size()])) {
            ++at;
            continue;
        }
        const auto end = rest.find(close);
        if (end == std::string_view::npos) break;
        const auto event = rest.substr(open.size(), end - open.size());
        try {
            spans.rows = std::max(spans.rows, announced_particles(event));
        } catch (const LheError& error) {
            throw LheError(in_event(before + spans.events.size(), error.what()));
        }
        spans.events.push_back(event);
        at += end + close.size();
        spans.end = at;
    }
    return spans;
}

std::set<std::string> read_events(const EventSpans& spans, const std::vector<std::string>& weights, std::size_t before,
                                  const EventColumns& columns) {
    const WeightIndex index(weights);
    Outcome outcome;
    parallel_for(
        spans.events.size(),
        [&](std::size_t begin, std::size_t end) {
            EventReader reader(columns, index);
            std::size_t event = begin;
            try {
                for (; event < end; ++event) reader.read(event, spans.events[event]);
            } catch (const LheError& error) {
                outcome.fail(event, error.what());
            }
            outcome.add(reader.left_out());
        },
        piece_size);
    return outcome.result(before);
}

}  // namespace madnis

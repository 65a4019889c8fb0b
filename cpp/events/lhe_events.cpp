#include "events/lhe_events.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "events/lhe_cursor.hpp"
#include "runtime/parallel.hpp"

namespace madnis {
namespace {

constexpr std::size_t piece_size = 512;    // events per task
constexpr std::size_t shortest_line = 26;  // characters of 13 numbers
constexpr std::size_t most_kinds = 32;     // things left out that are named
// Weights without a declaration that are named.
constexpr std::size_t most_undeclared = 1u << 16;

std::string in_event(std::size_t event, const std::string& what) {
    return "event " + std::to_string(event + 1) + ": " + what;
}

// Names in the order in which they came first.
class Names {
public:
    void add(const std::string& name) {
        if (ordered_.size() < most_undeclared && known_.insert(name).second) {
            ordered_.push_back(name);
        }
    }

    void add(const Names& others) {
        for (const auto& name : others.ordered_) add(name);
    }

    const std::vector<std::string>& ordered() const { return ordered_; }

private:
    std::vector<std::string> ordered_;
    std::unordered_set<std::string> known_;
};

// Positions of the variations by their identifiers.
class WeightIndex {
public:
    explicit WeightIndex(const Variations& variations)
        : weights_(variations.weights), listed_(variations.listed) {
        for (std::size_t k = 0; k < weights_.size(); ++k) index_.emplace(weights_[k], k);
    }

    std::size_t size() const { return weights_.size(); }

    // How many numbers <weights> may have, and the column of each; nothing if there is none.
    std::size_t listed() const { return listed_.size(); }
    std::optional<std::size_t> column(std::size_t number) const {
        return listed_[number] < 0 ? std::nullopt : std::optional(std::size_t(listed_[number]));
    }

    // Mostly the one that is expected next; nothing if there is none of this name, with or without
    // spaces around it.
    std::optional<std::size_t> find(std::string_view identifier, std::size_t next) const {
        if (next < weights_.size() && weights_[next] == identifier) return next;
        auto found = index_.find(unescaped(identifier));
        if (found == index_.end()) found = index_.find(unescaped(trimmed(identifier)));
        return found == index_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    const std::vector<std::string>& weights_;
    const std::vector<std::int32_t>& listed_;
    std::unordered_map<std::string, std::size_t> index_;
};

// Reads one event after the other; remembers what there is no column for.
class EventReader {
public:
    EventReader(const EventColumns& columns, const WeightIndex& weights)
        : columns_(columns), weights_(weights), seen_(weights.size()) {}

    const std::set<std::string>& left_out() const { return left_out_; }
    const Names& undeclared() const { return undeclared_; }

    void read(std::size_t event, std::string_view text) {
        const auto open = text.find('>');
        read_attributes(event, text.substr(0, open));
        Cursor cursor(text.substr(open + 1));
        const auto particles = read_event_line(event, cursor);
        for (std::size_t k = 0; k < particles; ++k) {
            read_particle_line(event * columns_.rows + k, cursor);
        }
        next_weight_ = 0;
        seen_.assign(seen_.size(), false);
        named_weights_ = false;
        listed_weights_.reset();
        for (cursor.skip(); !cursor.at_end(); cursor.skip()) read_element(event, cursor, particles);
        if (listed_weights_ && named_weights_) leave_out("<weights> beside <rwgt>");
        if (listed_weights_ && !named_weights_) read_weights(event, Cursor(*listed_weights_));
        if (cursor.comments()) leave_out("comments in events");
    }

private:
    void leave_out(const std::string& what) {
        left_out_.insert(left_out_.size() < most_kinds ? what : "more");
    }

    // npLO: how many jets the matrix element has beside its core; npNLO = -1: of lowest order.
    void read_attributes(std::size_t event, std::string_view tag) {
        const auto begin = tag.find_first_of(" \t\r\n");
        if (tag.find('=') == std::string_view::npos) return;
        if (begin == std::string_view::npos) return leave_out("attributes of <event>");
        for_attributes(tag.substr(begin), [&](std::string_view name, std::string_view value) {
            if (name == "npLO") {
                columns_.n_jets[event] =
                    Cursor(value).number<std::int32_t>("the number of jets, npLO");
            } else if (name != "npNLO" || trimmed(value) != "-1") {
                leave_out("attributes of <event>");
            }
        });
    }

    // kT of a jet by the number of its particle, or nothing.
    bool read_jet(std::size_t event, std::string_view name, std::string_view value) {
        static constexpr std::string_view prefix = "pt_clust_";
        if (!name.starts_with(prefix)) return false;
        const auto number = Cursor(name.substr(prefix.size())).number<std::int32_t>("a particle");
        if (number < 1 || std::size_t(number) > columns_.rows) return false;
        columns_.jet_kt[event * columns_.rows + std::size_t(number) - 1] =
            Cursor(value).number<double>("the kT of a jet");
        return true;
    }

    // NUP IDPRUP XWGTUP SCALUP AQEDUP AQCDUP; the scales are SCALUP unless <scales> says otherwise.
    std::size_t read_event_line(std::size_t event, Cursor& cursor) {
        const auto particles = cursor.number<std::int32_t>("the number of particles");
        columns_.process_id[event] = cursor.number<std::int32_t>("the number of the process");
        columns_.weight[event] = cursor.number<double>("the weight of the event");
        const double scale = cursor.number<double>("the scale of the event");
        columns_.scale[event] = columns_.factorization_scale[event] =
            columns_.renormalization_scale[event] = scale;
        columns_.alpha_qed[event] = cursor.number<double>("alpha_QED");
        columns_.alpha_s[event] = cursor.number<double>("alpha_s");
        return std::size_t(particles);
    }

    // IDUP ISTUP MOTHUP(2) ICOLUP(2) PUP(5) = (px, py, pz, E, m) VTIMUP SPINUP
    void read_particle_line(std::size_t row, Cursor& cursor) {
        columns_.pdg[row] = cursor.number<std::int32_t>("a particle");
        columns_.status[row] = cursor.number<std::int32_t>("the status of a particle");
        if (columns_.status[row] == 0) {
            throw LheError("expected particles with a status other than 0");
        }
        for (auto* pair : {columns_.mothers, columns_.colour}) {
            for (std::size_t i = 0; i < 2; ++i) {
                pair[2 * row + i] =
                    cursor.number<std::int32_t>("mothers and colours of a particle");
            }
        }
        for (const std::size_t component : {1, 2, 3, 0}) {
            columns_.momenta[4 * row + component] =
                cursor.number<double>("the momentum of a particle");
        }
        columns_.mass[row] = cursor.number<double>("the mass of a particle");
        columns_.lifetime[row] = cursor.number<double>("the lifetime of a particle");
        columns_.spin[row] = cursor.number<double>("the spin of a particle");
    }

    void read_element(std::size_t event, Cursor& cursor, std::size_t particles) {
        if (!cursor.at_tag()) {
            throw LheError("expected " + std::to_string(particles) +
                           " particles of 13 numbers; got more: " + cursor.found());
        }
        auto tag = cursor.tag();
        const bool empty = tag.ends_with('/');
        if (empty) tag.remove_suffix(1);
        const auto length =
            std::size_t(std::find_if(tag.begin(), tag.end(), ends_name) - tag.begin());
        const std::string name(tag.substr(0, length));
        if (name == "event") throw LheError("expected </event>; got another <event>");
        const auto content = empty ? std::string_view() : cursor.until_closed(name);
        if (name == "scales") return read_scales(event, tag.substr(length));
        if (name == "rwgt") return read_named_weights(event, Cursor(content));
        if (name == "weights") {
            if (listed_weights_) throw LheError("expected <weights> once; got it again");
            listed_weights_ = content;
            return;
        }
        leave_out(std::string("<").append(shown(name)).append(">"));
    }

    void read_scales(std::size_t event, std::string_view attributes) {
        for_attributes(attributes, [&](std::string_view name, std::string_view value) {
            if (name == "muf") {
                columns_.factorization_scale[event] =
                    Cursor(value).number<double>("the factorisation scale");
            } else if (name == "mur") {
                columns_.renormalization_scale[event] =
                    Cursor(value).number<double>("the renormalisation scale");
            } else if (name != "mups" && !read_jet(event, name, value)) {
                leave_out("other attributes of <scales>");
            }
        });
    }

    void read_named_weights(std::size_t event, Cursor cursor) {
        for (cursor.skip(); !cursor.at_end(); cursor.skip()) {
            named_weights_ = true;
            if (!cursor.at_tag()) {
                throw LheError("expected <wgt id='...'> in <rwgt>; got " + cursor.found());
            }
            const auto tag = cursor.tag();
            std::optional<std::string_view> identifier;
            if (tag.starts_with("wgt") && tag.size() > 3 && is_space(tag[3])) {
                for_attributes(tag.substr(3), [&](std::string_view name, std::string_view value) {
                    if (name == "id") identifier = value;
                });
            }
            if (!identifier) {
                throw LheError("expected <wgt id='...'> in <rwgt>; got " +
                               quoted(std::string("<").append(tag)));
            }
            const auto value = cursor.number<double>("the value of a weight");
            cursor.skip();
            if (!is_tag(cursor.rest(), "</wgt")) {
                throw LheError("expected </wgt>; got " + quoted(cursor.rest()));
            }
            cursor.tag();
            if (const auto index = weights_.find(*identifier, next_weight_)) {
                set_weight(event, *index, value);
            } else {
                undeclared_.add(unescaped(trimmed(*identifier)));
            }
        }
        if (cursor.comments()) leave_out("comments in events");
    }

    // In the order of their declaration, arXiv:1405.1067.
    void read_weights(std::size_t event, Cursor cursor) {
        std::size_t number = 0;
        for (cursor.skip(); !cursor.at_end(); cursor.skip(), ++number) {
            const auto value = cursor.number<double>("the value of a weight");
            const auto column = number < weights_.listed() ? weights_.column(number) : std::nullopt;
            if (column) set_weight(event, *column, value);
            if (!column) leave_out("numbers of <weights> without a declaration");
        }
    }

    void set_weight(std::size_t event, std::size_t index, double value) {
        if (seen_[index]) throw LheError("expected every weight once; got one again");
        seen_[index] = true;
        next_weight_ = index + 1;
        columns_.variation[event * columns_.variations + index] = value;
    }

    const EventColumns& columns_;
    const WeightIndex& weights_;
    std::vector<bool> seen_;
    std::size_t next_weight_ = 0;
    bool named_weights_ = false;
    std::optional<std::string_view> listed_weights_;
    std::set<std::string> left_out_;
    Names undeclared_;
};

// What an event says at its beginning of how many particles it has.
std::size_t announced_particles(std::string_view event) {
    Cursor cursor(event.substr(tag_end(event, 0)));
    const auto particles = cursor.number<std::int32_t>("the number of particles");
    if (particles < 0 || std::size_t(particles) * shortest_line > event.size()) {
        throw LheError("expected a line of 13 numbers per particle; got too few for " +
                       std::to_string(particles));
    }
    return std::size_t(particles);
}

// Collects what the tasks leave out, and the first of their errors.
class Outcome {
public:
    void add(std::size_t begin, const EventReader& reader) {
        std::lock_guard lock(mutex_);
        left_out_.insert(reader.left_out().begin(), reader.left_out().end());
        undeclared_[begin] = reader.undeclared();
    }

    void fail(std::size_t event, const std::string& what) {
        std::lock_guard lock(mutex_);
        if (!error_ || event < error_->first) error_ = {event, what};
    }

    Remainder result(std::size_t before) const {
        if (error_) throw LheError(in_event(before + error_->first, error_->second));
        Names names;
        for (const auto& [begin, of_task] : undeclared_) names.add(of_task);
        return {.left_out = left_out_, .undeclared = names.ordered()};
    }

private:
    std::mutex mutex_;
    std::set<std::string> left_out_;
    std::map<std::size_t, Names> undeclared_;
    std::optional<std::pair<std::size_t, std::string>> error_;
};

}  // namespace

namespace {

// Finds one event after the other; what is neither an event nor a comment is noticed.
class EventFinder {
public:
    EventFinder(std::string_view text, std::size_t before, BatchLimits limits)
        : text_(text), before_(before), limits_(limits) {}

    EventSpans find() {
        try {
            while (next()) {
            }
        } catch (const LheError& error) {
            throw LheError(in_event(before_ + spans_.events.size(), error.what()));
        }
        return spans_;
    }

private:
    // Whether to go on behind the next tag.
    bool next() {
        constexpr std::string_view root_end = "</LesHouchesEvents";
        const auto at = std::min(text_.find('<', spans_.end), text_.size());
        const auto gap = text_.substr(spans_.end, at - spans_.end);
        if (!std::ranges::all_of(gap, is_space)) spans_.text_between = true;
        spans_.end = at;
        const auto rest = text_.substr(at);
        if (rest.empty()) return false;
        if (is_tag(rest, "<event")) return event(rest);
        if (is_tag(rest, "</event")) throw LheError("expected <event>; got </event>");
        // one event in the mean of the weights, of which we know nothing
        if (is_tag(rest, "<eventgroup")) {
            throw LheError("expected events that stand alone; got an <eventgroup>");
        }
        spans_.finished = is_tag(rest, root_end);
        if (spans_.finished) return false;
        const auto skipped = verbatim(rest);
        // may be cut in the middle
        if (!skipped || (*skipped == 0 && rest.size() <= root_end.size())) return false;
        if (*skipped == 0) spans_.text_between = true;
        spans_.end += std::max<std::size_t>(*skipped, 1);
        return true;
    }

    // Whether there is a whole event, and room for it.
    bool event(std::string_view rest) {
        constexpr std::string_view open = "<event", close = "</event";
        const auto length = find_tag(rest, close);
        if (!length || rest.find('>', *length) == std::string_view::npos) return false;
        const auto end = *length + tag_end(rest.substr(*length), close.size());
        const auto event = rest.substr(open.size(), *length - open.size());
        const auto rows = std::max(spans_.rows, announced_particles(event));
        const auto count = spans_.events.size() + 1;
        if (count > 1 && (count > limits_.events || count * rows > limits_.rows)) return false;
        spans_.rows = rows;
        spans_.events.push_back(event);
        spans_.end += end;
        return true;
    }

    std::string_view text_;
    std::size_t before_;
    BatchLimits limits_;
    EventSpans spans_{.events = {}, .rows = 0, .end = 0, .finished = false, .text_between = false};
};

}  // namespace

EventSpans find_events(std::string_view text, std::size_t before, BatchLimits limits) {
    return EventFinder(text, before, limits).find();
}

Remainder read_events(const EventSpans& spans, const Variations& variations, std::size_t before,
                      const EventColumns& columns) {
    const WeightIndex index(variations);
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
            outcome.add(begin, reader);
        },
        piece_size);
    return outcome.result(before);
}

}  // namespace madnis

// Text of Les Houches events: numbers, tags and their attributes.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace madnis {

// "event 17: expected ...; got ...", counted from the first event of the file.
struct LheError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Characters of a number with an exponent of Fortran.
inline constexpr std::size_t longest_number = 64;

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool ends_name(char c) { return is_space(c) || c == '>' || c == '/'; }

// The beginning of a text for messages, on one line; bytes that are no letters of ASCII as \xNN,
// whatever the file holds.
inline std::string shown(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char c : text.substr(0, 40)) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_space(c)) {
            result += ' ';
        } else if (byte >= 0x20 && byte < 0x7f) {
            result += c;
        } else {
            (result += "\\x") += digits[byte >> 4];
            result += digits[byte & 15];
        }
    }
    return result;
}

inline std::string quoted(std::string_view text) { return "'" + shown(text) + "'"; }

// Where tags have no meaning: the length of a comment or CDATA section that a text begins with, 0
// if it begins with none, nothing if it does not end.
inline std::optional<std::size_t> verbatim(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> marks[] = {{"<!--", "-->"},
                                                                              {"<![CDATA[", "]]>"}};
    for (const auto& [open, close] : marks) {
        if (!text.starts_with(open)) continue;
        const auto end = text.find(close, open.size());
        if (end == std::string_view::npos) return std::nullopt;
        return end + close.size();
    }
    return 0;
}

inline bool is_tag(std::string_view text, std::string_view mark) {
    return text.starts_with(mark) && text.size() > mark.size() && ends_name(text[mark.size()]);
}

// Where the first tag `mark` stands, such as "</event", and nothing if there is none; comments are
// passed over.
inline std::optional<std::size_t> find_tag(std::string_view text, std::string_view mark) {
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string_view::npos;) {
        const auto rest = text.substr(at);
        if (is_tag(rest, mark)) return at;
        const auto skipped = verbatim(rest);
        if (!skipped) return std::nullopt;
        at += std::max<std::size_t>(*skipped, 1);
    }
    return std::nullopt;
}

// Where a tag ends that begins with the first `size` characters of a text, "</event >"; it holds no
// other tag.
inline std::size_t tag_end(std::string_view text, std::size_t size) {
    const auto end = text.find_first_of("<>", size);
    if (end == std::string_view::npos || text[end] == '<') {
        throw LheError("expected the end of a tag; got " + quoted(text));
    }
    return end + 1;
}

// Goes through the text of one event.
class Cursor {
public:
    explicit Cursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

    // The next thing that is neither white space nor a comment.
    void skip() {
        while (at_ < end_) {
            if (is_space(*at_)) {
                ++at_;
            } else if (*at_ == '#') {
                comments_ = true;
                while (at_ < end_ && *at_ != '\n') ++at_;
            } else if (*at_ == '<') {
                const auto skipped = verbatim(rest());
                if (!skipped) {
                    throw LheError("expected the end of a comment; got " + quoted(rest()));
                }
                if (*skipped == 0) return;
                comments_ = true;
                at_ += *skipped;
            } else {
                return;
            }
        }
    }

    bool at_end() const { return at_ == end_; }
    bool at_tag() const { return at_ < end_ && *at_ == '<'; }
    bool comments() const { return comments_; }
    std::string_view rest() const { return {at_, std::size_t(end_ - at_)}; }

    // A finite number, as C++ or Fortran write it.
    template <class Number>
    Number number(const char* what) {
        skip();
        const char* begin = at_ + (at_ < end_ && *at_ == '+');
        Number value{};
        auto [stop, error] = std::from_chars(begin, end_, value);
        if (stop > begin && stop < end_ && !ends_number(*stop)) {
            if constexpr (!std::is_integral_v<Number>) {
                stop = with_exponent(begin, stop, value, error);
            }
        }
        if (error == std::errc::result_out_of_range) value = beyond_range<Number>(begin, stop);
        const bool whole = stop > begin && (stop == end_ || ends_number(*stop));
        if (!whole || (error != std::errc() && error != std::errc::result_out_of_range)) {
            throw LheError(std::string("expected ") + what + "; got " + found());
        }
        if constexpr (!std::is_integral_v<Number>) {
            if (!std::isfinite(value)) {
                throw LheError(std::string("expected ") + what + ", a finite number; got " +
                               found());
            }
        }
        at_ = stop;
        return value;
    }

    // What comes before the next white space or tag, for messages.
    std::string found() const {
        const char* stop = at_;
        while (stop < end_ && !ends_number(*stop)) ++stop;
        return stop == at_ ? "no more numbers" : quoted({at_, std::size_t(stop - at_)});
    }

    // Past a tag, without its angle brackets; the next character is its first one.
    std::string_view tag() {
        const auto size = tag_end(rest(), 1);
        const auto inside = rest().substr(1, size - 2);
        at_ += size;
        return inside;
    }

    // Past the closing tag of an element of this name; what stands before it.
    std::string_view until_closed(const std::string& name) {
        const auto where = find_tag(rest(), "</" + name);
        if (!where) {
            throw LheError("expected the end of an element <" + shown(name) + ">; got " +
                           quoted(rest()));
        }
        const auto before = rest().substr(0, *where);
        at_ += *where;
        tag();
        return before;
    }

private:
    static bool ends_number(char c) { return is_space(c) || c == '<'; }

    // Exponents of Fortran, 1.5D+03 and, of three digits, 1.5-100; the end of the number, or `stop`
    // if it is none.
    const char* with_exponent(const char* begin, const char* stop, double& value,
                              std::errc& error) const {
        if (!std::all_of(begin, stop, [](char c) { return is_digit(c) || c == '.' || c == '-'; })) {
            return stop;
        }
        const bool letter = *stop == 'D' || *stop == 'd';
        const char* digits = stop + letter;
        if (!letter && *stop != '+' && *stop != '-') return stop;
        if (digits < end_ && (*digits == '+' || *digits == '-')) ++digits;
        const char* end = std::find_if_not(digits, end_, is_digit);
        if (end == digits || std::size_t(end - begin) > longest_number) return stop;
        const auto text = std::string(begin, stop) + 'e' + std::string(stop + letter, end);
        value = std::strtod(text.c_str(), nullptr);
        error = std::errc();
        return end;
    }

    template <class Number>
    static Number beyond_range(const char* begin, const char* stop) {
        if constexpr (std::is_integral_v<Number>) {
            throw LheError("expected an integer of 32 bits; got " +
                           quoted({begin, std::size_t(stop - begin)}));
        } else {
            // Infinite or next to zero.
            return std::strtod(std::string(begin, stop).c_str(), nullptr);
        }
    }

    const char *at_, *end_;
    bool comments_ = false;
};

inline std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// Calls use(name, value) for every attribute of a tag, "a='1' b=\"2\"".
template <class Use>
void for_attributes(std::string_view text, Use use) {
    while (true) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return;
        auto name = text.substr(0, equals);
        name = trimmed(name);
        text.remove_prefix(equals + 1);
        std::size_t open = 0;
        while (open < text.size() && is_space(text[open])) ++open;
        if (open == text.size() || (text[open] != '"' && text[open] != '\'')) {
            throw LheError("expected a quoted value of " + quoted(name));
        }
        const auto close = text.find(text[open], open + 1);
        if (close == std::string_view::npos) {
            throw LheError("expected the end of the value of " + quoted(name));
        }
        use(name, text.substr(open + 1, close - open - 1));
        text.remove_prefix(close + 1);
    }
}

inline std::string unescaped(std::string_view text) {
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

}  // namespace madnis

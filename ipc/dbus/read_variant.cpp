// SPDX-License-Identifier: Apache-2.0
#include "ipc/dbus/read_variant.hpp"

#include "core/json.hpp"
#include "core/limits.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

namespace tocsin::ipc::dbus {

namespace {

// One value of a basic type: a Scalar, or the reason why it is not taken.
struct Basic {
    Scalar value{};
    std::string problem{};
};

// -1 or less: the message cannot be read.
int read_basic(sd_bus_message* message, char type, Basic& out) {
    union {
        std::uint8_t y;
        int b;
        std::int16_t n;
        std::uint16_t q;
        std::int32_t i;
        std::uint32_t u;
        std::int64_t x;
        std::uint64_t t;
        double d;
        int h;
        const char* s;
    } raw{};
    if (const int done = sd_bus_message_read_basic(message, type, &raw); done <= 0) {
        return done == 0 ? -EBADMSG : done;
    }
    switch (type) {
    case 'y':
        out.value = std::uint64_t{raw.y};
        break;
    case 'q':
        out.value = std::uint64_t{raw.q};
        break;
    case 'u':
        out.value = std::uint64_t{raw.u};
        break;
    case 't':
        out.value = raw.t;
        break;
    case 'n':
        out.value = std::int64_t{raw.n};
        break;
    case 'i':
        out.value = std::int64_t{raw.i};
        break;
    case 'x':
        out.value = raw.x;
        break;
    case 'b':
        out.value = raw.b != 0;
        break;
    case 's':
    case 'o':
    case 'g':
        out.value = std::string_view(raw.s);
        break;
    case 'd':
        out.value = raw.d;
        out.problem = std::isfinite(raw.d) ? "" : "is not a finite number";
        break;
    default:
        out.problem = "is a file descriptor";
        break;
    }
    return 1;
}

bool is_container(char type) {
    return type == 'a' || type == 'v' || type == 'r' || type == '(' || type == 'e' || type == '{';
}

bool is_key(char type) {
    return type == 's' || type == 'o' || type == 'g';
}

// Containers as minified JSON. After a problem everything is still read, so that the message's cursor is right, but no
// longer written.
class JsonReader {
public:
    explicit JsonReader(sd_bus_message* message) : message_(message) {}

    int value(unsigned depth);
    std::string& text() { return text_; }
    std::string& problem() { return problem_; }

private:
    int basic(char type);
    int object(const char* contents, unsigned depth);
    int list(char type, const char* contents, unsigned depth);
    int member(unsigned depth);
    void refuse(std::string_view reason) {
        if (problem_.empty()) {
            problem_ = reason;
        }
    }
    bool writing() const { return problem_.empty(); }
    void put(char c) {
        if (writing()) {
            text_ += c;
        }
    }

    sd_bus_message* message_;
    std::string text_{};
    std::string problem_{};
};

int JsonReader::value(unsigned depth) {
    char type = 0;
    const char* contents = nullptr;
    int done = sd_bus_message_peek_type(message_, &type, &contents);
    if (done <= 0) {
        return done == 0 ? -EBADMSG : done;
    }
    if (text_.size() > limits::event_bytes) {
        refuse("is larger than " + std::to_string(limits::event_bytes) + " bytes");
    }
    if (!is_container(type)) {
        return basic(type);
    }
    if (type == 'v') {
        done = sd_bus_message_enter_container(message_, type, contents);
        done = done < 0 ? done : value(depth);
        return done < 0 ? done : sd_bus_message_exit_container(message_);
    }
    if (depth >= limits::payload_depth) {
        refuse("is nested deeper than " + std::to_string(limits::payload_depth));
    }
    const bool dictionary = type == 'a' && contents != nullptr && contents[0] == '{';
    return dictionary ? object(contents, depth + 1) : list(type, contents, depth + 1);
}

int JsonReader::basic(char type) {
    Basic read;
    if (const int done = read_basic(message_, type, read); done < 0) {
        return done;
    }
    if (!read.problem.empty()) {
        refuse("has a value that " + read.problem);
    } else if (writing()) {
        json::append_scalar(text_, read.value);
    }
    return 1;
}

int JsonReader::object(const char* contents, unsigned depth) {
    int done = sd_bus_message_enter_container(message_, 'a', contents);
    if (done < 0) {
        return done;
    }
    const std::string entry(contents + 1, std::string_view(contents).size() - 2); // without the braces
    put('{');
    bool first = true;
    while ((done = sd_bus_message_enter_container(message_, 'e', entry.c_str())) > 0) {
        if (!first) {
            put(',');
        }
        first = false;
        if (done = member(depth); done < 0) {
            return done;
        }
        if (done = sd_bus_message_exit_container(message_); done < 0) {
            return done;
        }
    }
    put('}');
    return done < 0 ? done : sd_bus_message_exit_container(message_);
}

int JsonReader::member(unsigned depth) {
    char type = 0;
    if (const int done = sd_bus_message_peek_type(message_, &type, nullptr); done < 0) {
        return done;
    }
    Basic key;
    if (const int done = read_basic(message_, type, key); done < 0) {
        return done;
    }
    if (!is_key(type)) {
        refuse("has a dictionary whose keys are not strings");
    } else if (writing()) {
        json::append_string(text_, std::get<std::string_view>(key.value));
    }
    put(':');
    return value(depth);
}

int JsonReader::list(char type, const char* contents, unsigned depth) {
    int done = sd_bus_message_enter_container(message_, type, contents);
    if (done < 0) {
        return done;
    }
    put('[');
    bool first = true;
    while ((done = sd_bus_message_at_end(message_, 0)) == 0) {
        if (!first) {
            put(',');
        }
        first = false;
        if (done = value(depth); done < 0) {
            return done;
        }
    }
    put(']');
    return done < 0 ? done : sd_bus_message_exit_container(message_);
}

// Each element of an array, or of variants in it, as a value of its own.
int read_repeated(sd_bus_message* message, const char* contents, std::string_view key, EntrySink& sink) {
    const bool plain = contents != nullptr && (contents[0] == 'v' || !is_container(contents[0]));
    if (!plain) {
        sink.refuse(key, "must be a value or an array of values");
        return sd_bus_message_skip(message, nullptr);
    }
    int done = sd_bus_message_enter_container(message, 'a', contents);
    bool empty = true;
    while (done >= 0 && (done = sd_bus_message_at_end(message, 0)) == 0) {
        empty = false;
        char type = contents[0];
        const char* inner = nullptr;
        const bool wrapped = type == 'v';
        if (wrapped) {
            done = sd_bus_message_peek_type(message, nullptr, &inner);
            done = done < 0 ? done : sd_bus_message_enter_container(message, 'v', inner);
            type = inner != nullptr ? inner[0] : '\0';
        }
        Basic read;
        if (done >= 0 && is_container(type)) {
            read.problem = "must be a value or an array of values";
            done = sd_bus_message_skip(message, nullptr);
        } else if (done >= 0) {
            done = read_basic(message, type, read);
        }
        if (done >= 0) {
            read.problem.empty() ? sink.value(key, read.value) : sink.refuse(key, read.problem);
            done = wrapped ? sd_bus_message_exit_container(message) : done;
        }
    }
    if (done >= 0 && empty) {
        sink.refuse(key, "an empty array matches nothing; leave the key out");
    }
    return done < 0 ? done : sd_bus_message_exit_container(message);
}

// The content of one variant that was entered.
int read_value(sd_bus_message* message, const char* contents, Arrays arrays, std::string_view key, EntrySink& sink) {
    const char type = contents[0];
    if (type == 'a' && arrays == Arrays::repeated) {
        return read_repeated(message, contents + 1, key, sink);
    }
    if (type == 'v') { // a variant inside a variant is the same value; the bus bounds how deep
        const char* inner = nullptr;
        int done = sd_bus_message_peek_type(message, nullptr, &inner);
        done = done < 0 ? done : sd_bus_message_enter_container(message, 'v', inner);
        done = done < 0 ? done : read_value(message, inner, arrays, key, sink);
        return done < 0 ? done : sd_bus_message_exit_container(message);
    }
    if (is_container(type)) {
        JsonReader reader(message);
        const int done = reader.value(0);
        if (done >= 0 && reader.problem().empty()) {
            sink.value(key, RawJson{reader.text()});
        } else if (done >= 0) {
            sink.refuse(key, std::move(reader.problem()));
        }
        return done;
    }
    Basic read;
    const int done = read_basic(message, type, read);
    if (done >= 0) {
        read.problem.empty() ? sink.value(key, read.value) : sink.refuse(key, std::move(read.problem));
    }
    return done;
}

int read_entry(sd_bus_message* message, Arrays arrays, EntrySink& sink) {
    const char* key = nullptr;
    const char* contents = nullptr;
    int done = sd_bus_message_read_basic(message, 's', &key);
    done = done < 0 ? done : sd_bus_message_peek_type(message, nullptr, &contents);
    done = done < 0 ? done : sd_bus_message_enter_container(message, 'v', contents);
    if (done <= 0 || contents == nullptr) {
        return done < 0 ? done : -EBADMSG;
    }
    done = read_value(message, contents, arrays, key, sink);
    done = done < 0 ? done : sd_bus_message_exit_container(message);
    return done < 0 ? done : sd_bus_message_exit_container(message);
}

} // namespace

Error unreadable(std::string_view what) {
    return Error{Code::invalid_argument, "bus", "", std::string(what) + " cannot be read from the message"};
}

Result<void> read_entries(sd_bus_message* message, Arrays arrays, EntrySink& sink) {
    int done = sd_bus_message_enter_container(message, 'a', "{sv}");
    while (done >= 0 && (done = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        done = read_entry(message, arrays, sink);
    }
    done = done < 0 ? done : sd_bus_message_exit_container(message);
    if (done < 0) {
        return std::unexpected(unreadable("a dictionary"));
    }
    return {};
}

} // namespace tocsin::ipc::dbus

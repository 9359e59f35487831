// SPDX-License-Identifier: Apache-2.0
// tocsinctl(1) out of the table of verbs, with the fixed sections around it.
#include "cli/format.hpp"
#include "cli/help.hpp"
#include "cli/verbs.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

namespace tocsin::cli {
namespace {

constexpr std::string_view head = R"(.\" SPDX-License-Identifier: Apache-2.0
.\" Written by "tocsinctl help --man"; change the table of verbs instead.
.TH TOCSINCTL 1 "" "tocsin" "User Commands"
.SH NAME
tocsinctl \- send, find and follow events, heartbeats and jobs
.SH SYNOPSIS
.B tocsinctl
.RI [ OPTION ...]
.RI [ VERB
.RI [ ARGUMENT ...]]
.SH DESCRIPTION
.B tocsinctl
is the command line of the event daemon
.BR tocsind (8).
It talks to it through its Unix socket and never opens its store.
Without a verb it shows the daemon's status.
Tables are for people: times are local with their offset, control characters in what events say are shown as escapes,
colours are used on a terminal only.
On a terminal, verbs that show things write through a pager, and errors and hints follow when it has ended.
Programs use
.B \-\-json
or
.BR "\-o ndjson" .
.SH OPTIONS
These may stand anywhere on the line.
)";

constexpr std::string_view exits = R"(.SH "EXIT STATUS"
.TP
.B 0
done
)";

constexpr std::string_view tail = R"(.PP
A refused request says on standard error what is wrong, where, and what to do next; with
.B \-\-json
it is the problem document (RFC 9457) on standard error.
A reader of standard output that leaves early ends
.B tocsinctl
quietly with 0.
.SH TIMES
Everywhere where a TIME is asked for:
.BR now ,
.BR today ,
.BR yesterday ,
.B tomorrow
(local midnight),
.BR "\(dqyesterday 10:00\(dq" ,
.BR \-1h ,
.BR +30m ,
.BR "\(dq2 hours ago\(dq" ,
.BR 2h ,
which is said of the past,
.BR 2026\-01\-31 ,
.BR "\(dq2026\-01\-31 10:00\(dq" ,
.BR 10:00 ,
.BR 10:00:30.5 ,
RFC 3339 with an offset, @ and the seconds since 1970, or a bare number of seconds, milliseconds, microseconds or
nanoseconds since then.
A date or clock without an offset is in the local zone, as shown times are, or in the zone that stands behind it:
.BR "\(dq2026\-01\-31 10:00 Europe/Berlin\(dq" .
Units of distances: us, ms, s, m, h, d, w, M (month, 30.4375 days), y (365 days), and their names; fractions may be
used.
.SH ENVIRONMENT
.TP
.B TOCSIN_SOCKET
the daemon's socket, where
.B \-\-socket
is not given
.TP
.B XDG_RUNTIME_DIR
where a socket
.I tocsin/tocsin.sock
of the user's own daemon is looked for (not by root)
.TP
.B NO_COLOR
no colours
.TP
.BR TOCSIN_PAGER ", " SYSTEMD_PAGER ", " PAGER
the pager, the first that is set; empty or
.B cat
for none.
Otherwise
.BR less (1),
then
.BR more (1)
.TP
.BR TOCSIN_LESS ", " SYSTEMD_LESS
options of less (FRSXMK)
.TP
.B SYSTEMD_PAGERSECURE
true: only less, and it starts nothing; so by itself under
.BR sudo (8)
and
.BR pkexec (1)
.TP
.B TZ
the zone of shown times
.SH FILES
.TP
.I /run/tocsin/tocsin.sock
the socket that is used otherwise
.SH "SEE ALSO"
.BR tocsind (8),
.BR tocsin.toml (5)
)";

// Text as roff shows it unchanged: backslashes, hyphens that may be typed, quotes and dots that begin a line.
std::string roff(std::string_view text) {
    std::string out;
    bool line_begins = true;
    for (const char c : text) {
        if (line_begins && (c == '.' || c == '\'')) {
            out += "\\&";
        }
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else if (c == '\'') {
            out += "\\(aq";
        } else if (c == '"') {
            out += "\\(dq";
        } else {
            out += c;
        }
        line_begins = c == '\n';
    }
    return out;
}

std::string_view meaning(Code code) {
    switch (code) {
    case Code::invalid_event:
        return "an event could be read, but a field of it is wrong";
    case Code::invalid_argument:
        return "the command line, JSON, a filter or a cursor cannot be read";
    case Code::not_found:
        return "there is no such event, source, job or file";
    case Code::not_authorized:
        return "you may not do this";
    case Code::unavailable:
        return "no daemon answers, it cannot do this now, or not in this version";
    case Code::limit_exceeded:
        return "too much at once";
    case Code::storage_full:
        return "the disk or the store is full";
    case Code::conflict:
        return "not in this state, or the same key with other content";
    }
    return {};
}

// Blank lines of plain text are paragraphs.
std::string paragraphs(std::string_view text) {
    std::string out = roff(text);
    for (std::size_t place = out.find("\n\n"); place != std::string::npos; place = out.find("\n\n", place)) {
        out.replace(place, 2, "\n.PP\n");
    }
    return out;
}

void add_option(std::string& out, const Option& option) {
    out += ".TP\n";
    out += option.letter == 0 ? std::string() : fmt::format("\\fB\\-{}\\fR, ", option.letter);
    out += fmt::format("\\fB\\-\\-{}\\fR", roff(option.name));
    out += option.alias.empty() ? std::string() : fmt::format(", \\fB\\-\\-{}\\fR", roff(option.alias));
    out += option.value.empty() ? std::string() : fmt::format(" \\fI{}\\fR", roff(option.value));
    out += fmt::format("\n{}{}\n", roff(option.help), option.repeats ? "; may be repeated" : "");
}

void add_verb(std::string& out, const Verb& verb) {
    out += fmt::format(".SS \"{}{}{}\"\n", roff(verb.name), verb.arguments.empty() ? "" : " ", roff(verb.arguments));
    const auto initial = static_cast<char>(verb.summary.front() - 'a' + 'A');
    out += fmt::format("{}{}.\n", initial, roff(verb.summary.substr(1)));
    if (!verb.text.empty()) {
        out += fmt::format("{}\n", paragraphs(verb.text));
    }
    if (verb.formats != Verb{}.formats) {
        out += fmt::format(".PP\nFormats of \\-o: {}.\n", roff(format_list(verb.formats)));
    }
    for (const auto& table : verb.options) {
        for (const Option& option : table) {
            add_option(out, option);
        }
    }
    if (!verb.examples.empty()) {
        out += ".PP\nExamples:\n.PP\n.nf\n";
        for (const std::string_view example : verb.examples) {
            out += fmt::format(".RS\n{}\n.RE\n", roff(example));
        }
        out += ".fi\n";
    }
}

} // namespace

std::string manual_page() {
    std::string out(head);
    for (const Option& option : common_options()) {
        add_option(out, option);
    }
    out += ".SH VERBS\n";
    for (const Verb& verb : all_verbs()) {
        if (verb.run != nullptr && !verb.hidden) {
            add_verb(out, verb);
        }
    }
    out += exits;
    for (int code = 1; code <= static_cast<int>(all_codes().size()); ++code) {
        for (const CodeInfo& row : all_codes()) {
            if (row.exit_code == code) {
                out += fmt::format(".TP\n.B {}\n{}: {}\n", code, row.name, roff(meaning(row.code)));
            }
        }
    }
    return out + std::string(tail);
}

} // namespace tocsin::cli

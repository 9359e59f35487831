// SPDX-License-Identifier: Apache-2.0
// Help for people out of the table of verbs: the overview, one verb, and the whole manual page as roff.
#pragma once

#include "cli/options.hpp"
#include "cli/output.hpp"

#include <string>

namespace tocsin::cli {

void write_overview(Output& out);
void write_help(Output& out, const Verb& verb);
// tocsinctl(1); docs/man/tocsinctl.1 is this text.
std::string manual_page();
// {"verbs":[{"name","summary","arguments","formats":[…],"options":[{"name","letter","value","help","repeats"}…]}…],
//  "options":[…]}
std::string verbs_as_json();

} // namespace tocsin::cli

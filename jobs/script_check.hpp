// SPDX-License-Identifier: Apache-2.0
// Whether a file may be run as a SPARK script: nobody but root (or `owner_uid`) can have changed it or put another in
// its place.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string>

namespace tocsin::jobs {

// The path without symbolic links, or why not (not_found: there is no such file; not_authorized: it is not safe or not
// executable). Every component, those of symbolic links too, is opened with O_PATH and looked at through its
// descriptor: each directory, link and the file belong to root or `owner_uid` and are writable by nobody else; a sticky
// directory of root's (/tmp) counts as safe, since what is in there can only be replaced by who owns it. After the
// check the script is executed by path: a descriptor would have to stay open in a script that starts with "#!", and
// only the users who pass the check can change the path meanwhile.
Result<std::string> check_script(const std::string& path, std::uint32_t owner_uid);

} // namespace tocsin::jobs

// SPDX-License-Identifier: Apache-2.0
// The script's working directory: made by the helper, for this run alone, where the service manager or the site says
// that its short-lived files go; removed at the end. The daemon has no part in it and need not see it.
#pragma once

#include "core/error.hpp"
#include "core/fd.hpp"

#include <string>

namespace tocsin::jobs::spark {

class WorkDirectory {
public:
    WorkDirectory() = default;
    // Empty, 0700, in $RUNTIME_DIRECTORY, else $TMPDIR, else /tmp.
    static Result<WorkDirectory> make();

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }
    // A bounded amount of work; true when it is gone, or cannot be removed.
    bool remove_some();

private:
    WorkDirectory(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    std::string path_{};
    Fd fd_{};
};

} // namespace tocsin::jobs::spark

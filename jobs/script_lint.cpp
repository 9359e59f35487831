// SPDX-License-Identifier: Apache-2.0
#include "jobs/script_lint.hpp"

#include "core/fd.hpp"
#include "core/job.hpp"
#include "jobs/script_check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::jobs {

namespace {

constexpr std::size_t first_line_bytes_max = 255; // the kernel reads no more of it
constexpr std::string_view elf = "\x7f"
                                 "ELF";
constexpr std::array<std::string_view, 6> search_path{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                                      "/usr/bin",        "/sbin",          "/bin"};
constexpr std::array<std::string_view, 7> leftovers{"~",         ".bak",       ".orig",   ".rej",
                                                    ".dpkg-old", ".dpkg-dist", ".rpmsave"};

using Findings = std::vector<ScriptFinding>;

void wrong(Findings& findings, std::string text) {
    findings.push_back({true, std::move(text)});
}
void hint(Findings& findings, std::string text) {
    findings.push_back({false, std::move(text)});
}

bool is_program(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IXOTH) != 0;
}

void check_name(Findings& findings, const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (const auto problem = script_name_problem(name)) {
        return wrong(findings, "its name: " + *problem + "; no event can name it: rename it");
    }
    if (std::ranges::any_of(leftovers, [&name](std::string_view end) { return name.ends_with(end); })) {
        hint(findings, "looks like a copy that was left behind; it can be started by that name: remove it");
    }
}

// "#!/usr/bin/env python3": env looks for the program where scripts look for theirs.
void check_env(Findings& findings, std::string_view words) {
    const std::size_t begin = words.find_first_not_of(" \t");
    std::string_view program = begin == std::string_view::npos ? std::string_view{} : words.substr(begin);
    if (program.starts_with("-S ")) {
        program.remove_prefix(std::min(program.find_first_not_of(" \t", 2), program.size()));
    }
    program = program.substr(0, program.find_first_of(" \t"));
    if (program.empty()) {
        return wrong(findings, "its first line names env without a program; write #!/usr/bin/env PROGRAM");
    }
    const bool plain = program.front() != '-' && program.find('=') == std::string_view::npos &&
                       program.find('/') == std::string_view::npos;
    const auto has = [program](std::string_view folder) {
        return is_program(std::string(folder) + '/' + std::string(program));
    };
    if (plain && std::ranges::none_of(search_path, has)) {
        wrong(findings, std::string(program) + ", which its first line asks env for, is not in the PATH of scripts");
    }
}

void check_first_line(Findings& findings, std::string_view line) {
    if (line.ends_with('\r')) {
        return wrong(findings, "its lines end as in Windows; convert them with: sed -i 's/\\r$//'");
    }
    if (line.size() > first_line_bytes_max) {
        return wrong(findings, "its first line is longer than the system reads; shorten it");
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t", 2), line.size()));
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::string program(line.substr(0, end));
    if (!program.starts_with('/')) {
        return wrong(findings, "its first line must name an interpreter by its whole path, as #!/bin/sh");
    }
    if (!is_program(program)) {
        return wrong(findings, program + ", which its first line names, is not there or not executable: install it");
    }
    if (program.ends_with("/env")) {
        check_env(findings, line.substr(end));
    }
}

void check_content(Findings& findings, const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, first_line_bytes_max + 2> buffer{};
    const ssize_t size = file.valid() ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
    if (size < 0) {
        return hint(findings, std::string("its first line could not be looked at: ") + ::strerror(errno));
    }
    const std::string_view begin(buffer.data(), static_cast<std::size_t>(size));
    if (begin.starts_with(elf)) {
        return;
    }
    if (!begin.starts_with("#!")) {
        return wrong(findings, begin.empty() ? "is empty"
                                             : "is neither a program nor a script: its first line must begin with #!");
    }
    check_first_line(findings, begin.substr(0, begin.find('\n')));
}

void check_mode(Findings& findings, const std::string& path) {
    struct stat status{};
    constexpr mode_t all = S_IROTH | S_IXOTH;
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & all) != all) {
        hint(findings, "others may not read and run it: where scripts run as a user of their own, as the package has "
                       "it, it cannot start; chmod o+rx makes it so");
    }
}

} // namespace

std::vector<ScriptFinding> lint_script(const std::string& path, std::uint32_t owner_uid) {
    Findings findings;
    check_name(findings, path);
    if (const auto checked = check_script(path, owner_uid); !checked) {
        wrong(findings, checked.error().detail());
        if (checked.error().code == Code::not_found) {
            return findings;
        }
    }
    check_content(findings, path);
    check_mode(findings, path);
    return findings;
}

} // namespace tocsin::jobs

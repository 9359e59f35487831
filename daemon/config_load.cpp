// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_load.hpp"

#include "core/fd.hpp"
#include "core/limits.hpp"
#include "daemon/config_apply.hpp"
#include "daemon/config_raw.hpp"
#include "daemon/config_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <expected>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tocsin::daemon {

namespace {

constexpr std::size_t file_bytes_max = 16 * limits::MiB;
constexpr std::size_t files_max = 1'000; // in one conf.d
constexpr std::string_view environment_prefix = "TOCSIN_CONF_";

namespace fs = std::filesystem;

std::string system_error(int number) {
    return std::generic_category().message(number);
}

// Whoever can change a file can make a root daemon run what they like.
std::optional<std::string> ownership_problem(const struct stat& status) {
    if (status.st_uid != 0) {
        return fmt::format("belongs to uid {}, but the daemon runs as root; make it root's (chown root)",
                           status.st_uid);
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format("can be changed by others than root (mode {:04o}); make it safe with chmod go-w",
                           status.st_mode & 07777U);
    }
    return std::nullopt;
}

struct Content {
    std::string text{};
    std::string problem{};
    bool missing = false;
};

Content read_file(const fs::path& path, bool owner_must_be_root) {
    const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file.get() < 0) {
        return Content{.problem = fmt::format("cannot be read: {}", system_error(errno)), .missing = errno == ENOENT};
    }
    struct stat status{};
    if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return Content{.problem = "is not a file"};
    }
    if (owner_must_be_root) {
        if (auto problem = ownership_problem(status)) {
            return Content{.problem = std::move(*problem)};
        }
    }
    Content out;
    std::array<char, 64 * limits::KiB> buffer{};
    while (true) {
        const ssize_t got = read(file.get(), buffer.data(), buffer.size());
        if (got == 0) {
            return out;
        }
        if (got < 0 && errno != EINTR) {
            return Content{.problem = fmt::format("cannot be read: {}", system_error(errno))};
        }
        out.text.append(buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
        if (out.text.size() > file_bytes_max) {
            return Content{.problem = fmt::format("is larger than {}", format_size(file_bytes_max))};
        }
    }
}

class Loader {
public:
    explicit Loader(const ConfigSources& sources) : sources_(sources) { loaded_.config = default_config(); }

    Loaded run() {
        if (sources_.file) {
            file(*sources_.file, true);
            directory(sources_.file->parent_path() / "conf.d");
        } else {
            for (const fs::path& base : {sources_.vendor, sources_.admin}) {
                file(base / "tocsin.toml", false);
                directory(base / "conf.d");
            }
        }
        if (!sources_.written.empty()) {
            directory(sources_.written);
        }
        environment();
        command_line();
        add_warnings(loaded_);
        return std::move(loaded_);
    }

private:
    void problem(const fs::path& path, std::string reason) {
        loaded_.problems.push_back(
            Problem{.place = Place{.source = path.string()}, .key = "", .reason = std::move(reason)});
    }

    void file(const fs::path& path, bool required) {
        Content content = read_file(path, sources_.owner_must_be_root);
        if (content.missing && !required) {
            return;
        }
        if (!content.problem.empty()) {
            problem(path, std::move(content.problem));
            return;
        }
        loaded_.files.push_back(path.string());
        if (auto document = read_toml(content.text, path.string())) {
            apply_document(loaded_, *document);
        } else {
            loaded_.problems.push_back(std::move(document.error()));
        }
    }

    // *.toml in the order of their names; hidden ones are editors' leftovers.
    void directory(const fs::path& path) {
        std::error_code error;
        std::vector<fs::path> found;
        fs::directory_iterator at(path, error);
        for (; !error && at != fs::directory_iterator(); at.increment(error)) {
            const std::string name = at->path().filename().string();
            if (name.ends_with(".toml") && !name.starts_with('.')) {
                found.push_back(at->path());
            }
            if (found.size() > files_max) {
                problem(path, fmt::format("has more than {} files", files_max));
                return;
            }
        }
        if (error && error != std::errc::no_such_file_or_directory) {
            problem(path, fmt::format("cannot be read: {}", error.message()));
            return;
        }
        std::ranges::sort(found);
        for (const fs::path& one : found) {
            file(one, true);
        }
    }

    void environment() {
        for (const auto& [name, value] : sources_.environment) {
            if (!name.starts_with(environment_prefix)) {
                continue;
            }
            apply_text(loaded_, key_of(name), value, Place{.source = fmt::format("environment {}", name)});
        }
    }

    // TOCSIN_CONF_STORE__MAX_BYTES → store.max_bytes
    static std::string key_of(const std::string& variable) {
        std::string key;
        for (const char c : std::string_view(variable).substr(environment_prefix.size())) {
            key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            if (key.ends_with("__")) {
                key.replace(key.size() - 2, 2, ".");
            }
        }
        return key;
    }

    void command_line() {
        for (const std::string& set : sources_.sets) {
            const std::size_t equals = std::min(set.find('='), set.size());
            const std::string_view value = std::string_view(set).substr(std::min(equals + 1, set.size()));
            apply_text(loaded_, std::string_view(set).substr(0, equals), value, Place{.source = "--set"});
        }
    }

    const ConfigSources& sources_;
    Loaded loaded_{};
};

} // namespace

std::string Place::text() const {
    return line == 0 ? source : fmt::format("{}:{}:{}", source, line, column);
}

std::string Place::origin() const {
    if (source.starts_with("environment ")) {
        return "environment";
    }
    return line == 0 ? source : fmt::format("{}:{}", source, line);
}

std::string Problem::text() const {
    return key.empty() ? fmt::format("{}: {}", place.text(), reason)
                       : fmt::format("{}: {}: {}", place.text(), key, reason);
}

std::string Warning::text() const {
    return fmt::format("{}: {}: {}", place.text(), key, reason);
}

std::string Loaded::origin_of(std::string_view key) const {
    const auto found = places.find(key);
    return found == places.end() ? "default" : found->second.origin();
}

Loaded load_config(const ConfigSources& sources) {
    return Loader(sources).run();
}

std::vector<std::pair<std::string, std::string>> process_environment() {
    std::vector<std::pair<std::string, std::string>> out;
    for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
        const std::string_view text = *variable;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return out;
}

Error first_problem(const Loaded& loaded) {
    const Problem& first = loaded.problems.front();
    const std::size_t more = loaded.problems.size() - 1;
    std::string reason = first.reason;
    if (more > 0) {
        reason += fmt::format(" (and {} more problem{}; tocsind --check-config shows all)", more, more == 1 ? "" : "s");
    }
    std::string object = first.key.empty() ? first.place.text() : fmt::format("{}: {}", first.place.text(), first.key);
    return Error{
        .code = Code::invalid_argument, .context = "config", .object = std::move(object), .reason = std::move(reason)};
}

} // namespace tocsin::daemon

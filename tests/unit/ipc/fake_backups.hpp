// SPDX-License-Identifier: Apache-2.0
// The part of a manager that makes backups: of the pieces that a test put there, or refused.
#pragma once

#include "core/ports.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tocsin::ipc::testing {

class FakeBackup final : public BackupStream {
public:
    explicit FakeBackup(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
    void pull(Done<std::string> ready) override { ready(next_ < pieces_.size() ? pieces_[next_++] : std::string()); }

private:
    std::vector<std::string> pieces_;
    std::size_t next_ = 0;
};

class FakeBackups : public Manager {
public:
    void backup(int file, Done<Backup> done) override {
        backup_files.push_back(file);
        backup_error ? done(std::unexpected(*backup_error)) : done(Backup{.bytes = 1, .last_index = 2});
    }
    Result<std::unique_ptr<BackupStream>> backup() override {
        if (backup_error) {
            return std::unexpected(*backup_error);
        }
        return std::make_unique<FakeBackup>(backup_pieces);
    }
    RetentionReport retention() const override { return kept; }
    RetentionReport kept{};
    std::vector<int> backup_files{};
    std::optional<Error> backup_error{};
    std::vector<std::string> backup_pieces{};
};

} // namespace tocsin::ipc::testing

// SPDX-License-Identifier: Apache-2.0
#include "storage/state_tables.hpp"

#include <utility>

namespace tocsin::storage {

namespace {

class ScanRows final : public Asked<std::vector<Row>> {
public:
    ScanRows(const Post& post, ScanRequest request, Done<std::vector<Row>> done)
        : Asked(post, std::move(done)), request_(std::move(request)) {}

    bool step(ReadContext& context) override {
        const auto txn = Txn::read(context.env);
        answer(txn ? scan_rows(*txn, request_) : std::unexpected(txn.error()));
        return true;
    }

private:
    ScanRequest request_;
};

class LoadRow final : public Asked<std::optional<std::string>> {
public:
    LoadRow(const Post& post, Table table, std::string key, Done<std::optional<std::string>> done)
        : Asked(post, std::move(done)), table_(table), key_(std::move(key)) {}

    bool step(ReadContext& context) override {
        answer(load(context.env));
        return true;
    }

private:
    Result<std::optional<std::string>> load(Env& env) const {
        if (key_.empty() || key_.size() > row_key_bytes_max) {
            return std::nullopt;
        }
        const auto txn = Txn::read(env);
        if (!txn) {
            return std::unexpected(txn.error());
        }
        const auto value = txn->get(tree_of(table_), key_);
        if (!value) {
            return std::unexpected(value.error());
        }
        return *value ? std::optional<std::string>(**value) : std::nullopt;
    }
    Table table_;
    std::string key_;
};

// Where a scan begins: beyond `after`, or at the end it comes from.
Cursor::Found begin(Cursor& cursor, const ScanRequest& request) {
    if (request.after.empty()) {
        return request.descending ? cursor.last() : cursor.first();
    }
    auto found = request.descending ? cursor.at_or_before(request.after) : cursor.at_or_after(request.after);
    if (found && *found && (*found)->key == request.after) {
        found = request.descending ? cursor.previous() : cursor.next();
    }
    return found;
}

} // namespace

Result<void> check_row(const TableChange& row) {
    if (row.key.empty() || row.key.size() > row_key_bytes_max) {
        return fail(Code::invalid_argument, "store", "row",
                    "its key has " + std::to_string(row.key.size()) + " bytes; 1 to " +
                        std::to_string(row_key_bytes_max) + " are allowed");
    }
    if (row.value && row.value->size() > row_value_bytes_max) {
        return fail(Code::limit_exceeded, "store", "row",
                    "its value is larger than " + format_size(row_value_bytes_max));
    }
    return {};
}

Result<std::vector<Row>> scan_rows(const Txn& txn, const ScanRequest& request) {
    std::vector<Row> rows;
    std::size_t bytes = 0;
    Cursor cursor(txn, tree_of(request.table));
    auto found = begin(cursor, request);
    while (found && *found && rows.size() < request.limit && bytes < scan_bytes_max) {
        rows.push_back({std::string((*found)->key), std::string((*found)->value)});
        bytes += rows.back().key.size() + rows.back().value.size();
        found = request.descending ? cursor.previous() : cursor.next();
    }
    if (!found) {
        return std::unexpected(found.error());
    }
    return rows;
}

Result<void> each_row(const Txn& txn, Table table, const std::function<void(const Row&)>& use) {
    Cursor cursor(txn, tree_of(table));
    auto found = cursor.first();
    while (found && *found) {
        use({std::string((*found)->key), std::string((*found)->value)});
        found = cursor.next();
    }
    if (!found) {
        return std::unexpected(found.error());
    }
    return {};
}

std::unique_ptr<Task> scan_task(const Post& post, ScanRequest request, Done<std::vector<Row>> done) {
    return std::make_unique<ScanRows>(post, std::move(request), std::move(done));
}

std::unique_ptr<Task> load_task(const Post& post, Table table, std::string key, Done<std::optional<std::string>> done) {
    return std::make_unique<LoadRow>(post, table, std::move(key), std::move(done));
}

} // namespace tocsin::storage

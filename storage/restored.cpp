// SPDX-License-Identifier: Apache-2.0
#include "storage/restored.hpp"

#include "storage/backup_mark.hpp"
#include "storage/file_io.hpp"
#include "storage/keys.hpp"

#include <fcntl.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

namespace tocsin::storage {

namespace {

constexpr mode_t file_mode = 0600;
constexpr std::size_t id_bytes = 16;

std::unexpected<Error> failed(int number, const std::filesystem::path& path) {
    return std::unexpected(file_error(number, "restore", path.string()));
}

// Durable before the mark goes: a crash in between must not lose that the store was restored.
Result<void> remember(const std::filesystem::path& directory) {
    const auto path = directory / restored_file;
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, file_mode));
    int rc = file.get() < 0 ? errno : flush_file(file.get());
    rc = rc != 0 ? rc : flush_entries(directory.string());
    return rc == 0 ? Result<void>{} : failed(rc, path);
}

} // namespace

Result<bool> take_off_mark(const std::filesystem::path& directory) {
    std::error_code error;
    const bool remembered = std::filesystem::exists(directory / restored_file, error);
    const auto path = directory / "data.mdb";
    const Fd data(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (data.get() < 0) {
        return errno == ENOENT ? Result<bool>(false) : failed(errno, path);
    }
    const auto mark = read_mark(data.get());
    if (!mark) {
        return std::unexpected(mark.error());
    }
    if (!*mark) {
        return remembered;
    }
    if (auto remembering = remember(directory); !remembering) {
        return std::unexpected(remembering.error());
    }
    int rc = ::ftruncate(data.get(), static_cast<off_t>((*mark)->bytes)) == 0 ? 0 : errno;
    rc = rc != 0 ? rc : flush_file(data.get());
    if (rc != 0) {
        return failed(rc, path);
    }
    return true;
}

Result<StoreMeta> renew_identity(Env& env) {
    std::array<char, id_bytes> id{};
    if (::getentropy(id.data(), id.size()) != 0) {
        return failed(errno, "getentropy");
    }
    std::optional<Txn> txn;
    int rc = Txn::write(env, txn);
    rc = rc != 0 ? rc : txn->put(Tree::meta, meta::identity, {id.data(), id.size()});
    rc = rc != 0 ? rc : txn->commit();
    if (rc != 0) {
        return std::unexpected(lmdb_error(rc, "restore", "identity"));
    }
    const auto path = env.directory() / restored_file;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return failed(errno, path);
    }
    if (const int flushed = flush_entries(env.directory().string()); flushed != 0) {
        return failed(flushed, env.directory());
    }
    return read_meta(env);
}

} // namespace tocsin::storage

// SPDX-License-Identifier: Apache-2.0
// A backup as the body of an answer, as fast as it is read. The answer has no length: that a backup is whole shows the
// mark at its end.
#include "ipc/http/resources.hpp"

namespace tocsin::ipc::http {
namespace {

class Fetched final : public std::enable_shared_from_this<Fetched> {
public:
    explicit Fetched(std::unique_ptr<BackupStream> from) : from_(std::move(from)) {}

    void pull(std::move_only_function<void(std::string)> ready) {
        ready_ = std::move(ready);
        if (!from_) {
            return give({});
        }
        from_->pull([weak = weak_from_this()](Result<std::string> piece) {
            if (const auto self = weak.lock()) {
                self->give(piece ? std::move(*piece) : std::string());
            }
        });
    }

    void end() {
        from_.reset();
        give({});
    }

private:
    void give(std::string piece) {
        if (auto ready = std::exchange(ready_, nullptr)) {
            ready(std::move(piece));
        }
    }

    std::unique_ptr<BackupStream> from_;
    std::move_only_function<void(std::string)> ready_{};
};

class BackupBody final : public ByteSource {
public:
    explicit BackupBody(std::unique_ptr<BackupStream> from) : fetched_(std::make_shared<Fetched>(std::move(from))) {}
    ~BackupBody() override { fetched_->end(); }
    BackupBody(const BackupBody&) = delete;
    BackupBody& operator=(const BackupBody&) = delete;
    void pull(std::move_only_function<void(std::string)> ready) override { fetched_->pull(std::move(ready)); }
    void tick(std::int64_t) override {}
    void end() override { fetched_->end(); }

private:
    std::shared_ptr<Fetched> fetched_;
};

} // namespace

void make_backup(Context& context, Request, Responder responder) {
    auto stream = context.services.manager.backup();
    if (!stream) {
        return responder.fail(stream.error());
    }
    Response response;
    response.content_type = "application/octet-stream";
    response.stream = std::make_unique<BackupBody>(std::move(*stream));
    responder.reply(std::move(response));
}

} // namespace tocsin::ipc::http

// SPDX-License-Identifier: Apache-2.0
#include "ipc/http/compat/event_table.hpp"

#include "ipc/http/compat/shapes.hpp"

namespace tocsin::ipc::http::compat {
namespace {

constexpr std::size_t rows_at_once = 1'000;

Scalar text_or_null(std::string_view text) {
    return text.empty() ? Scalar(std::monostate{}) : Scalar(text);
}

Scalar number_or_null(const std::optional<std::int64_t>& number) {
    return number ? Scalar(*number) : Scalar(std::monostate{});
}

void append_row(std::string& out, const Event& event, const Zone& zone) {
    const std::string time = naive_time(event.event_time_us, zone);
    json::ObjectWriter row(out);
    row.add("unique_index", event.unique_index);
    row.add("scid", event.scid);
    row.add("event_time", std::string_view(time));
    row.add("event_rule_id", number_or_null(event.event_rule_id));
    row.add("event_name", std::string_view(event.event_name));
    row.add("event_rule", std::string_view(event.event_rule));
    row.add("event_src", std::string_view(event.event_src));
    row.add("spark_script", text_or_null(event.spark_script));
    row.add("spark_report_id", number_or_null(event.spark_report_id));
    row.add("gem_full_path", text_or_null(event.gem_full_path));
    row.close();
}

// Reads page after page, the first one before the answer begins: what is wrong with the question is told as an error.
class Table : public std::enable_shared_from_this<Table> {
public:
    Table(Context& context, Filter filter) : context_(context), filter_(std::move(filter)) {}

    void begin(Responder responder);

    // As a ByteSource does.
    void pull(std::move_only_function<void(std::string)> ready) {
        ready_ = std::move(ready);
        advance();
    }
    void end() {
        over_ = true;
        give({});
    }

private:
    using Use = std::move_only_function<void(Result<void>)>;

    void read(Use then) {
        auto done = [self = shared_from_this(), then = std::move(then)](Result<Page> page) mutable {
            if (!page) {
                return then(std::unexpected(std::move(page.error())));
            }
            self->keep(*page);
            then({});
        };
        context_.services.reader.query(filter_, rows_at_once, next_, std::move(done));
    }

    void keep(const Page& page) {
        for (const Event& event : page.events) {
            if (event.event_src != daemon_source) { // they knew of no events but detectors'
                piece_ += std::exchange(first_, false) ? "" : ",";
                append_row(piece_, event, context_.services.intake.rules().zone);
            }
        }
        next_ = page.next;
        if (next_.empty()) {
            piece_ += "]}";
            over_ = true;
        }
    }

    // Gives what is there, else reads on; nothing is the end.
    void advance() {
        if (!piece_.empty() || over_) {
            return give(std::exchange(piece_, {}));
        }
        read([weak = weak_from_this()](Result<void> kept) {
            if (const auto self = weak.lock()) {
                self->over_ = self->over_ || !kept;
                self->advance();
            }
        });
    }

    void give(std::string piece) {
        if (auto ready = std::exchange(ready_, nullptr)) {
            ready(std::move(piece));
        }
    }

    Context& context_;
    Filter filter_;
    std::string next_{};
    std::string piece_ = R"({"data":[)";
    std::move_only_function<void(std::string)> ready_{};
    bool first_ = true; // no row yet
    bool over_ = false; // nothing more is read
};

class TableBody final : public ByteSource {
public:
    explicit TableBody(std::shared_ptr<Table> table) : table_(std::move(table)) {}
    ~TableBody() override { table_->end(); }
    TableBody(const TableBody&) = delete;
    TableBody& operator=(const TableBody&) = delete;
    void pull(std::move_only_function<void(std::string)> ready) override { table_->pull(std::move(ready)); }
    void tick(std::int64_t) override {}
    void end() override { table_->end(); }

private:
    std::shared_ptr<Table> table_;
};

void Table::begin(Responder responder) {
    read([self = shared_from_this(), responder = std::move(responder)](Result<void> kept) mutable {
        if (!kept) {
            return responder.reply(detail_refusal(kept.error(), "query"));
        }
        if (self->over_) {
            return responder.reply(json_reply(std::move(self->piece_)));
        }
        Response response;
        response.stream = std::make_unique<TableBody>(self);
        responder.reply(std::move(response));
    });
}

} // namespace

void send_table(Context& context, Filter filter, Responder responder) {
    std::make_shared<Table>(context, std::move(filter))->begin(std::move(responder));
}

} // namespace tocsin::ipc::http::compat

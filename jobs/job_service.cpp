// SPDX-License-Identifier: Apache-2.0
#include "jobs/job_service.hpp"

#include "jobs/engine.hpp"

#include <utility>

namespace tocsin::jobs {

struct JobService::Impl : Engine {
    using Engine::Engine;
};

JobService::JobService(boost::asio::io_context& io, StateStore& store, EventReader& reader, CommitFeed& feed,
                       const Clock& clock, Settings settings)
    : impl_(std::make_shared<Impl>(io, Engine::Ports{store, reader, feed, clock}, std::move(settings))) {}

JobService::~JobService() {
    impl_->abandon();
}

Result<void> JobService::start() {
    return impl_->start();
}
void JobService::stop(std::move_only_function<void()> done) {
    impl_->stop(std::move(done));
}
void JobService::reconfigure(Settings settings) {
    impl_->reconfigure(std::move(settings));
}
void JobService::on_helper(std::function<void(const HelperState&)> handler) {
    impl_->on_helper(std::move(handler));
}
std::uint64_t JobService::lag() const {
    return impl_->lag();
}

void JobService::run(std::uint64_t unique_index, std::string script, Done<Job> done) {
    impl_->run(unique_index, {.script = std::move(script), .joined = {}}, std::move(done));
}

void JobService::set_report(std::uint64_t unique_index, std::int64_t report_id, std::string url, Done<void> done) {
    impl_->set_report({unique_index, 0, report_id, std::move(url)}, std::move(done));
}

bool JobService::runs_as(std::uint64_t unique_index, std::uint32_t uid) const {
    return impl_->runs_as(unique_index, uid);
}

void JobService::call_back(std::string secret, std::int64_t report_id, std::string url, Done<Job> done) {
    impl_->call_back(std::move(secret), {0, 0, report_id, std::move(url)}, std::move(done));
}

void JobService::preview(std::uint64_t unique_index, std::string script, Done<JobPreview> done) {
    impl_->preview(unique_index, std::move(script), std::move(done));
}

std::vector<ScriptReport> JobService::scripts(std::string_view only) const {
    return impl_->scripts(only);
}

void JobService::on_output(std::function<void(const Job&, std::string_view output)> handler) {
    impl_->on_output(std::move(handler));
}

void JobService::on_queue_full(std::function<void(bool full)> handler) {
    impl_->on_queue_full(std::move(handler));
}

bool JobService::queue_full() const {
    return impl_->queue_full();
}

void JobService::list(ListFilter filter, std::size_t limit, std::string cursor, Done<ListPage<Job>> done) {
    auto query = parse_list(filter, cursor);
    if (!query) {
        return done(std::unexpected(query.error()));
    }
    impl_->list(std::move(*query), limit, std::move(done));
}

void JobService::find(std::uint64_t id, Done<Job> done) {
    impl_->find(id, std::move(done));
}
void JobService::cancel(std::uint64_t id, Done<Job> done) {
    impl_->cancel(id, std::move(done));
}
void JobService::rerun(std::uint64_t id, Done<Job> done) {
    impl_->rerun(id, std::move(done));
}
void JobService::output(std::uint64_t id, Done<std::string> done) {
    impl_->output(id, std::move(done));
}
std::map<JobState, std::uint64_t> JobService::counts() const {
    return impl_->records().counts();
}
std::vector<Job> JobService::recent(std::size_t limit) const {
    return impl_->recent(limit);
}

std::unique_ptr<Subscription> JobService::on_change(std::function<void(const Job&)> handler) {
    return impl_->on_change(std::move(handler));
}

} // namespace tocsin::jobs

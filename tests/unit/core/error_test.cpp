// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"

#include "core/limits.hpp"

#include <gmock/gmock.h>

#include <set>

namespace tocsin {
namespace {

struct Expected {
    Code code;
    std::string_view name;
    std::string_view title;
    unsigned http_status;
    int exit_code;
};

// The table of the contract, typed in a second time on purpose.
const std::vector<Expected> contract{
    {Code::invalid_argument, "InvalidArgument", "Invalid argument", 400, 2},
    {Code::invalid_event, "InvalidEvent", "Invalid event", 422, 1},
    {Code::not_found, "NotFound", "Not found", 404, 3},
    {Code::not_authorized, "NotAuthorized", "Not authorized", 403, 4},
    {Code::unavailable, "Unavailable", "Unavailable", 503, 5},
    {Code::limit_exceeded, "LimitExceeded", "Limit exceeded", 429, 6},
    {Code::storage_full, "StorageFull", "Storage full", 507, 7},
    {Code::conflict, "Conflict", "Conflict", 409, 8},
};

TEST(Error, EveryCodeIsMappedAsTheContractSays) {
    ASSERT_EQ(all_codes().size(), contract.size());
    for (std::size_t i = 0; i < contract.size(); ++i) {
        const Expected& want = contract[i];
        const CodeInfo& row = info(want.code);
        EXPECT_EQ(&row, &all_codes()[i]) << "the table must be in the order of the enum";
        EXPECT_EQ(row.code, want.code);
        EXPECT_EQ(row.name, want.name);
        EXPECT_EQ(row.title, want.title);
        EXPECT_EQ(row.http_status, want.http_status);
        EXPECT_EQ(row.exit_code, want.exit_code);
    }
}

TEST(Error, NoTwoCodesShareANameStatusOrExitCode) {
    std::set<std::string_view> names;
    std::set<unsigned> statuses;
    std::set<int> exits;
    for (const CodeInfo& row : all_codes()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_TRUE(statuses.insert(row.http_status).second) << row.name;
        EXPECT_TRUE(exits.insert(row.exit_code).second) << row.name;
    }
    EXPECT_FALSE(exits.contains(0));
}

TEST(Error, NamesLeadBackToCodes) {
    for (const CodeInfo& row : all_codes()) {
        EXPECT_EQ(code_from_name(row.name), row.code);
    }
    EXPECT_EQ(code_from_name("invalidevent"), std::nullopt);
    EXPECT_EQ(code_from_name(""), std::nullopt);
}

TEST(Error, DBusNamesHaveTheInterfaceInFront) {
    EXPECT_EQ(dbus_error_name(Code::invalid_event), "org.tocsin.EventManager1.Error.InvalidEvent");
    EXPECT_EQ(dbus_error_name(Code::storage_full), "org.tocsin.EventManager1.Error.StorageFull");
}

TEST(Error, DetailIsWhatAPersonReads) {
    EXPECT_EQ(fail(Code::not_found, "get", "event 7", "does not exist").error().detail(), "event 7: does not exist");
    EXPECT_EQ(fail(Code::unavailable, "submit", "", "the daemon is stopping").error().detail(),
              "the daemon is stopping");
}

TEST(Error, DetailSaysHowManyMoreThereAre) {
    Error error = field_error("severity", "\"hihg\" is not one of info, warning, error, critical");
    EXPECT_EQ(error.detail(), "severity: \"hihg\" is not one of info, warning, error, critical");
    error.fields.push_back({0, "scid", "is a string, not an integer"});
    error.fields.push_back({2, "count", "is a string, not an integer"});
    EXPECT_EQ(error.detail(), "severity: \"hihg\" is not one of info, warning, error, critical (and 2 more)");
    error.fields.resize(limits::errors_listed);
    EXPECT_THAT(error.detail(), testing::EndsWith(" (and at least 99 more)"));
}

TEST(Error, AFieldErrorNamesIndexAndField) {
    const Error error = field_error("scid", "is a string, not an integer", 7);
    EXPECT_EQ(error.code, Code::invalid_event);
    EXPECT_EQ(error.object, "scid");
    ASSERT_EQ(error.fields.size(), 1U);
    EXPECT_EQ(error.fields[0].index, 7U);
    EXPECT_EQ(error.fields[0].field, "scid");
    EXPECT_EQ(error.fields[0].reason, "is a string, not an integer");
}

TEST(Error, SizeIs413AndRateIs429) {
    Error error{Code::limit_exceeded, "submit", "", "too much"};
    EXPECT_EQ(error.http_status(), 429U);
    error.too_large = true;
    EXPECT_EQ(error.http_status(), 413U);
    error.code = Code::invalid_event;
    EXPECT_EQ(error.http_status(), 422U) << "a field over its size is an invalid event";
}

TEST(ErrorDeathTest, ABrokenInvariantSaysWhatItIsAndAborts) {
    EXPECT_DEATH(fatal("the map is upside down"), "tocsin: fatal: the map is upside down");
}

} // namespace
} // namespace tocsin

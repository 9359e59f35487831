// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.hpp"

#include <gtest/gtest.h>

#include <map>

namespace tocsin::daemon {
namespace {

using Variables = std::map<std::string, std::string>;

Surroundings surroundings(bool root, Variables variables) {
    return Surroundings{.root = root,
                        .directory = "/work",
                        .variable = [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
                            const auto found = variables.find(name);
                            return found == variables.end() ? std::nullopt : std::optional(found->second);
                        }};
}

Result<Options> parse(std::vector<const char*> arguments, bool root = true, Variables variables = {}) {
    return parse_options(arguments, surroundings(root, std::move(variables)));
}

TEST(Options, RootGetsTheSystemsPlaces) {
    const auto options = parse({});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->action, Action::run);
    EXPECT_EQ(options->state_dir, "/var/lib/tocsin");
    EXPECT_EQ(options->runtime_dir, "/run/tocsin");
    EXPECT_EQ(options->bus, Bus::system);
    EXPECT_FALSE(options->config);
}

TEST(Options, AUserGetsTheirOwnPlaces) {
    const auto xdg = parse({}, false, {{"XDG_STATE_HOME", "/home/a/st"}, {"XDG_RUNTIME_DIR", "/run/user/7"}});
    ASSERT_TRUE(xdg);
    EXPECT_EQ(xdg->state_dir, "/home/a/st/tocsin");
    EXPECT_EQ(xdg->runtime_dir, "/run/user/7/tocsin");
    EXPECT_EQ(xdg->bus, Bus::user);
    const auto home = parse({"--runtime-dir", "/tmp/r"}, false, {{"HOME", "/home/a"}});
    ASSERT_TRUE(home);
    EXPECT_EQ(home->state_dir, "/home/a/.local/state/tocsin");
}

TEST(Options, SystemdNamesTheStateDirectory) {
    const auto options = parse({"--runtime-dir=/run/tocsin", "--bus=system"}, false,
                               {{"STATE_DIRECTORY", "/var/lib/tocsin:/var/lib/other"}, {"HOME", "/nowhere"}});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->state_dir, "/var/lib/tocsin");
    EXPECT_EQ(options->bus, Bus::system);
}

TEST(Options, TakesValuesBothWaysAndMakesPathsAbsolute) {
    const auto options = parse({"--config", "a/../t.toml", "--state-dir=state/", "--runtime-dir", "run", "--bus",
                                "none", "--set", "store.max_bytes=4G", "--set=time.zone=UTC"});
    ASSERT_TRUE(options) << options.error().detail();
    EXPECT_EQ(options->config, "/work/t.toml");
    EXPECT_EQ(options->state_dir, "/work/state");
    EXPECT_EQ(options->runtime_dir, "/work/run");
    EXPECT_EQ(options->bus, Bus::none);
    EXPECT_EQ(options->sets, (std::vector<std::string>{"store.max_bytes=4G", "time.zone=UTC"}));
}

TEST(Options, KnowsItsActions) {
    EXPECT_EQ(parse({"--help"})->action, Action::help);
    EXPECT_EQ(parse({"-h"})->action, Action::help);
    EXPECT_EQ(parse({"--version"}, false)->action, Action::version);
    EXPECT_EQ(parse({"--describe-config"}, false)->action, Action::describe_config);
    const auto check = parse({"--check-config", "--json"});
    ASSERT_TRUE(check);
    EXPECT_EQ(check->action, Action::check_config);
    EXPECT_TRUE(check->json);
}

TEST(Options, RefusesWithOneHelpfulLine) {
    struct Case {
        std::vector<const char*> arguments;
        std::string object;
        std::string says;
    };
    const std::vector<Case> cases = {
        {{"--confg", "x"}, "--confg", "--help"},
        {{"start"}, "start", "not an option"},
        {{"--config"}, "--config", "FILE"},
        {{"--config="}, "--config", "FILE"},
        {{"--bus", "session"}, "--bus", "system|user|none"},
        {{"--bus"}, "--bus", "needs a value"},
        {{"--set", "store.max_bytes"}, "--set", "KEY=VALUE"},
        {{"--set", "=4G"}, "--set", "KEY=VALUE"},
        {{"--version=2"}, "--version", "no value"},
        {{"--json"}, "--json", "--check-config"},
        {{"--state-dir", ""}, "--state-dir", "DIR"},
    };
    for (const Case& one : cases) {
        const auto options = parse(one.arguments);
        ASSERT_FALSE(options) << one.arguments.front();
        EXPECT_EQ(options.error().code, Code::invalid_argument);
        EXPECT_EQ(options.error().object, one.object);
        EXPECT_NE(options.error().reason.find(one.says), std::string::npos) << options.error().reason;
        EXPECT_EQ(options.error().detail().find('\n'), std::string::npos);
    }
}

TEST(Options, SaysWhichDirectoryIsMissing) {
    EXPECT_EQ(parse({}, false).error().object, "--state-dir");
    EXPECT_EQ(parse({}, false, {{"HOME", "/home/a"}}).error().object, "--runtime-dir");
    EXPECT_EQ(parse({}, false, {{"HOME", ""}, {"XDG_RUNTIME_DIR", "/r"}}).error().object, "--state-dir");
    EXPECT_TRUE(parse({"--check-config"}, false, {{"HOME", "/home/a"}})) << "a check needs no socket";
}

TEST(Options, UsageNamesEveryOption) {
    const std::string text = usage();
    for (const char* name :
         {"--config FILE", "--state-dir DIR", "--runtime-dir DIR", "--bus system|user|none", "--set KEY=VALUE",
          "--check-config", "--json", "--describe-config", "--version", "--help"}) {
        EXPECT_NE(text.find(name), std::string::npos) << name;
    }
}

} // namespace
} // namespace tocsin::daemon

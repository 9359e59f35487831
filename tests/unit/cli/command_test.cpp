// SPDX-License-Identifier: Apache-2.0
// Real commands run in our place: exit codes, signals, what they print and what they leave behind.
#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace tocsin::cli {
namespace {

// A file without a name, to print into and to read back.
class File {
public:
    explicit File(std::string_view text = {}) {
        std::string path = "/tmp/tocsinctl-command-XXXXXX";
        fd = ::mkstemp(path.data());
        ::unlink(path.c_str());
        while (!text.empty()) {
            const ssize_t written = ::write(fd, text.data(), text.size());
            text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : text.size());
        }
        ::lseek(fd, 0, SEEK_SET);
    }
    ~File() { ::close(fd); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    std::string text() const {
        std::string out(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
        out.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(fd, out.data(), out.size(), 0), 0)));
        return out;
    }
    int fd = -1;
};

class Pipe {
public:
    Pipe() {
        std::array<int, 2> ends{-1, -1};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader = Fd(ends[0]);
        writer = Fd(ends[1]);
    }
    std::string read_some() const {
        std::array<char, 256> buffer{};
        const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
        return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }
    Fd reader{};
    Fd writer{};
};

// Signals as a login shell hands them down, whatever started the tests; SIGPIPE as tocsinctl has it.
class CommandTest : public ::testing::Test {
protected:
    void SetUp() override {
        struct sigaction usual{};
        usual.sa_handler = SIG_DFL;
        for (const int number : {SIGINT, SIGQUIT, SIGHUP}) {
            ::sigaction(number, &usual, nullptr);
        }
        usual.sa_handler = SIG_IGN;
        ::sigaction(SIGPIPE, &usual, nullptr);
    }

    CommandSetup setup(std::vector<std::string> words) const {
        return {.words = std::move(words), .input = in.fd, .output = out.fd, .errors = err.fd};
    }
    CommandSetup shell(std::string script) const { return setup({"sh", "-c", std::move(script)}); }

    static Ending run(CommandSetup setup) {
        Command command(std::move(setup));
        EXPECT_EQ(command.start(), 0);
        Ending ending = command.wait();
        command.finish();
        return ending;
    }

    File in{};
    File out{};
    File err{};
};

// Long enough for any signal to come; ends by itself when none does.
const std::string loop = "; i=0; while [ $i -lt 20000000 ]; do i=$((i+1)); done; exit 1";

TEST_F(CommandTest, GivesTheCommandsOwnCode) {
    for (const int code : {0, 1, 3, 125, 255}) {
        const Ending ending = run(shell("exit " + std::to_string(code)));
        EXPECT_EQ(ending.code, code);
        EXPECT_EQ(ending.how, "exit code " + std::to_string(code));
        EXPECT_EQ(ending.good(), code == 0);
    }
}

TEST_F(CommandTest, ASignalsCodeIs128More) {
    const Ending killed = run(shell("kill -9 $$"));
    EXPECT_EQ(killed.code, 137);
    EXPECT_EQ(killed.how, "ended by signal 9 (Killed)");
    EXPECT_EQ(run(shell("kill -TERM $$")).code, 143);
}

TEST_F(CommandTest, SaysWhyItCannotStart) {
    EXPECT_EQ(Command(setup({"/nowhere/at-all"})).start(), ENOENT);
    EXPECT_EQ(Command(setup({"no-such-command-in-path"})).start(), ENOENT);
    std::string path = "/tmp/tocsinctl-command-XXXXXX";
    const Fd plain(::mkstemp(path.data()));
    EXPECT_EQ(Command(setup({path})).start(), EACCES);
    ::unlink(path.c_str());
}

TEST_F(CommandTest, StreamsStayApartAndUnchanged) {
    Command command(shell("printf 'to out'; printf 'to err' >&2"));
    ASSERT_EQ(command.start(), 0);
    command.wait();
    command.finish();
    EXPECT_EQ(out.text(), "to out");
    EXPECT_EQ(err.text(), "to err");
    const std::string tail = command.tail(1'024);
    EXPECT_TRUE(tail == "to outto err" || tail == "to errto out") << tail;
}

TEST_F(CommandTest, OrderStaysWhereBothGoToTheSamePlace) {
    CommandSetup same = shell("i=0; while [ $i -lt 300 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done");
    same.errors = out.fd;
    EXPECT_EQ(run(same).code, 0);
    std::string wanted;
    for (int i = 0; i < 300; ++i) {
        wanted += "o" + std::to_string(i) + "\ne" + std::to_string(i) + "\n";
    }
    EXPECT_EQ(out.text(), wanted);
}

TEST_F(CommandTest, AnyBytesPassThroughFromInputToOutput) {
    std::string bytes;
    for (unsigned i = 0; i < 300'000; ++i) {
        bytes += static_cast<char>(i * i * 7U + i / 251U);
    }
    const File input(bytes);
    CommandSetup copy = setup({"cat"});
    copy.input = input.fd;
    EXPECT_EQ(run(copy).code, 0);
    EXPECT_TRUE(out.text() == bytes);
}

TEST_F(CommandTest, TheTailIsTheEnd) {
    Command command(shell("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo the end >&2"));
    ASSERT_EQ(command.start(), 0);
    command.wait();
    EXPECT_TRUE(command.tail(100).size() <= 100);
    EXPECT_NE(command.tail(1'024).find("the end"), std::string::npos);
    EXPECT_NE(command.tail(1'024).find("line 2999"), std::string::npos);
    command.finish();
}

TEST_F(CommandTest, WithoutATailItHasTheFilesThemselves) {
    const std::string script = "readlink /proc/self/fd/1";
    run(shell(script));
    EXPECT_TRUE(out.text().starts_with("pipe:")) << out.text();
    CommandSetup plain = shell(script);
    plain.keep_tail = false;
    plain.output = err.fd;
    run(plain);
    EXPECT_TRUE(err.text().starts_with("/tmp/tocsinctl-command-")) << err.text();
}

TEST_F(CommandTest, VariablesReplaceOurs) {
    CommandSetup with = shell("echo $TOCSIN_RUN $HOME");
    with.variables = {"TOCSIN_RUN=r1", "HOME=/elsewhere"};
    run(with);
    EXPECT_EQ(out.text(), "r1 /elsewhere\n");
}

TEST_F(CommandTest, ItBeginsWithUsualSignals) {
    sigset_t before{};
    ::sigprocmask(SIG_BLOCK, nullptr, &before);
    EXPECT_EQ(run(shell("grep -E 'SigBlk|SigIgn' /proc/self/status")).code, 0);
    EXPECT_NE(out.text().find("SigBlk:\t0000000000000000"), std::string::npos) << out.text();
    EXPECT_EQ(out.text().find("SigIgn:\t0000000000001000"), std::string::npos) << "SIGPIPE is as usual for it";
    sigset_t after{};
    ::sigprocmask(SIG_BLOCK, nullptr, &after);
    EXPECT_EQ(::sigismember(&after, SIGTERM), ::sigismember(&before, SIGTERM)) << "and for us afterwards";
}

TEST_F(CommandTest, SignalsSentToUsArePassedOn) {
    for (const std::string name : {"INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM", "WINCH"}) {
        // The subshell is another process than the command, as whoever signals tocsinctl is.
        const Ending ending = run(shell("trap 'exit 7' " + name + "; (kill -" + name + " $PPID)" + loop));
        EXPECT_EQ(ending.code, 7) << name;
    }
}

TEST_F(CommandTest, ASignalThatTheCommandDoesNotHandleEndsItAlone) {
    EXPECT_EQ(run(shell("(kill -TERM $PPID)" + loop)).code, 143);
}

TEST_F(CommandTest, WhatTheCommandItselfSendsIsNotSentBack) {
    EXPECT_EQ(run(shell("trap 'exit 7' USR1; kill -USR1 $PPID; (exit 0); exit 4")).code, 4);
}

TEST_F(CommandTest, IgnoredChildrenDoNotHideTheCode) {
    struct sigaction ignore{};
    struct sigaction before{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGCHLD, &ignore, &before);
    EXPECT_EQ(run(shell("exit 5")).code, 5);
    struct sigaction now{};
    ::sigaction(SIGCHLD, &before, &now);
    EXPECT_EQ(now.sa_handler, SIG_IGN) << "put back";
}

TEST_F(CommandTest, AReaderThatLeftEndsTheCommandAsUsual) {
    Pipe pipe;
    pipe.reader.reset();
    CommandSetup endless = setup({"yes"});
    endless.output = pipe.writer.get();
    EXPECT_EQ(run(endless).code, 128 + SIGPIPE);
}

TEST_F(CommandTest, AReaderThatSleepsHoldsNoSignalUp) {
    Pipe pipe;
    CommandSetup endless = setup({"yes"});
    endless.output = pipe.writer.get();
    Command command(endless);
    ASSERT_EQ(command.start(), 0);
    std::jthread full([writer = pipe.writer.get()] {
        struct pollfd room{writer, POLLOUT, 0};
        while (::poll(&room, 1, 1) > 0) {
            // Until nothing more fits.
        }
        ::kill(::getpid(), SIGTERM);
    });
    EXPECT_EQ(command.wait().code, 143);
    full.join();
    ::kill(::getpid(), SIGTERM); // nobody reads the rest, and we are not to wait for that
    command.finish();
}

TEST_F(CommandTest, WhatItLeavesBehindKeepsItsOutputAndHoldsNobodyUp) {
    std::string folder = "/tmp/tocsinctl-command-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string fifo = folder + "/go";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    Pipe pipe;
    CommandSetup leaves = shell("(read x < " + fifo + "; echo late) & echo early");
    leaves.output = leaves.errors = pipe.writer.get();
    EXPECT_EQ(run(leaves).code, 0) << "though a process of it still runs";
    EXPECT_EQ(pipe.read_some(), "early\n");
    {
        const Fd go(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
        EXPECT_EQ(::write(go.get(), "x\n", 2), 2);
    }
    EXPECT_EQ(pipe.read_some(), "late\n");
    pipe.writer.reset();
    EXPECT_EQ(pipe.read_some(), "") << "and the pipe ends with it";
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

} // namespace
} // namespace tocsin::cli

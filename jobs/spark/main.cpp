// SPDX-License-Identifier: Apache-2.0
// tocsin-spark: runs one SPARK script for the daemon and answers over the socket that is its standard input. Started by
// the daemon itself, or by systemd for each connection (Accept=yes, StandardInput=socket).
#include "core/fd.hpp"
#include "jobs/priority.hpp"
#include "jobs/spark/supervisor.hpp"

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using tocsin::Fd;

constexpr int first_free_fd = 10; // the script's descriptors are put below

bool is_our_socket(int fd) {
    int type = 0;
    int domain = 0;
    socklen_t size = sizeof(int);
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
           ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

// The socket moves away from descriptor 0, which becomes /dev/null; what else was inherited is closed, but for 1 and 2.
Fd take_socket() {
    Fd socket(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, first_free_fd));
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!socket.valid() || !null.valid() || ::dup2(null.get(), STDIN_FILENO) < 0) {
        return {};
    }
    const auto kept = static_cast<unsigned>(socket.get());
    ::close_range(kept + 1, ~0U, 0);
    return socket;
}

Fd open_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, number);
        std::signal(number, SIG_DFL); // an ignored SIGCHLD would reap behind our back
    }
    std::signal(SIGPIPE, SIG_IGN);
    ::sigprocmask(SIG_SETMASK, &set, nullptr);
    return Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        return std::puts("tocsin-spark " TOCSIN_VERSION) < 0 ? 1 : 0;
    }
    if (argc != 1 || !is_our_socket(STDIN_FILENO)) {
        std::fputs("tocsin-spark runs one SPARK script for tocsind, over a seqpacket socket as its standard input.\n"
                   "It is started by tocsind or by tocsin-spark.socket; to run a script, use: tocsinctl jobs run\n",
                   stderr);
        return 2;
    }
    tocsin::jobs::give_way();
    tocsin::jobs::give_way_in_session();
    Fd socket = take_socket();
    Fd signals = open_signals();
    if (!socket.valid() || !signals.valid() || ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        std::perror("tocsin-spark");
        return 1;
    }
    tocsin::jobs::spark::Supervisor(std::move(socket), std::move(signals)).run();
    return 0;
}

// Calls that are made in the target's place and mean its descriptors by number,
// or several messages.

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap.h"
#include "fakes/trap/syscall_trap_test_base.h"
#include "fakes/trap/trap_test_sockets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/testing/matchers.h"

namespace net::trap {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class LocalCallTest : public SyscallTrapTest {
 protected:
  // Runs a body with a plan that cannot be carried out. Returns the message.
  static std::string Obstacle(absl::string_view plan,
                              absl::FunctionRef<std::string()> body) {
    const auto report = RunTrapped(*ParseFaultPlan(plan), body);
    EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
    return std::string(report.status().message());
  }

  // The same as RunInPlace(), if the kernel has made none of the calls.
  static std::string RunOnlyInPlace(SyscallId call,
                                    absl::FunctionRef<std::string()> body) {
    std::vector<std::string> trace;
    std::string result = RunInPlace(call, body, &trace);
    EXPECT_THAT(trace, Not(Contains(HasSubstr("= ?"))));
    return result;
  }
};

// Two messages, with a buffer each.
struct TwoMessages {
  TwoMessages(char* first, size_t first_size, char* second, size_t second_size)
      : buffers{{{first, first_size}, {second, second_size}}} {
    for (size_t i = 0; i < 2; ++i) {
      headers[i].msg_hdr.msg_iov = &buffers[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_len = 99;
    }
  }

  std::string Lengths() const {
    return absl::StrCat(headers[0].msg_len, "+", headers[1].msg_len);
  }

  std::array<iovec, 2> buffers;
  std::array<mmsghdr, 2> headers = {};
};

// Sends "ab" and "cdef" by sendmmsg(2). Returns what became of it, and what has
// arrived.
std::string SendTwo() {
  const Pair pair = NewPair();
  std::string text = "abcdef";
  TwoMessages messages(&text[0], 2, &text[2], 4);
  const int sent = sendmmsg(pair.client, messages.headers.data(), 2, 0);
  const std::string outcome = sent < 0 ? Outcome(sent) : absl::StrCat(sent);
  close(pair.client);
  std::string got(16, '\0');
  got.resize(static_cast<size_t>(
      recv(pair.server, got.data(), got.size(), MSG_WAITALL)));
  return absl::StrCat(outcome, " ", messages.Lengths(), " ", got);
}

TEST_F(LocalCallTest, SendMMsgWithoutALimit) {
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kSendMMsg, SendTwo), "2 2+4 abcdef");
}

// As the kernel: it ends after a message that is not sent whole
// (__sys_sendmmsg() in net/socket.c).
TEST_F(LocalCallTest, AShortSendMMsgEndsInAMessage) {
  EXPECT_EQ(Run("sendmmsg=short(3)", SendTwo).report, "2 2+1 abc");
}

TEST_F(LocalCallTest, AShortSendMMsgEndsBetweenMessages) {
  EXPECT_EQ(Run("sendmmsg=short(2)", SendTwo).report, "1 2+99 ab");
}

TEST_F(LocalCallTest, APartialSendMMsg) {
  EXPECT_EQ(Run("sendmmsg=ENOBUFS partial(1)", SendTwo).report,
            "ENOBUFS 99+99 a");
}

// Sends "abcdef" and receives it by recvmmsg(2) with two buffers of 2 and 4
// bytes. Returns what became of it, and what was left.
std::string ReceiveTwo() {
  const Pair pair = NewPair();
  WriteAll(pair.client, "abcdef");
  close(pair.client);
  std::string text = "......";
  TwoMessages messages(&text[0], 2, &text[2], 4);
  timespec timeout = {.tv_sec = 77, .tv_nsec = 0};
  const int count =
      recvmmsg(pair.server, messages.headers.data(), 2, 0, &timeout);
  std::string rest(16, '\0');
  rest.resize(static_cast<size_t>(
      recv(pair.server, rest.data(), rest.size(), MSG_WAITALL)));
  return absl::StrCat(count, " ", messages.Lengths(), " ", text, " ", rest, " ",
                      timeout.tv_sec);
}

TEST_F(LocalCallTest, RecvMMsgWithoutALimit) {
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kRecvMMsg, ReceiveTwo),
            "2 2+4 abcdef  76");
}

TEST_F(LocalCallTest, AShortRecvMMsgEndsInAMessage) {
  EXPECT_EQ(Run("recvmmsg=short(3)", ReceiveTwo).report, "2 2+1 abc... def 76");
}

TEST_F(LocalCallTest, AShortRecvMMsgEndsBetweenMessages) {
  EXPECT_EQ(Run("recvmmsg=short(2)", ReceiveTwo).report,
            "1 2+99 ab.... cdef 76");
}

// tcp(7): the bytes are discarded and not written.
TEST_F(LocalCallTest, DiscardedBytesAreNotWritten) {
  const TrapReport report = Run("recvmsg=short(2)", [] {
    const Pair pair = NewPair();
    WriteAll(pair.client, "abcdef");
    std::string text = "....";
    iovec buffer = {.iov_base = text.data(), .iov_len = text.size()};
    msghdr message = {};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    const ssize_t got = recvmsg(pair.server, &message, MSG_TRUNC);
    return absl::StrCat(got, " ", text);
  });
  EXPECT_EQ(report.report, "2 ....");
}

// Returns the entries of an epoll that has one, as "number events data", or "".
std::string EntryOf(int epoll) {
  std::ifstream file(absl::StrCat("/proc/self/fdinfo/", epoll));
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "tfd:")) continue;
    std::istringstream words(line);
    std::string skipped;
    std::string number;
    std::string data;
    words >> skipped >> number >> skipped >> skipped >> skipped >> data;
    return absl::StrCat(number, " ", data);
  }
  return "";
}

std::string Add(int epoll, int fd) {
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = 0x4711}};
  return Outcome(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

std::string Delete(int epoll, int fd) {
  return Outcome(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr));
}

// Gives a socket the number. Returns it.
int MoveTo(int number, int fd) {
  if (fd == number) return fd;
  dup3(fd, number, O_CLOEXEC);
  close(fd);
  return number;
}

TEST_F(LocalCallTest, EpollCtlAfterAddsTheTargetsNumber) {
  const TrapReport report = Run("epoll_ctl#1=ENOMEM after", [] {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const Pair pair = NewPair();
    const int fd = MoveTo(200, pair.server);
    std::string text = Add(epoll, fd);
    absl::StrAppend(&text, " ", EntryOf(epoll));
    absl::StrAppend(&text, " ", Add(epoll, fd));
    WriteAll(pair.client, "x");
    epoll_event event = {};
    absl::StrAppend(&text, " ", epoll_wait(epoll, &event, 1, -1));
    absl::StrAppend(&text, " ", absl::Hex(event.data.u64));
    absl::StrAppend(&text, " ", Delete(epoll, fd));
    absl::StrAppend(&text, " ", EntryOf(epoll));
    return text;
  });
  EXPECT_EQ(report.report, "ENOMEM 200 4711 EEXIST 1 4711 OK ");
}

TEST_F(LocalCallTest, EpollCtlAfterDeletesTheTargetsNumber) {
  const TrapReport report = Run("epoll_ctl#2=ENOMEM after", [] {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int fd = MoveTo(200, NewSocket());
    std::string text = Add(epoll, fd);
    absl::StrAppend(&text, " ", Delete(epoll, fd));
    absl::StrAppend(&text, " ", Delete(epoll, fd));
    return text;
  });
  EXPECT_EQ(report.report, "OK ENOMEM ENOENT");
}

// Whatever the trap itself has at the number.
TEST_F(LocalCallTest, EpollCtlAfterWithAnyNumber) {
  const TrapReport report = Run("epoll_ctl=ENOMEM after", [] {
    const int epoll = MoveTo(100, epoll_create1(EPOLL_CLOEXEC));
    std::string text;
    for (int number = 3; number < 40; ++number) {
      // The report's pipe is one of them.
      if (fcntl(number, F_GETFD) >= 0) continue;
      const int fd = MoveTo(number, NewSocket());
      Add(epoll, fd);
      if (EntryOf(epoll) != absl::StrCat(number, " 4711")) {
        absl::StrAppend(&text, number, ": ", EntryOf(epoll), " ");
      }
      Delete(epoll, fd);
      close(fd);
    }
    return text;
  });
  EXPECT_EQ(report.report, "");
}

// The trap keeps no descriptor for it: the entry ends with the target's.
TEST_F(LocalCallTest, TheEntryEndsWithTheTargetsDescriptor) {
  const TrapReport report = Run("epoll_ctl=ENOMEM after", [] {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int fd = NewSocket();
    Add(epoll, fd);
    close(fd);
    // The trap closes its duplicates some time after its reply.
    while (!EntryOf(epoll).empty()) sched_yield();
    return std::string("ended");
  });
  EXPECT_EQ(report.report, "ended");
}

TEST_F(LocalCallTest, EpollCtlOfANumberThatTheTrapCannotHave) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = 150;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lower), 0);
  const std::string obstacle = Obstacle("epoll_ctl=ENOMEM after", [&] {
    setrlimit(RLIMIT_NOFILE, &before);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    return Add(epoll, MoveTo(200, NewSocket()));
  });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(obstacle, HasSubstr("epoll_ctl: the descriptor's number is "
                                  "beyond the trap's RLIMIT_NOFILE"));
}

// A connection whose server is readable, with numbers in two words of a set.
struct ReadablePair {
  int client;
  int server;
};

ReadablePair NewReadablePair() {
  const Pair pair = NewPair();
  WriteAll(pair.client, "x");
  return {.client = MoveTo(40, pair.client),
          .server = MoveTo(100, pair.server)};
}

fd_set SetOf(std::initializer_list<int> fds) {
  fd_set set;
  FD_ZERO(&set);
  for (const int fd : fds) FD_SET(fd, &set);
  return set;
}

// Returns the numbers below 128 that are in a set, each with a space.
std::string NumbersIn(const fd_set& set) {
  std::string text;
  for (int fd = 0; fd < 128; ++fd) {
    if (FD_ISSET(fd, &set)) absl::StrAppend(&text, fd, " ");
  }
  return text;
}

TEST_F(LocalCallTest, SelectTranslatesTheSets) {
  const auto body = [] {
    const ReadablePair pair = NewReadablePair();
    fd_set readable = SetOf({pair.client, pair.server});
    fd_set writable = SetOf({pair.client});
    timeval timeout = {.tv_sec = 77, .tv_usec = 0};
    const int64_t count =
        syscall(SYS_select, 101, &readable, &writable, nullptr, &timeout);
    return absl::StrCat(count, ": ", NumbersIn(readable), "and ",
                        NumbersIn(writable), "after ", 77 - timeout.tv_sec);
  };
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kSelect, body), "2: 100 and 40 after 1");
}

TEST_F(LocalCallTest, PSelectTranslatesTheSets) {
  const auto body = [] {
    const ReadablePair pair = NewReadablePair();
    fd_set readable = SetOf({pair.client, pair.server});
    fd_set exceptional = SetOf({pair.client, pair.server});
    const timespec timeout = {.tv_sec = 77, .tv_nsec = 0};
    const int count =
        pselect(101, &readable, nullptr, &exceptional, &timeout, nullptr);
    return absl::StrCat(count, ": ", NumbersIn(readable), "and ",
                        NumbersIn(exceptional));
  };
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kPSelect6, body), "1: 100 and ");
}

TEST_F(LocalCallTest, SelectThatTimesOutEmptiesTheSets) {
  const auto body = [] {
    fd_set readable = SetOf({MoveTo(40, NewListener())});
    timeval timeout = {.tv_sec = 0, .tv_usec = 1};
    const int64_t count =
        syscall(SYS_select, 128, &readable, nullptr, nullptr, &timeout);
    return absl::StrCat(count, ": ", NumbersIn(readable), timeout.tv_usec);
  };
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kSelect, body), "0: 0");
}

// select(2): EBADF for a number that is not open. Linux ignores the numbers
// that are beyond the process's table of descriptors.
TEST_F(LocalCallTest, SelectWithNumbersThatAreNotOpen) {
  const auto body = [] {
    const int fd = NewListener();
    timeval none = {};
    const auto select_with = [&](int closed) {
      fd_set readable = SetOf({fd, closed});
      return Outcome(
          syscall(SYS_select, FD_SETSIZE, &readable, nullptr, nullptr, &none));
    };
    return absl::StrCat(select_with(fd + 1), " ", select_with(FD_SETSIZE - 1));
  };
  const std::string by_kernel = Run("", body).report;
  EXPECT_EQ(by_kernel, "EBADF OK");
  EXPECT_EQ(RunOnlyInPlace(SyscallId::kSelect, body), by_kernel);
}

TEST_F(LocalCallTest, SelectAfterWaits) {
  const TrapReport report = Run("select=ENOMEM after", [] {
    fd_set readable = SetOf({NewListener()});
    timeval timeout = {.tv_sec = 0, .tv_usec = 50'000};
    const absl::Time before = absl::Now();
    const std::string outcome = Outcome(
        syscall(SYS_select, 128, &readable, nullptr, nullptr, &timeout));
    const bool is_late = absl::Now() - before >= absl::Milliseconds(50);
    return absl::StrCat(outcome, " ", is_late);
  });
  EXPECT_EQ(report.report, "ENOMEM 1");
}

TEST_F(LocalCallTest, PSelectWithASignalMaskIsTheKernels) {
  const std::string obstacle = Obstacle("pselect6=ENOMEM after", [] {
    fd_set readable = SetOf({NewListener()});
    const timespec none = {};
    sigset_t signals;
    sigemptyset(&signals);
    return Outcome(pselect(128, &readable, nullptr, nullptr, &none, &signals));
  });
  EXPECT_THAT(obstacle,
              HasSubstr("pselect6: it changes the signal mask of its caller"));
}

TEST_F(LocalCallTest, SetFdAfterChangesTheTargetsFlag) {
  const TrapReport report = Run("fcntl(F_SETFD)=EIO*2 after", [] {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int fd = NewSocket();
    Bind(fd);
    const uint16_t port = PortOf(fd);
    Add(epoll, fd);
    std::string text = absl::StrCat(fcntl(fd, F_GETFD));
    for (const int flag : {0, FD_CLOEXEC}) {
      absl::StrAppend(&text, " ", Outcome(fcntl(fd, F_SETFD, flag)));
      absl::StrAppend(&text, " ", fcntl(fd, F_GETFD));
    }
    // It is the same socket, and its epoll knows it.
    const bool is_same = PortOf(fd) == port && !EntryOf(epoll).empty();
    return absl::StrCat(text, " ", is_same);
  });
  EXPECT_EQ(report.report, "1 EIO 0 EIO 1 1");
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

// As socket(2): no descriptor is left that the program does not know.
TEST_F(LocalCallTest, DupFdAfterLeavesNoDescriptor) {
  const TrapReport report =
      Run("fcntl(F_DUPFD)=EMFILE after; fcntl(F_DUPFD_CLOEXEC)=EMFILE after; "
          "fcntl(F_GETFD)=EIO after",
          [] {
            const int fd = NewSocket();
            return absl::StrCat(Outcome(fcntl(fd, F_DUPFD, 50)), " ",
                                Outcome(fcntl(fd, F_DUPFD_CLOEXEC, 50)), " ",
                                Outcome(fcntl(fd, F_GETFD)), " ",
                                fcntl(50, F_GETFL));
          });
  EXPECT_EQ(report.report, "EMFILE EMFILE EIO -1");
  EXPECT_THAT(report.open_descriptors, SizeIs(1));
}

TEST_F(LocalCallTest, FcntlAfterAboutTheOpenFile) {
  const TrapReport report = Run("fcntl#1..4=EIO after", [] {
    const int fd = NewSocket();
    std::string text = Outcome(fcntl(fd, F_SETFL, O_NONBLOCK));
    absl::StrAppend(&text, " ", Outcome(fcntl(fd, F_SETOWN, getpid())));
    absl::StrAppend(&text, " ", Outcome(fcntl(fd, F_SETSIG, SIGUSR1)));
    absl::StrAppend(&text, " ", Outcome(fcntl(fd, F_GETFL)), " ");
    const bool is_set = fcntl(fd, F_GETOWN) == getpid() &&
                        fcntl(fd, F_GETSIG) == SIGUSR1 &&
                        (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
    return absl::StrCat(text, is_set);
  });
  EXPECT_EQ(report.report, "EIO EIO EIO EIO 1");
}

TEST_F(LocalCallTest, ALockIsTheProcesss) {
  const std::string obstacle = Obstacle("fcntl=EIO after", [] {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    return Outcome(fcntl(NewSocket(), F_SETLK, &lock));
  });
  EXPECT_THAT(obstacle,
              HasSubstr("fcntl: the command is not about the open file"));
}

TEST_F(LocalCallTest, PipeAndNanoSleepAfter) {
  const TrapReport report =
      Run("pipe2=EMFILE after; nanosleep=EINTR after", [] {
        const int next = dup(STDERR_FILENO);
        close(next);
        std::array<int, 2> ends = {};
        std::string text = Outcome(pipe2(ends.data(), O_CLOEXEC));
        const bool is_free = fcntl(next, F_GETFD) < 0;
        const timespec duration = {.tv_sec = 0, .tv_nsec = 50'000'000};
        const absl::Time before = absl::Now();
        absl::StrAppend(&text, " ", is_free, " ",
                        Outcome(syscall(SYS_nanosleep, &duration, nullptr)));
        const bool is_late = absl::Now() - before >= absl::Milliseconds(50);
        absl::StrAppend(&text, " ", is_late);
        return text;
      });
  EXPECT_EQ(report.report, "EMFILE 1 EINTR 1");
}

}  // namespace
}  // namespace net::trap

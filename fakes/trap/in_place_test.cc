// Calls that are made in the target's place do what the kernel's would have
// done.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/run_trapped.h"
#include "fakes/trap/syscall_trap.h"
#include "fakes/trap/syscall_trap_test_base.h"
#include "fakes/trap/trap_test_sockets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/testing/matchers.h"

namespace net::trap {
namespace {

using ::testing::HasSubstr;

class InPlaceTest : public SyscallTrapTest {
 protected:
  // The body must return `expected` either way.
  static void ExpectAsByTheKernel(SyscallId call, const std::string& expected,
                                  absl::FunctionRef<std::string()> body) {
    EXPECT_EQ(Run("", body).report, expected) << "by the kernel";
    EXPECT_EQ(RunInPlace(call, body), expected) << "in place";
  }
};

// Memory that can be read only.
template <typename T>
T* ReadOnly(const T& value) {
  void* const page = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::memcpy(page, &value, sizeof(value));
  mprotect(page, sizeof(T), PROT_READ);
  return static_cast<T*>(page);
}

TEST_F(InPlaceTest, AcceptHasFlagsAndAddress) {
  for (const int flags : {0, int{SOCK_CLOEXEC}, int{SOCK_NONBLOCK}}) {
    const auto body = [&] {
      const int listener = NewListener();
      const int client = NewSocket();
      Connect(client, PortOf(listener));
      sockaddr_in peer = {};
      socklen_t size = sizeof(peer);
      const int fd =
          accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, flags);
      const bool is_client = ntohs(peer.sin_port) == PortOf(client);
      return absl::StrCat(is_client, " ", size, " ",
                          fcntl(fd, F_GETFD) & FD_CLOEXEC, " ",
                          (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    };
    ExpectAsByTheKernel(SyscallId::kAccept4,
                        absl::StrCat("1 16 ", flags == int{SOCK_CLOEXEC}, " ",
                                     flags == int{SOCK_NONBLOCK}),
                        body);
  }
}

TEST_F(InPlaceTest, TheTargetsLimitOfDescriptorsCounts) {
  ExpectAsByTheKernel(SyscallId::kSocket, "EMFILE", [] {
    const int next = NewSocket() + 1;
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &limit);
    return Outcome(NewSocket());
  });
}

TEST_F(InPlaceTest, AnAddressThatCannotBeWritten) {
  ExpectAsByTheKernel(SyscallId::kGetSockName, "EFAULT", [] {
    socklen_t size = sizeof(sockaddr_in);
    return Outcome(getsockname(
        NewSocket(), reinterpret_cast<sockaddr*>(ReadOnly(sockaddr_in())),
        &size));
  });
}

TEST_F(InPlaceTest, NoMoreThanTheRoomForAnAddressIsWritten) {
  ExpectAsByTheKernel(SyscallId::kGetSockName, "16 2 170", [] {
    std::array<unsigned char, 16> bytes;
    bytes.fill(170);
    socklen_t size = 4;
    getsockname(NewListener(), reinterpret_cast<sockaddr*>(bytes.data()),
                &size);
    return absl::StrCat(size, " ", bytes[0], " ", bytes[4]);
  });
}

TEST_F(InPlaceTest, RecvMMsgWritesTheMessagesThatItHas) {
  ExpectAsByTheKernel(SyscallId::kRecvMMsg, "1: 1 99 98", [] {
    const Pair pair = NewPair();
    WriteAll(pair.client, "x");
    std::array<char, 2> bytes = {};
    std::array<iovec, 2> buffers = {{{.iov_base = &bytes[0], .iov_len = 1},
                                     {.iov_base = &bytes[1], .iov_len = 1}}};
    std::array<mmsghdr, 2> messages = {};
    for (size_t i = 0; i < 2; ++i) {
      messages[i].msg_hdr.msg_iov = &buffers[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_flags = 98;
      messages[i].msg_len = 99;
    }
    const int count =
        recvmmsg(pair.server, messages.data(), 2, MSG_DONTWAIT, nullptr);
    return absl::StrCat(count, ": ", messages[0].msg_len, " ",
                        messages[1].msg_len, " ",
                        messages[1].msg_hdr.msg_flags);
  });
}

TEST_F(InPlaceTest, DuplicatesHaveTheirNumbers) {
  ExpectAsByTheKernel(
      SyscallId::kDup3, "200 1 201 0 EINVAL EINVAL 200 EBADF", [] {
        const int fd = NewSocket();
        std::string text = absl::StrCat(dup3(fd, 200, O_CLOEXEC));
        absl::StrAppend(&text, " ", fcntl(200, F_GETFD));
        absl::StrAppend(&text, " ", dup2(fd, 201));
        absl::StrAppend(&text, " ", fcntl(201, F_GETFD));
        absl::StrAppend(&text, " ", Outcome(dup3(200, 200, 0)));
        absl::StrAppend(&text, " ", Outcome(dup3(fd, 202, O_NONBLOCK)));
        absl::StrAppend(&text, " ", dup2(200, 200));
        absl::StrAppend(&text, " ", Outcome(dup2(fd, -1)));
        return text;
      });
}

TEST_F(InPlaceTest, PollWritesItsEvents) {
  ExpectAsByTheKernel(SyscallId::kPoll, "3: 1 4 32 0", [] {
    const Pair pair = NewPair();
    WriteAll(pair.client, "x");
    std::array<pollfd, 4> set = {
        {{.fd = pair.server, .events = POLLIN, .revents = 99},
         {.fd = pair.client, .events = POLLIN | POLLOUT, .revents = 99},
         {.fd = 500, .events = POLLIN, .revents = 99},
         {.fd = -1, .events = POLLIN, .revents = 99}}};
    const int count = poll(set.data(), set.size(), -1);
    return absl::StrCat(count, ": ", set[0].revents, " ", set[1].revents, " ",
                        set[2].revents, " ", set[3].revents);
  });
}

TEST_F(InPlaceTest, PPollWritesTheTimeThatIsLeft) {
  ExpectAsByTheKernel(SyscallId::kPPoll, "1 76", [] {
    pollfd set = {.fd = NewListener(), .events = POLLIN, .revents = 0};
    const int client = NewSocket();
    Connect(client, PortOf(set.fd));
    timespec timeout = {.tv_sec = 77, .tv_nsec = 0};
    const int64_t count =
        syscall(SYS_ppoll, &set, 1, &timeout, nullptr, size_t{8});
    return absl::StrCat(count, " ", timeout.tv_sec);
  });
}

TEST_F(InPlaceTest, SelectIgnoresThatTheTimeCannotBeWritten) {
  ExpectAsByTheKernel(SyscallId::kSelect, "0", [] {
    fd_set set;
    FD_ZERO(&set);
    const int fd = NewListener();
    FD_SET(fd, &set);
    return absl::StrCat(syscall(SYS_select, fd + 1, &set, nullptr, nullptr,
                                ReadOnly(timeval{.tv_sec = 0, .tv_usec = 1})));
  });
}

TEST_F(InPlaceTest, EpollWaitWritesItsEvents) {
  ExpectAsByTheKernel(SyscallId::kEpollWait, "2 4711 4711 0", [] {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const Pair pair = NewPair();
    for (const int fd : {pair.client, pair.server}) {
      epoll_event event = {.events = EPOLLOUT, .data = {.u64 = 4711}};
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }
    std::array<epoll_event, 3> events = {};
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    return absl::StrCat(count, " ", uint64_t{events[0].data.u64}, " ",
                        uint64_t{events[1].data.u64}, " ",
                        uint64_t{events[2].data.u64});
  });
}

// TCP_INQ makes recvmsg(2) add a control message: the bytes that are left.
TEST_F(InPlaceTest, RecvMsgWritesControlDataAndFlags) {
  ExpectAsByTheKernel(SyscallId::kRecvMsg, "1: 2 left, flags 0", [] {
    const Pair pair = NewPair();
    const int on = 1;
    setsockopt(pair.server, IPPROTO_TCP, TCP_INQ, &on, sizeof(on));
    WriteAll(pair.client, "xyz");
    char byte = 0;
    alignas(cmsghdr) std::array<char, 128> control = {};
    iovec buffer = {.iov_base = &byte, .iov_len = 1};
    msghdr message = {};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    message.msg_flags = 99;
    const ssize_t got = recvmsg(pair.server, &message, 0);
    cmsghdr* const first = CMSG_FIRSTHDR(&message);
    if (first == nullptr || CMSG_NXTHDR(&message, first) != nullptr) {
      return std::string("not one control message");
    }
    int left = 0;
    std::memcpy(&left, CMSG_DATA(first), sizeof(left));
    return absl::StrCat(got, ": ", left, " left, flags ", message.msg_flags);
  });
}

// The option has a pointer inside.
TEST_F(InPlaceTest, AFilterIsAttachedByTheKernel) {
  const auto report = RunTrapped(*ParseFaultPlan("setsockopt=EIO after"), [] {
    sock_filter accept_all = {
        .code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0xffffffff};
    const sock_fprog filter = {.len = 1, .filter = &accept_all};
    return Outcome(setsockopt(NewSocket(), SOL_SOCKET, SO_ATTACH_FILTER,
                              &filter, sizeof(filter)));
  });
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(report.status().message(),
              HasSubstr("setsockopt: the option has a pointer inside"));
}

TEST_F(InPlaceTest, ASleepDoesNotDelayOtherCalls) {
  const TrapReport report = Run("nanosleep=EIO after; socket=EMFILE", [] {
    std::atomic<pid_t> thread = 0;
    std::thread([&] {
      const timespec duration = {.tv_sec = 1000, .tv_nsec = 0};
      thread = gettid();
      syscall(SYS_nanosleep, &duration, nullptr);
    }).detach();
    AwaitSleep(thread);
    return Outcome(NewSocket());
  });
  EXPECT_EQ(report.report, "EMFILE");
}

TEST_F(InPlaceTest, SocketsOfIpv6AreTrapped) {
  EXPECT_EQ(
      Run("socket=EMFILE",
          [] {
            return Outcome(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
          })
          .report,
      "EMFILE");
}

// Runs a body in a namespace of its own. Returns "none" where that is
// forbidden.
std::string InNamespace(int flag, absl::FunctionRef<std::string()> body) {
  if (unshare(CLONE_NEWUSER | flag) != 0) return "none";
  return body();
}

TEST_F(InPlaceTest, ASocketOfAnotherNetworkIsTheKernels) {
  const auto networks = [](int fd) {
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);
    getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
    return cookie;
  };
  const std::string text = RunInPlace(SyscallId::kSocket, [&] {
    const uint64_t before = networks(NewSocket());
    return InNamespace(CLONE_NEWNET, [&] {
      return absl::StrCat(networks(NewSocket()) != before);
    });
  });
  if (text == "none") GTEST_SKIP() << "no namespace of users";
  EXPECT_EQ(text, "1");
}

TEST_F(InPlaceTest, AnOwnerOfAnotherNamespaceIsTheKernels) {
  const auto report = RunTrapped(*ParseFaultPlan("fcntl=EIO after"), [] {
    return InNamespace(CLONE_NEWPID, [] {
      const pid_t child = fork();
      if (child == 0) {
        fcntl(NewSocket(), F_SETOWN, getpid());
        _exit(0);
      }
      waitpid(child, nullptr, 0);
      return std::string("forked");
    });
  });
  if (report.ok() && report->report == "none") {
    GTEST_SKIP() << "no namespace of users";
  }
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(report.status().message(),
              HasSubstr("fcntl: it names a process of another namespace"));
}

TEST_F(InPlaceTest, TheTrapKeepsNoDescriptor) {
  const auto before = sandbox::ListNumbers("/proc/self/fd");
  Run("socket#1=EMFILE after; accept4#1=ENOMEM after; dup#1=EMFILE after", [] {
    const int fd = NewSocket();
    const int listener = NewListener(SOCK_NONBLOCK);
    Connect(NewSocket(), PortOf(listener));
    const int accepted = accept4(listener, nullptr, nullptr, 0);
    return absl::StrCat(fd, accepted, dup(listener));
  });
  const auto after = sandbox::ListNumbers("/proc/self/fd");
  ASSERT_THAT(before, IsOk());
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(*before, *after);
}

#ifdef __x86_64__

// Makes getpid() as a 32-bit program does. Returns its value or -errno.
int GetPidBy32Bits() {
  int result = 20;  // __NR_getpid of i386
  asm volatile("int $0x80" : "+a"(result) : : "memory");
  return result;
}

// A kernel without CONFIG_IA32_EMULATION sends SIGSEGV.
bool Has32Bits() {
  const pid_t child = fork();
  if (child == 0) _exit(GetPidBy32Bits() == getpid() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0;
}

// x32 has other numbers for the same calls. Debian's kernel has none.
TEST_F(InPlaceTest, CallsOfX32AreRefused) {
  const TrapReport report = Run("", [] {
    constexpr long kX32Bit = 0x40000000;
    return Outcome(syscall(kX32Bit | SYS_getpid));
  });
  EXPECT_EQ(report.report, "ENOSYS");
}

TEST_F(InPlaceTest, CallsOf32BitsAreRefused) {
  const auto report =
      RunTrapped({}, [] { return absl::StrCat(GetPidBy32Bits()); });
  if (!Has32Bits()) {  // The kernel ends the program.
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->report, "");
    return;
  }
  EXPECT_EQ(report.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(report.status().message(), HasSubstr("another architecture"));
}

#endif

}  // namespace
}  // namespace net::trap

// Checks that the two cycles of cycle.h make identical system calls. Each cycle
// runs in a child process under ptrace(2).

#include <netinet/in.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/testing/matchers.h"
#include "tcp/cycle.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using ::testing::ElementsAre;

// An invalid descriptor. close(2) of it marks the begin and the end of the
// calls that are compared.
constexpr int kMarker = -4711;

// The child's exit status if ptrace(2) is forbidden. Otherwise the status is 0,
// or 1 if the cycle failed.
constexpr int kForbidden = 77;

// One system call of the child: its name, its arguments (of a pointer only
// whether it is null) and the bytes that one of the pointers points to.
struct Asked {
  std::string call;
  std::vector<uint64_t> arguments;
  std::string bytes;
  friend bool operator==(const Asked&, const Asked&) = default;
};

std::ostream& operator<<(std::ostream& os, const Asked& asked) {
  os << asked.call << "(";
  for (const uint64_t argument : asked.arguments) {
    os << static_cast<int64_t>(argument) << " ";
  }
  return os << testing::PrintToString(asked.bytes) << ")";
}

// Returns `size` bytes of a stopped child's memory.
std::string Peek(pid_t child, uint64_t address, size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const long word =
        ptrace(PTRACE_PEEKDATA, child,
               reinterpret_cast<void*>(address + bytes.size()), nullptr);
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  bytes.resize(size);
  return bytes;
}

// Descriptors are 32 bits wide. The upper half of the register is undefined.
uint64_t Int(uint64_t argument) {
  return static_cast<uint64_t>(static_cast<int32_t>(argument));
}

Asked Describe(pid_t child, uint64_t number, const uint64_t (&a)[6]) {
  switch (number) {
    case SYS_socket:
      return {"socket", {Int(a[0]), Int(a[1]), Int(a[2])}, ""};
    case SYS_connect:
      return {"connect", {Int(a[0]), Int(a[2])}, Peek(child, a[1], Int(a[2]))};
    case SYS_accept4:
      return {"accept4", {Int(a[0]), a[1], a[2], Int(a[3])}, ""};
    case SYS_setsockopt:
      return {"setsockopt",
              {Int(a[0]), Int(a[1]), Int(a[2]), Int(a[4])},
              Peek(child, a[3], Int(a[4]))};
    case SYS_close:
      return {"close", {Int(a[0])}, ""};
    default:
      return {"call " + std::to_string(number), {}, ""};
  }
}

struct Trace {
  std::vector<Asked> calls;  // Between the markers.
  std::optional<int> exit_status;
  int error = 0;  // Errno of a failed call of the tracer.
};

// Lets the child run until its next stop. Returns false if it has ended.
bool Resume(pid_t child, Trace* trace, int* signal) {
  int status = 0;
  if (ptrace(PTRACE_SYSCALL, child, nullptr, *signal) != 0 ||
      waitpid(child, &status, 0) != child) {
    trace->error = errno;
    return false;
  }
  if (WIFEXITED(status)) trace->exit_status = WEXITSTATUS(status);
  if (!WIFSTOPPED(status)) return false;
  *signal = WSTOPSIG(status);
  return true;
}

// Traces a child that has stopped itself until it ends.
Trace Follow(pid_t child) {
  Trace trace;
  ptrace(PTRACE_SETOPTIONS, child, nullptr,
         PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  bool recording = false;
  int signal = 0;
  while (Resume(child, &trace, &signal)) {
    if (signal != (SIGTRAP | 0x80)) continue;  // A real signal: deliver it.
    signal = 0;
    __ptrace_syscall_info info = {};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0) {
      trace.error = errno;
      kill(child, SIGKILL);
      continue;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    Asked asked = Describe(child, info.entry.nr, info.entry.args);
    const bool marker =
        asked == Asked{"close", {Int(static_cast<uint64_t>(kMarker))}, ""};
    if (recording && !marker) trace.calls.push_back(std::move(asked));
    recording ^= marker;
  }
  return trace;
}

[[noreturn]] void RunChild(const std::function<bool()>& cycle) {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kForbidden);
  const bool warm = cycle();  // So that the dynamic linker has resolved all
                              // symbols.
  raise(SIGSTOP);
  close(kMarker);
  const bool went_well = cycle();
  close(kMarker);
  _exit(warm && went_well ? 0 : 1);
}

// Runs `cycle` twice in a child and returns the system calls of the second run.
Trace TraceOf(const std::function<bool()>& cycle) {
  const pid_t child = fork();
  if (child == 0) RunChild(cycle);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    Trace failed;
    failed.error = errno;
    return failed;
  }
  if (WIFSTOPPED(status)) return Follow(child);
  Trace ended;
  if (WIFEXITED(status)) ended.exit_status = WEXITSTATUS(status);
  return ended;
}

// Excludes the calls that a sanitizer's library makes, which are none of these.
bool IsOfSockets(const Asked& asked) {
  return asked.call.rfind("call ", 0) != 0;
}

constexpr bool kSanitized =
#if defined(ABSL_HAVE_ADDRESS_SANITIZER) || defined(ABSL_HAVE_THREAD_SANITIZER)
    true;
#else
    false;
#endif

class CycleCallsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto listener =
        tcp::Listen(ip::kLocalV4, 0, {tcp::PortAssignment{&endpoint_.port}});
    ASSERT_THAT(listener, IsOk());
    listener_ = *std::move(listener);
    endpoint_.addr = ip::kLocalV4;
    std::memcpy(&address_, ip::SockAddr(endpoint_).get(), sizeof(address_));
    raw_ = TraceOf([this] { return RawCycle(listener_.fd(), address_); });
    net_tcp_ = TraceOf([this] { return NetTcpCycle(listener_, endpoint_); });
    for (const Trace& trace : {raw_, net_tcp_}) {
      if (trace.exit_status == kForbidden) {
        GTEST_SKIP() << "ptrace(2) is forbidden here";
      }
      if (trace.error == EIO || trace.error == ENOSYS) {
        GTEST_SKIP() << "no PTRACE_GET_SYSCALL_INFO (Linux 5.3): "
                     << ErrnoSymbol(trace.error);
      }
      ASSERT_EQ(trace.error, 0) << ErrnoSymbol(trace.error);
      ASSERT_EQ(trace.exit_status, 0);
    }
    if (!kSanitized) return;
    std::erase_if(raw_.calls, std::not_fn(IsOfSockets));
    std::erase_if(net_tcp_.calls, std::not_fn(IsOfSockets));
  }

  Socket listener_;
  ip::Endpoint endpoint_;
  sockaddr_in address_ = {};
  Trace raw_;
  Trace net_tcp_;
};

std::vector<std::string> Names(const Trace& trace) {
  std::vector<std::string> names;
  for (const Asked& asked : trace.calls) names.push_back(asked.call);
  return names;
}

TEST_F(CycleCallsTest, NetTcpMakesTheSameCallsAsLibc) {
  EXPECT_EQ(net_tcp_.calls, raw_.calls);
}

TEST_F(CycleCallsTest, AndThatIsTheCycle) {
  EXPECT_THAT(Names(net_tcp_), ElementsAre("socket", "connect", "accept4",
                                           "setsockopt", "close", "close"));
}

}  // namespace
}  // namespace net

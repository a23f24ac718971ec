// Determinism: a program has the same trace on a FakeKernel in each run, byte
// by byte. Choices that Linux makes at random depend on the seed.

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/tracing_syscalls.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

// A pseudo-random program: two processes that listen, connect, send, wait and
// close. All its numbers come from one engine.
class Program {
 public:
  Program(FakeKernel& kernel, uint64_t seed, std::string& trace)
      : random_(seed) {
    for (const char* const name : {"client", "server"}) {
      processes_.push_back(std::make_unique<TracingSyscalls>(
          kernel.NewProcess(),
          [&](absl::string_view line) { absl::StrAppend(&trace, line, "\n"); },
          name));
    }
    Listen();
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
  }

 private:
  // A descriptor and its process.
  struct Held {
    TracingSyscalls* process;
    int fd;
  };

  // Not a std distribution, because these differ between libraries.
  size_t Below(size_t end) { return random_() % end; }
  TracingSyscalls& AnyProcess() { return *processes_[Below(2)]; }
  Held Any(const std::vector<Held>& some) { return some[Below(some.size())]; }

  void Step() {
    switch (Below(9)) {
      case 0:
        return Listen();
      case 1:
        return Connect();
      case 2:
        return Accept();
      case 3:
      case 4:
        return Send();
      case 5:
        return Receive();
      case 6:
        return Poll();
      case 7:
        return SetOption();
      default:
        return End();
    }
  }

  int NewSocket(TracingSyscalls& process, int family) {
    return process.Socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0).fd();
  }

  void Listen() {
    const bool v4 = Below(2) == 0;
    const ip::SockAddr local({v4 ? ip::kLocalV4 : ip::kLocalV6, 0});
    TracingSyscalls& process = AnyProcess();
    const int fd = NewSocket(process, v4 ? AF_INET : AF_INET6);
    static_cast<void>(process.Bind(fd, local.get(), local.size()));
    static_cast<void>(process.Listen(fd, static_cast<int>(Below(3))));
    listeners_.push_back({&process, fd});
  }

  void Connect() {
    const Held listener = Any(listeners_);
    ip::SockAddr to;
    static_cast<void>(
        listener.process->GetSockName(listener.fd, to.get(), to.size_ptr()));
    TracingSyscalls& process = AnyProcess();
    const int fd = NewSocket(process, to.get()->sa_family);
    static_cast<void>(process.Connect(fd, to.get(), to.size()));
    connections_.push_back({&process, fd});
  }

  void Accept() {
    const Held listener = Any(listeners_);
    ip::SockAddr from;
    const SysResult accepted = listener.process->Accept4(
        listener.fd, from.get(), from.size_ptr(), SOCK_NONBLOCK);
    if (accepted.ok())
      connections_.push_back({listener.process, accepted.fd()});
  }

  void Send() {
    if (connections_.empty()) return;
    const Held one = Any(connections_);
    static_cast<void>(
        one.process->Send(one.fd, kText, 1 + Below(26), MSG_NOSIGNAL));
  }

  void Receive() {
    if (connections_.empty()) return;
    const Held one = Any(connections_);
    char data[16];
    static_cast<void>(one.process->Recv(one.fd, data, sizeof(data), 0));
  }

  // Advances the clock.
  void Poll() {
    const Held one = Any(connections_.empty() ? listeners_ : connections_);
    pollfd fds[] = {{.fd = one.fd, .events = POLLIN, .revents = 0}};
    static_cast<void>(one.process->Poll(fds, 1, static_cast<int>(Below(2000))));
    timespec now = {};
    static_cast<void>(one.process->ClockGetTime(CLOCK_MONOTONIC, &now));
  }

  void SetOption() {
    const Held one = Any(connections_.empty() ? listeners_ : connections_);
    const linger value = {.l_onoff = 1, .l_linger = 0};
    static_cast<void>(one.process->SetSockOpt(one.fd, SOL_SOCKET, SO_LINGER,
                                              &value, sizeof(value)));
  }

  void End() {
    if (connections_.empty()) return;
    const size_t which = Below(connections_.size());
    const Held one = connections_[which];
    if (Below(2) == 0) {
      static_cast<void>(one.process->Shutdown(one.fd, SHUT_WR));
      return;
    }
    static_cast<void>(one.process->Close(one.fd));
    connections_.erase(connections_.begin() + static_cast<ptrdiff_t>(which));
  }

  static constexpr char kText[] = "abcdefghijklmnopqrstuvwxyz";

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<TracingSyscalls>> processes_;
  std::vector<Held> listeners_;
  std::vector<Held> connections_;
};

std::string Trace(uint64_t kernel_seed, uint64_t program_seed, int steps) {
  FakeKernel kernel({.seed = kernel_seed});
  const FakeKernel::Participant self(kernel);
  std::string trace;
  Program(kernel, program_seed, trace).Run(steps);
  return trace;
}

TEST(FakeKernelTrace, AThousandAreTheSame) {
  const std::string first = Trace(1, 20, 60);
  // Checks that the program is not trivial.
  for (const char* const sign :
       {"accept4(", " = -1 EAGAIN", ") = 1 [{", "send(", "\"abc", "AF_INET6",
        "127.0.0.1:", "-1 ECONNRESET", "{tv_sec=2"}) {
    EXPECT_TRUE(absl::StrContains(first, sign)) << sign << "\n" << first;
  }
  for (int i = 1; i < 1000; ++i) {
    ASSERT_TRUE(Trace(1, 20, 60) == first) << first;
  }
}

TEST(FakeKernelTrace, AnotherProgramMakesAnother) {
  EXPECT_FALSE(Trace(1, 20, 60) == Trace(1, 21, 60));
}

TEST(FakeKernelTrace, AnotherSeedOfTheKernelMakesAnother) {
  EXPECT_FALSE(Trace(1, 20, 60) == Trace(2, 20, 60));
}

// Returns the ephemeral ports of `count` connections, in order.
std::vector<uint16_t> EphemeralPorts(uint64_t seed, int count) {
  FakeKernel kernel({.seed = seed});
  FakeProcess& process = kernel.NewProcess();
  std::vector<uint16_t> ports;
  for (int i = 0; i < count; ++i) {
    const int fd = process.Socket(AF_INET, SOCK_STREAM, 0).fd();
    EXPECT_TRUE(process.Listen(fd, 1).ok());
    ip::SockAddr name;
    EXPECT_TRUE(process.GetSockName(fd, name.get(), name.size_ptr()).ok());
    ports.push_back(name.ToEndpoint()->port);
  }
  return ports;
}

TEST(FakeKernelTrace, AnotherSeedGivesOtherEphemeralPorts) {
  EXPECT_EQ(EphemeralPorts(1, 8), EphemeralPorts(1, 8));
  EXPECT_NE(EphemeralPorts(1, 8), EphemeralPorts(2, 8));
}

}  // namespace
}  // namespace net

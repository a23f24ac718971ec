// Measures the FakeKernel: its speed relative to Linux with the same code, and
// how its cost grows with the number of connections. Required medians on an
// idle machine (ratios are linux/fake_kernel, except for growth):
//
//   connect, accept and reset one connection        at least 60
//   64 bytes there and back                         at least 45
//   64 bytes there and back, waiting by epoll(7)    at least 30
//   bulk transfer in chunks of 16 KiB               at least 8
//   bulk transfer in chunks of 256 KiB              at least 1
//   a cycle with 1,000,000 sockets / with 1,000     at most 1.35
//   epoll_wait with 10,000 idle sockets / with 10   at most 1.2
//   memory of an idle established socket            at most 1 KiB
//
//   bazel run --config=opt //fakes:cycle_benchmark
//
// It is linked with link-time optimization, without stack protector and frame
// pointers (syscalls/testing/fast_program.bzl).

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/ratio_benchmark.h"

namespace net {
namespace {

constexpr linger kReset = {.l_onoff = 1, .l_linger = 0};

// Returns the value of a call that cannot fail here.
int64_t Must(SysResult result) {
  if (!result.ok()) {
    std::cerr << "cycle_benchmark: a system call returned " << result << "\n";
    std::abort();
  }
  return result.value();
}

// A listener on a kernel, and operations on it.
class Program {
 public:
  Program(Syscalls& sys, const ip::Addr& addr) : sys_(sys) {
    listener_ = NewSocket();
    const ip::SockAddr local(ip::Endpoint{addr, 0});
    Must(sys_.Bind(listener_, local.get(), local.size()));
    Must(sys_.Listen(listener_, 128));
    Must(sys_.GetSockName(listener_, address_.get(), address_.size_ptr()));
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() { Must(sys_.Close(listener_)); }

  void Connect(int* client, int* server) {
    *client = NewSocket();
    Must(sys_.Connect(*client, address_.get(), address_.size()));
    *server = static_cast<int>(
        Must(sys_.Accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)));
  }

  void CloseByReset(int client, int server) {
    Must(sys_.SetSockOpt(client, SOL_SOCKET, SO_LINGER, &kReset,
                         sizeof(kReset)));
    Must(sys_.Close(client));
    Must(sys_.Close(server));
  }

  void Cycle() {
    int client = -1;
    int server = -1;
    Connect(&client, &server);
    CloseByReset(client, server);
  }

  // Sends `data` through a connection, each time as much as possible.
  void Transfer(int from, int to, std::vector<char>& data) {
    size_t sent = 0;
    for (size_t received = 0; received < data.size();) {
      if (sent < data.size()) {
        const SysResult part =
            sys_.Send(from, data.data() + sent, data.size() - sent,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
        if (part.ok()) sent += static_cast<size_t>(part.value());
      }
      received += static_cast<size_t>(Must(
          sys_.Recv(to, data.data() + received, data.size() - received, 0)));
    }
  }

  // Send and receive what fits at once.
  void Send(int fd, const std::vector<char>& data) {
    Must(sys_.Send(fd, data.data(), data.size(), MSG_NOSIGNAL));
  }
  void Recv(int fd, std::vector<char>& data) {
    Must(sys_.Recv(fd, data.data(), data.size(), 0));
  }

  Syscalls& sys() { return sys_; }

 private:
  int NewSocket() {
    return static_cast<int>(
        Must(sys_.Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  }

  Syscalls& sys_;
  int listener_ = -1;
  ip::SockAddr address_;
};

// --- Beside Linux ------------------------------------------------------------

// The kernel under measurement and a program on it.
struct Linux {
  Program program{DefaultSyscalls(), ip::kLocalV4};
};
struct Fake {
  FakeKernel kernel;
  Program program{kernel.NewProcess(), ip::kLocalV4};
};

template <typename Kernel>
void BM_Cycle(benchmark::State& state) {
  Kernel kernel;
  for (auto _ : state) kernel.program.Cycle();
}

template <typename Kernel>
void BM_Echo(benchmark::State& state) {
  Kernel kernel;
  int client = -1;
  int server = -1;
  kernel.program.Connect(&client, &server);
  std::vector<char> data(64);
  for (auto _ : state) {
    kernel.program.Transfer(client, server, data);
    kernel.program.Transfer(server, client, data);
  }
  kernel.program.CloseByReset(client, server);
}

// Adds a socket to an epoll, level-triggered.
void Watch(Syscalls& sys, int epoll, int fd) {
  epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  Must(sys.EpollCtl(epoll, EPOLL_CTL_ADD, fd, &event));
}

void AwaitEvent(Syscalls& sys, int epoll) {
  epoll_event event = {};
  if (Must(sys.EpollWait(epoll, &event, 1, -1)) != 1) std::abort();
}

// Both ends wait for their data by epoll_wait(2).
template <typename Kernel>
void BM_EpollEcho(benchmark::State& state) {
  Kernel kernel;
  Syscalls& sys = kernel.program.sys();
  int client = -1;
  int server = -1;
  kernel.program.Connect(&client, &server);
  const int epolls[] = {static_cast<int>(Must(sys.EpollCreate1(0))),
                        static_cast<int>(Must(sys.EpollCreate1(0)))};
  Watch(sys, epolls[0], client);
  Watch(sys, epolls[1], server);
  std::vector<char> data(64);
  for (auto _ : state) {
    kernel.program.Send(client, data);
    AwaitEvent(sys, epolls[1]);
    kernel.program.Recv(server, data);
    kernel.program.Send(server, data);
    AwaitEvent(sys, epolls[0]);
    kernel.program.Recv(client, data);
  }
  for (const int epoll : epolls) Must(sys.Close(epoll));
  kernel.program.CloseByReset(client, server);
}

// epoll_wait(2) that reports one socket, while others in the epoll are idle.
void BM_EpollIdle(benchmark::State& state) {
  FakeKernel kernel;
  FakeProcess& sys = kernel.NewProcess({.nofile_limit = 1 << 20});
  Program program(sys, ip::kLocalV4);
  const int epoll = static_cast<int>(Must(sys.EpollCreate1(0)));
  int client = -1;
  int server = -1;
  for (int64_t i = 0; i < state.range(0); ++i) {
    program.Connect(&client, &server);
    Watch(sys, epoll, server);
  }
  const std::vector<char> data(64);
  program.Send(client, data);
  for (auto _ : state) AwaitEvent(sys, epoll);
}

template <typename Kernel>
void BM_Bulk(benchmark::State& state) {
  Kernel kernel;
  int client = -1;
  int server = -1;
  kernel.program.Connect(&client, &server);
  std::vector<char> data(static_cast<size_t>(state.range(0)));
  for (auto _ : state) kernel.program.Transfer(client, server, data);
  state.SetBytesProcessed(state.iterations() * state.range(0));
  kernel.program.CloseByReset(client, server);
}

BENCHMARK_TEMPLATE(BM_Cycle, Linux)->Name("BM_Cycle/linux");
BENCHMARK_TEMPLATE(BM_Cycle, Fake)->Name("BM_Cycle/fake_kernel");
BENCHMARK_TEMPLATE(BM_Echo, Linux)->Name("BM_Echo/linux");
BENCHMARK_TEMPLATE(BM_Echo, Fake)->Name("BM_Echo/fake_kernel");
BENCHMARK_TEMPLATE(BM_EpollEcho, Linux)->Name("BM_EpollEcho/linux");
BENCHMARK_TEMPLATE(BM_EpollEcho, Fake)->Name("BM_EpollEcho/fake_kernel");
BENCHMARK(BM_EpollIdle)->Arg(10)->Arg(10'000);
BENCHMARK_TEMPLATE(BM_Bulk, Linux)
    ->Name("BM_Bulk/linux")
    ->Arg(16 << 10)
    ->Arg(256 << 10);
BENCHMARK_TEMPLATE(BM_Bulk, Fake)
    ->Name("BM_Bulk/fake_kernel")
    ->Arg(16 << 10)
    ->Arg(256 << 10);

// --- Growth ------------------------------------------------------------------

size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// A kernel with `n` established sockets. It is shared by all runs of the
// benchmark, because creating them takes longer than the measurement.
struct Crowd {
  explicit Crowd(int64_t sockets) {
    // One listener per 20,000 connections, because ephemeral ports limit the
    // connections to one address.
    constexpr int64_t kConnectionsEach = 20000;
    const size_t before = HeapBytes();
    for (int64_t made = 0; made < sockets / 2; ++made) {
      if (made % kConnectionsEach == 0) {
        const auto host = static_cast<uint8_t>(2 + made / kConnectionsEach);
        others.push_back(
            std::make_unique<Program>(process, ip::Addr::V4(127, 0, 0, host)));
      }
      int client = -1;
      int server = -1;
      others.back()->Connect(&client, &server);
    }
    bytes_per_socket = static_cast<double>(HeapBytes() - before) /
                       static_cast<double>(sockets);
  }

  static constexpr int kFiles = 1 << 21;

  FakeKernel kernel{{.sysctls = {.file_max = kFiles}}};
  FakeProcess& process = kernel.NewProcess({.nofile_limit = kFiles});
  std::vector<std::unique_ptr<Program>> others;
  Program program{process, ip::kLocalV4};
  double bytes_per_socket = 0;
};

void BM_CycleInCrowd(benchmark::State& state) {
  static auto& crowds = *new std::map<int64_t, std::unique_ptr<Crowd>>();
  std::unique_ptr<Crowd>& crowd = crowds[state.range(0)];
  if (crowd == nullptr) crowd = std::make_unique<Crowd>(state.range(0));
  for (auto _ : state) crowd->program.Cycle();
  state.counters["bytes_per_socket"] = crowd->bytes_per_socket;
}

BENCHMARK(BM_CycleInCrowd)->Arg(1000)->Arg(100000)->Arg(1000000);

}  // namespace
}  // namespace net

int main(int argc, char** argv) {
  return net::RunRatioBenchmarks(
      argc, argv,
      {{"BM_Cycle/linux", "BM_Cycle/fake_kernel"},
       {"BM_Echo/linux", "BM_Echo/fake_kernel"},
       {"BM_EpollEcho/linux", "BM_EpollEcho/fake_kernel"},
       {"BM_EpollIdle/10000", "BM_EpollIdle/10"},
       {"BM_Bulk/linux/16384", "BM_Bulk/fake_kernel/16384"},
       {"BM_Bulk/linux/262144", "BM_Bulk/fake_kernel/262144"},
       {"BM_CycleInCrowd/100000", "BM_CycleInCrowd/1000"},
       {"BM_CycleInCrowd/1000000", "BM_CycleInCrowd/1000"}});
}

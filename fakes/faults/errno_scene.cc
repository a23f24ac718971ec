#include "fakes/faults/errno_scene.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/loopback/loopback.h"
#include "fakes/faults/errno_probes.h"
#include "fakes/symbols.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sandbox/proc.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using loopback::RawSocket;

constexpr ip::Endpoint kAnyPort = {ip::kLocalV4, 0};

// Aborts the process, whose death the test reports, if the scene cannot be set.
void Require(const absl::Status& status) {
  if (status.ok()) return;
  const std::string message = absl::StrCat(status.ToString(), "\n");
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, message.data(), message.size());
  std::abort();
}

template <typename T>
T Require(absl::StatusOr<T> result) {
  Require(result.status());
  return *std::move(result);
}

RawSocket Require(SysResult result) {
  if (!result.ok()) Require(absl::InternalError(absl::StrCat(result.error())));
  return {result.fd(), Linux()};
}

std::string TextOf(const absl::StatusOr<ip::Endpoint>& endpoint) {
  return endpoint.ok() ? endpoint->ToString() : "none";
}

}  // namespace

RawSocket NewTcp(int type_flags) {
  return Require(
      Linux().Socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0));
}

RawSocket NewUdp() {
  return Require(Linux().Socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

RawSocket NewBound(bool reuse_addr) {
  RawSocket socket = NewTcp();
  Require(socket.SetOption(SOL_SOCKET, SO_REUSEADDR, reuse_addr ? 1 : 0).ok()
              ? absl::OkStatus()
              : absl::InternalError("SO_REUSEADDR"));
  Require(loopback::Bind(socket, kAnyPort));
  return socket;
}

loopback::Listener NewListener() {
  return Require(loopback::ListenAnywhere(Linux(), AF_INET));
}

loopback::Listener NewNonblockingListener() {
  return Require(
      loopback::ListenAnywhere(Linux(), AF_INET, {.nonblocking = true}));
}

loopback::Pair NewPair() {
  return Require(loopback::ConnectedPair(Linux(), AF_INET));
}

RawSocket NewPipeEnd() {
  int fds[2] = {};
  const SysResult result = Linux().Pipe2(fds, O_CLOEXEC);
  if (!result.ok()) Require(absl::InternalError("pipe2"));
  // The write end stays open until the process ends.
  return {fds[0], Linux()};
}

RawSocket NewRefused() {
  const auto refused =
      Require(loopback::RefusedPort::Reserve(Linux(), AF_INET));
  RawSocket socket = NewTcp(SOCK_NONBLOCK);
  static_cast<void>(CallConnect(socket, refused.endpoint()));
  AwaitEvent(socket, POLLOUT);
  return socket;
}

RawSocket NewTimedOut(const loopback::FullQueue& queue) {
  RawSocket socket = NewTcp(SOCK_NONBLOCK);
  static_cast<void>(socket.SetOption(IPPROTO_TCP, TCP_SYNCNT, 1));
  static_cast<void>(CallConnect(socket, queue.endpoint()));
  AwaitEvent(socket, POLLOUT);
  return socket;
}

RawSocket NewReset() {
  loopback::Pair pair = NewPair();
  static_cast<void>(pair.server.Reset());
  AwaitEvent(pair.client, POLLIN);
  return std::move(pair.client);
}

SysResult CallBind(const RawSocket& socket, const ip::Endpoint& local) {
  const ip::SockAddr address(local);
  return Linux().Bind(socket.fd(), address.get(), address.size());
}

SysResult CallConnect(const RawSocket& socket, const ip::Endpoint& remote) {
  const ip::SockAddr address(remote);
  return Linux().Connect(socket.fd(), address.get(), address.size());
}

void AwaitEvent(const RawSocket& socket, int16_t events) {
  if (!socket.Wait(events).ok()) Require(absl::InternalError("poll"));
}

SysResult WithDescriptorLimit(int limit, absl::FunctionRef<SysResult()> call) {
  rlimit before = {};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit lower = before;
  lower.rlim_cur = static_cast<rlim_t>(limit);
  setrlimit(RLIMIT_NOFILE, &lower);
  const SysResult result = call();
  setrlimit(RLIMIT_NOFILE, &before);
  return result;
}

SysResult WithoutDescriptors(absl::FunctionRef<SysResult()> call) {
  // The lowest free number is the limit, so that all below it are in use.
  const int free =
      Require(Linux().Fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)).fd();
  return WithDescriptorLimit(free, call);
}

SysResult Interrupted(int64_t number, absl::FunctionRef<SysResult()> call) {
  struct sigaction action = {};
  action.sa_handler = [](int /*signal*/) {};
  sigaction(SIGUSR1, &action, nullptr);
  const pthread_t blocked = pthread_self();
  // "288 0x3 ...": the system call in which the thread sleeps; "running" if it
  // does not (proc(5)).
  const std::string path =
      absl::StrCat("/proc/self/task/", gettid(), "/syscall");
  const std::string expected = absl::StrCat(number, " ");
  std::atomic<bool> returned = false;
  std::thread interrupter([&] {
    while (!returned) {
      const absl::StatusOr<std::string> current = sandbox::ReadFile(path);
      Require(current.status());
      if (absl::StartsWith(*current, expected)) {
        pthread_kill(blocked, SIGUSR1);
        return;
      }
      sched_yield();
    }
  });
  const SysResult result = call();
  returned = true;
  interrupter.join();
  return result;
}

Provoked Watch::Of(absl::FunctionRef<SysResult()> call) const {
  Provoked provoked;
  provoked.before = Observe();
  provoked.error = call().error();
  provoked.after = Observe();
  return provoked;
}

std::string Watch::Observe() const {
  const std::vector<int> open = Require(sandbox::ListNumbers("/proc/self/fd"));
  std::string text = absl::StrCat("open ", absl::StrJoin(open, " "));
  if (epoll_ >= 0) {
    absl::StrAppend(&text, "; ",
                    absl::StrReplaceAll(Require(sandbox::ReadFile(absl::StrCat(
                                            "/proc/self/fdinfo/", epoll_))),
                                        {{"\n", " "}}));
  }
  for (const RawSocket* const socket : sockets_) {
    const int fd = socket->fd();
    tcp_info info = {};
    socklen_t size = sizeof(info);
    const bool is_tcp =
        Linux().GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size).ok();
    constexpr int kListen = 10;
    int unread = 0;
    static_cast<void>(
        Linux().Ioctl(fd, FIONREAD, reinterpret_cast<intptr_t>(&unread)));
    int events = 0;
    const SysResult ready = socket->Ready(POLLIN | POLLRDHUP);
    if (ready.ok()) events = ready.fd();
    if (!pending_error_) events &= ~POLLERR;
    absl::StrAppend(
        &text, "; ", fd, ": state ", is_tcp ? int{info.tcpi_state} : -1,
        ", local ", local_ ? TextOf(socket->LocalEndpoint()) : "?", ", remote ",
        TextOf(socket->PeerEndpoint()), ", queued ",
        info.tcpi_state == kListen ? info.tcpi_unacked : 0, ", unread ", unread,
        ", events ", PollEventSymbols(static_cast<int16_t>(events)));
    if (option_.has_value()) {
      char value[64] = {};
      socklen_t length = sizeof(value);
      static_cast<void>(Linux().GetSockOpt(fd, option_->first, option_->second,
                                           value, &length));
      absl::StrAppend(&text, ", option ",
                      absl::BytesToHexString(absl::string_view(value, length)));
    }
  }
  return text;
}

std::ostream& operator<<(std::ostream& os, const ErrnoProbe& probe) {
  return os << probe.call << " " << ErrnoSymbol(probe.error);
}

}  // namespace net

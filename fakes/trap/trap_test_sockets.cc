#include "fakes/trap/trap_test_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sandbox/proc.h"

namespace net::trap {
namespace {

void Must(const char* call, int64_t result) {
  if (result >= 0) return;
  std::perror(call);
  std::abort();
}

const sockaddr* AsSockaddr(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

std::string Outcome(int64_t result) {
  return result >= 0 ? "OK" : ErrnoSymbol(errno);
}

int NewSocket(int flags) {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int64_t Bind(int fd, uint16_t port) {
  const sockaddr_in address = Loopback(port);
  return bind(fd, AsSockaddr(address), sizeof(address));
}

int64_t Connect(int fd, uint16_t port) {
  const sockaddr_in address = Loopback(port);
  return connect(fd, AsSockaddr(address), sizeof(address));
}

uint16_t PortOf(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  Must("getsockname",
       getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
  return ntohs(address.sin_port);
}

int NewListener(int flags) {
  const int fd = NewSocket(flags);
  Must("socket", fd);
  Must("bind", Bind(fd));
  Must("listen", listen(fd, 8));
  return fd;
}

Pair NewPair(int flags) {
  const int listener = NewListener();
  Pair pair = {.client = NewSocket()};
  Must("socket", pair.client);
  Must("connect", Connect(pair.client, PortOf(listener)));
  pair.server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | flags);
  Must("accept4", pair.server);
  close(listener);
  return pair;
}

void AwaitSleep(const std::atomic<pid_t>& thread) {
  const auto sleeps = [&] {
    const std::string status =
        absl::StrCat("/proc/self/task/", thread.load(), "/status");
    return absl::StartsWith(sandbox::FieldOf(status, "State"), "S");
  };
  while (thread == 0 || !sleeps()) std::this_thread::yield();
}

void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    Must("write", written);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace net::trap

#ifndef FAKES_KERNEL_SHORT_CALLS_H_
#define FAKES_KERNEL_SHORT_CALLS_H_

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "fakes/kernel/tcp/tcp_info.h"
#include "fakes/kernel/tcp/tcp_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"
#include "syscalls/testing/matchers.h"

// For tests: system calls with short names and few arguments. Functions that
// return a SysResult are for the calls under test. The other functions fail the
// test if the call fails, and then return -1 or an empty value.

namespace net::fake {

inline int Must(SysResult result) {
  EXPECT_THAT(result, IsOk());
  return result.ok() ? result.fd() : -1;
}

inline int NewTcp(Syscalls& sys, int family = AF_INET, int flags = 0) {
  return Must(sys.Socket(family, SOCK_STREAM | flags, 0));
}

inline SysResult BindTo(Syscalls& sys, int fd, const ip::Endpoint& local) {
  const ip::SockAddr address(local);
  return sys.Bind(fd, address.get(), address.size());
}

inline SysResult ConnectTo(Syscalls& sys, int fd, const ip::Endpoint& remote) {
  const ip::SockAddr address(remote);
  return sys.Connect(fd, address.get(), address.size());
}

// getsockname(2) and getpeername(2).
inline ip::Endpoint NameOf(Syscalls& sys, int fd) {
  ip::SockAddr name;
  Must(sys.GetSockName(fd, name.get(), name.size_ptr()));
  return name.ToEndpoint().value_or(ip::Endpoint{});
}
inline ip::Endpoint PeerNameOf(Syscalls& sys, int fd) {
  ip::SockAddr name;
  Must(sys.GetPeerName(fd, name.get(), name.size_ptr()));
  return name.ToEndpoint().value_or(ip::Endpoint{});
}

inline SysResult SetOption(Syscalls& sys, int fd, int level, int name,
                           int value) {
  return sys.SetSockOpt(fd, level, name, &value, sizeof(value));
}

inline int OptionOf(Syscalls& sys, int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  Must(sys.GetSockOpt(fd, level, name, &value, &size));
  return value;
}

// TCP_INFO, and its state.
inline TcpInfo InfoOf(Syscalls& sys, int fd) {
  TcpInfo info;
  socklen_t size = sizeof(info);
  Must(sys.GetSockOpt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
  return info;
}
inline TcpState StateOf(Syscalls& sys, int fd) {
  return static_cast<TcpState>(InfoOf(sys, fd).state);
}

// Calls poll(2) without blocking and returns the events of `events` that hold.
inline int16_t Ready(Syscalls& sys, int fd, int16_t events) {
  pollfd entry = {.fd = fd, .events = events, .revents = 0};
  Must(sys.Poll(&entry, 1, 0));
  return entry.revents;
}

inline SysResult WriteText(Syscalls& sys, int fd, absl::string_view text) {
  return sys.Write(fd, text.data(), text.size());
}

// Calls read(2) once.
inline std::string ReadText(Syscalls& sys, int fd, size_t most = 65536) {
  std::string text(most, '\0');
  const SysResult got = sys.Read(fd, text.data(), text.size());
  EXPECT_THAT(got, IsOk());
  text.resize(got.ok() ? static_cast<size_t>(got.value()) : 0);
  return text;
}

inline int NewListener(Syscalls& sys,
                       const ip::Endpoint& local = {ip::kLocalV4, 0},
                       int backlog = 16) {
  const int fd = NewTcp(sys, local.addr.family());
  EXPECT_THAT(BindTo(sys, fd, local), IsOk());
  EXPECT_THAT(sys.Listen(fd, backlog), IsOk());
  return fd;
}

inline int AcceptFrom(Syscalls& sys, int listener) {
  return Must(sys.Accept4(listener, nullptr, nullptr, 0));
}

inline int NewConnection(Syscalls& sys, const ip::Endpoint& remote) {
  const int fd = NewTcp(sys, remote.addr.family());
  EXPECT_THAT(ConnectTo(sys, fd, remote), IsOk());
  return fd;
}

// The two ends of a connection.
struct Pair {
  int client;
  int server;
};

inline Pair NewPair(Syscalls& sys, int listener) {
  const int client = NewConnection(sys, NameOf(sys, listener));
  return {client, AcceptFrom(sys, listener)};
}

inline Pair NewPair(Syscalls& sys) {
  const int listener = NewListener(sys);
  const Pair pair = NewPair(sys, listener);
  EXPECT_THAT(sys.Close(listener), IsOk());
  return pair;
}

}  // namespace net::fake

#endif  // FAKES_KERNEL_SHORT_CALLS_H_

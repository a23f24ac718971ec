// Probes of calls that make, name and configure sockets.

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "conformance/loopback/loopback.h"
#include "fakes/call.h"
#include "fakes/faults/errno_probes.h"
#include "fakes/faults/errno_scene.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {
namespace {

using loopback::RawSocket;

constexpr ip::Endpoint kAnyPort = {ip::kLocalV4, 0};

// A probe of a call that needs no socket.
ErrnoProbe OfNothing(Call call, int error, std::function<SysResult()> make) {
  return {call, error, [make = std::move(make)] { return Watch({}).Of(make); }};
}

// A probe of a call on a fresh TCP socket.
ErrnoProbe OnSocket(Call call, int error,
                    std::function<SysResult(const RawSocket&)> make) {
  return {call, error, [make = std::move(make)] {
            const RawSocket socket = NewTcp();
            return Watch({&socket}).Of([&] { return make(socket); });
          }};
}

// The calls that take a socket, each on a given descriptor.
struct OnDescriptor {
  Call call;
  std::function<SysResult(int fd)> make;
};

std::vector<OnDescriptor> CallsOnDescriptors() {
  static const ip::SockAddr address(kAnyPort);
  static const int on = 1;
  static char room[64];
  return {
      {Call::kSetSockOpt,
       [](int fd) {
         return Linux().SetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, &on,
                                   sizeof(on));
       }},
      {Call::kGetSockOpt,
       [](int fd) {
         socklen_t size = sizeof(room);
         return Linux().GetSockOpt(fd, SOL_SOCKET, SO_KEEPALIVE, room, &size);
       }},
      {Call::kBind,
       [](int fd) { return Linux().Bind(fd, address.get(), address.size()); }},
      {Call::kListen, [](int fd) { return Linux().Listen(fd, 1); }},
      {Call::kAccept4,
       [](int fd) { return Linux().Accept4(fd, nullptr, nullptr, 0); }},
      {Call::kConnect,
       [](int fd) {
         return Linux().Connect(fd, address.get(), address.size());
       }},
      {Call::kGetSockName,
       [](int fd) {
         ip::SockAddr own;
         return Linux().GetSockName(fd, own.get(), own.size_ptr());
       }},
      {Call::kGetPeerName,
       [](int fd) {
         ip::SockAddr peer;
         return Linux().GetPeerName(fd, peer.get(), peer.size_ptr());
       }},
      {Call::kShutdown, [](int fd) { return Linux().Shutdown(fd, SHUT_RDWR); }},
      {Call::kRecv,
       [](int fd) { return Linux().Recv(fd, room, sizeof(room), 0); }},
      {Call::kSend,
       [](int fd) { return Linux().Send(fd, room, 1, MSG_NOSIGNAL); }},
  };
}

}  // namespace

std::vector<ErrnoProbe> DescriptorProbes() {
  std::vector<ErrnoProbe> probes = {
      OfNothing(Call::kClose, EBADF, [] { return Linux().Close(-1); }),
      OfNothing(Call::kFcntl, EBADF,
                [] { return Linux().Fcntl(-1, F_GETFL, 0); }),
  };
  for (const OnDescriptor& on : CallsOnDescriptors()) {
    probes.push_back(
        OfNothing(on.call, EBADF, [make = on.make] { return make(-1); }));
    probes.push_back({on.call, ENOTSOCK, [make = on.make] {
                        const RawSocket pipe = NewPipeEnd();
                        return Watch({}).Of([&] { return make(pipe.fd()); });
                      }});
  }
  return probes;
}

std::vector<ErrnoProbe> SocketProbes() {
  const auto socket = [](int error, int domain, int type, int protocol) {
    return OfNothing(Call::kSocket, error,
                     [=] { return Linux().Socket(domain, type, protocol); });
  };
  constexpr int kUnknownFamily = 99;
  constexpr int kUnknownFlag = 0x10;
  return {
      socket(EAFNOSUPPORT, kUnknownFamily, SOCK_STREAM, 0),
      socket(EINVAL, AF_INET, SOCK_STREAM | kUnknownFlag, 0),
      socket(EPROTONOSUPPORT, AF_INET, SOCK_STREAM, IPPROTO_UDP),
      socket(ESOCKTNOSUPPORT, AF_INET, SOCK_SEQPACKET, 0),
      socket(EPERM, AF_INET, SOCK_RAW, IPPROTO_TCP),
      OfNothing(Call::kSocket, EMFILE,
                [] {
                  return WithoutDescriptors(
                      [] { return Linux().Socket(AF_INET, SOCK_STREAM, 0); });
                }),
      OnSocket(Call::kFcntl, EINVAL,
               [](const RawSocket& it) {
                 return Linux().Fcntl(it.fd(), F_DUPFD, -1);
               }),
      OnSocket(Call::kFcntl, EMFILE,
               [](const RawSocket& it) {
                 return WithoutDescriptors(
                     [&] { return Linux().Fcntl(it.fd(), F_DUPFD, 0); });
               }),
  };
}

std::vector<ErrnoProbe> OptionProbes() {
  // The option whose value must not change is the one that is set.
  const auto set = [](int error, int name, const void* value, socklen_t size) {
    return ErrnoProbe{
        Call::kSetSockOpt, error, [=] {
          const RawSocket socket = NewTcp();
          return Watch({&socket}).WithOption(SOL_SOCKET, name).Of([&] {
            return Linux().SetSockOpt(socket.fd(), SOL_SOCKET, name, value,
                                      size);
          });
        }};
  };
  const auto get = [](int error, int name, socklen_t size) {
    return OnSocket(Call::kGetSockOpt, error, [=](const RawSocket& it) {
      int value = 0;
      socklen_t length = size;
      return Linux().GetSockOpt(it.fd(), SOL_SOCKET, name, &value, &length);
    });
  };
  static const int on = 1;
  static const timeval too_many_us = {.tv_sec = 0, .tv_usec = 1'000'000};
  constexpr int kUnknownOption = 9999;
  constexpr auto kNegative = static_cast<socklen_t>(-1);
  return {
      set(EFAULT, SO_KEEPALIVE, BadPointer<int>(), sizeof(on)),
      set(EINVAL, SO_KEEPALIVE, &on, 1),
      set(ENOPROTOOPT, kUnknownOption, &on, sizeof(on)),
      set(EPERM, SO_MARK, &on, sizeof(on)),
      set(EDOM, SO_RCVTIMEO, &too_many_us, sizeof(too_many_us)),
      get(EINVAL, SO_KEEPALIVE, kNegative),
      get(ENOPROTOOPT, kUnknownOption, sizeof(int)),
      {Call::kGetSockOpt, EFAULT,
       [] {
         const RawSocket refused = NewRefused();
         return Watch({&refused}).WithPendingError().Of([&] {
           socklen_t size = sizeof(int);
           return Linux().GetSockOpt(refused.fd(), SOL_SOCKET, SO_ERROR,
                                     BadPointer<int>(), &size);
         });
       }},
  };
}

std::vector<ErrnoProbe> BindProbes() {
  constexpr uint16_t kPrivilegedPort = 80;
  // An address of no machine (RFC 5737).
  const ip::Endpoint elsewhere = {*ip::Addr::Parse("192.0.2.1"), 0};
  return {
      OnSocket(Call::kBind, EACCES,
               [](const RawSocket& it) {
                 return CallBind(it, {ip::kLocalV4, kPrivilegedPort});
               }),
      {Call::kBind, EADDRINUSE,
       [] {
         const loopback::Listener listener = NewListener();
         const RawSocket socket = NewTcp();
         return Watch({&socket, &listener.socket()}).Of([&] {
           return CallBind(socket, listener.endpoint());
         });
       }},
      {Call::kBind, EINVAL,
       [] {
         const RawSocket bound = NewBound();
         return Watch({&bound}).Of([&] { return CallBind(bound, kAnyPort); });
       }},
      OnSocket(Call::kBind, EADDRNOTAVAIL,
               [=](const RawSocket& it) { return CallBind(it, elsewhere); }),
      OnSocket(Call::kBind, EFAULT,
               [](const RawSocket& it) {
                 return Linux().Bind(it.fd(), BadPointer<sockaddr>(),
                                     sizeof(sockaddr_in));
               }),
      OnSocket(Call::kBind, EAFNOSUPPORT,
               [](const RawSocket& it) {
                 return CallBind(it, {ip::kLocalV6, 0});
               }),
      {Call::kListen, EADDRINUSE,
       [] {
         const RawSocket first = NewBound(true);
         const RawSocket second = NewTcp();
         static_cast<void>(second.SetOption(SOL_SOCKET, SO_REUSEADDR, 1));
         static_cast<void>(CallBind(second, *first.LocalEndpoint()));
         static_cast<void>(Linux().Listen(first.fd(), 1));
         return Watch({&first, &second}).Of([&] {
           return Linux().Listen(second.fd(), 1);
         });
       }},
      {Call::kListen, EOPNOTSUPP,
       [] {
         const RawSocket udp = NewUdp();
         return Watch({&udp}).Of([&] { return Linux().Listen(udp.fd(), 1); });
       }},
      {Call::kListen, EINVAL,
       [] {
         const loopback::Pair pair = NewPair();
         return Watch({&pair.client, &pair.server}).Of([&] {
           return Linux().Listen(pair.client.fd(), 1);
         });
       }},
  };
}

std::vector<ErrnoProbe> NameProbes() {
  using Method = SysResult (Syscalls::*)(int, sockaddr*, socklen_t*);
  const auto on_pair = [](Call call, int error, Method method, bool bad_pointer,
                          socklen_t size) {
    return ErrnoProbe{
        call, error, [=] {
          const loopback::Pair pair = NewPair();
          return Watch({&pair.client}).Of([&] {
            ip::SockAddr address;
            socklen_t length = size;
            sockaddr* const to =
                bad_pointer ? BadPointer<sockaddr>() : address.get();
            return (Linux().*method)(pair.client.fd(), to, &length);
          });
        }};
  };
  constexpr auto kNegative = static_cast<socklen_t>(-1);
  constexpr socklen_t kRoom = sizeof(sockaddr_in);
  return {
      on_pair(Call::kGetSockName, EFAULT, &Syscalls::GetSockName, true, kRoom),
      on_pair(Call::kGetSockName, EINVAL, &Syscalls::GetSockName, false,
              kNegative),
      on_pair(Call::kGetPeerName, EFAULT, &Syscalls::GetPeerName, true, kRoom),
      on_pair(Call::kGetPeerName, EINVAL, &Syscalls::GetPeerName, false,
              kNegative),
      OnSocket(Call::kGetPeerName, ENOTCONN,
               [](const RawSocket& it) {
                 ip::SockAddr peer;
                 return Linux().GetPeerName(it.fd(), peer.get(),
                                            peer.size_ptr());
               }),
  };
}

}  // namespace net

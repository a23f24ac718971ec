// Probes of calls that connect, accept and move data.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
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

using loopback::FullQueue;
using loopback::Listener;
using loopback::Pair;
using loopback::RawSocket;

FullQueue NewFullQueue() { return FullQueue::Make(Linux(), AF_INET).value(); }

SysResult Accept(const RawSocket& listener, int flags = 0) {
  return Linux().Accept4(listener.fd(), nullptr, nullptr, flags);
}

SysResult Receive(const RawSocket& socket, int flags = 0) {
  char room[64];
  return socket.Recv(absl::MakeSpan(room), flags);
}

// Sends until both buffers are full, and no acknowledgement is on its way that
// would make room. Returns the number of bytes.
size_t Fill(const RawSocket& socket) {
  constexpr int kMostLooks = 1000;
  size_t sent = 0;
  for (size_t more = 1; more > 0; sent += more) {
    more = loopback::SendUntilFull(socket).value();
    tcp_info info = {.tcpi_unacked = 1};
    for (int i = 0; i < kMostLooks && info.tcpi_unacked > 0; ++i) {
      static_cast<void>(Linux().Poll(nullptr, 0, 1));
      socklen_t size = sizeof(info);
      static_cast<void>(
          Linux().GetSockOpt(socket.fd(), IPPROTO_TCP, TCP_INFO, &info, &size));
    }
  }
  return sent;
}

// Makes a call that sends on the client of a pair whose buffers are full, and
// returns the number of bytes that were sent before and that arrive at all.
Provoked OfFullSender(absl::FunctionRef<SysResult(const RawSocket&)> send) {
  Pair pair = NewPair();
  const size_t sent = Fill(pair.client);
  Provoked provoked;
  provoked.error = send(pair.client).error();
  static_cast<void>(pair.client.HalfClose());
  const std::string received = loopback::RecvUntilEof(pair.server).value();
  provoked.before = absl::StrCat(sent, " bytes");
  provoked.after = absl::StrCat(received.size(), " bytes");
  return provoked;
}

// A probe by a queue that is full, with a client of its own.
ErrnoProbe OnFullQueue(
    int error, int type_flags, bool is_pending,
    std::function<SysResult(const RawSocket&, const FullQueue&)> make) {
  return {Call::kConnect, error, [=] {
            const FullQueue queue = NewFullQueue();
            const RawSocket client = NewTcp(type_flags);
            if (is_pending) {
              static_cast<void>(CallConnect(client, queue.endpoint()));
            }
            return Watch({&client}).WithoutLocal().Of(
                [&] { return make(client, queue); });
          }};
}

ErrnoProbe OnRoute(int error, const ip::Endpoint& remote) {
  return {Call::kConnect, error, [=] {
            const RawSocket client = NewTcp();
            return Watch({&client}).WithoutLocal().Of(
                [&] { return CallConnect(client, remote); });
          }};
}

// A probe of recv(2) or send(2) on a socket with a pending error, which
// the call reports and clears.
ErrnoProbe OfPending(Call call, int error,
                     const std::function<RawSocket()>& make) {
  return {call, error, [=] {
            const RawSocket socket = make();
            return Watch({&socket}).Of([&] {
              return call == Call::kRecv ? Receive(socket) : socket.Send("x");
            });
          }};
}

// Sends with MSG_FASTOPEN (tcp(7)) to an address, or to none.
SysResult SendFastOpen(const RawSocket& socket, const ip::SockAddr* to) {
  char byte = 'x';
  iovec part = {.iov_base = &byte, .iov_len = 1};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (to != nullptr) {
    message.msg_name = const_cast<sockaddr*>(to->get());
    message.msg_namelen = to->size();
  }
  return Linux().SendMsg(socket.fd(), &message, MSG_FASTOPEN | MSG_NOSIGNAL);
}

}  // namespace

std::vector<ErrnoProbe> AcceptProbes() {
  // With a connection in the queue.
  const auto with_client = [](int error, auto make) {
    return ErrnoProbe{
        Call::kAccept4, error, [=] {
          const Listener listener = NewListener();
          const RawSocket client =
              loopback::ConnectTo(Linux(), listener.endpoint()).value();
          return Watch({&listener.socket()}).Of([&] {
            return make(listener.socket());
          });
        }};
  };
  return {
      {Call::kAccept4, EAGAIN,
       [] {
         const Listener listener = NewNonblockingListener();
         return Watch({&listener.socket()}).Of([&] {
           return Accept(listener.socket());
         });
       }},
      with_client(EFAULT,
                  [](const RawSocket& listener) {
                    socklen_t size = sizeof(sockaddr_in);
                    return Linux().Accept4(listener.fd(),
                                           BadPointer<sockaddr>(), &size, 0);
                  }),
      {Call::kAccept4, EINTR,
       [] {
         const Listener listener = NewListener();
         return Watch({&listener.socket()}).Of([&] {
           return Interrupted(SYS_accept4,
                              [&] { return Accept(listener.socket()); });
         });
       }},
      {Call::kAccept4, EINVAL,
       [] {
         const RawSocket bound = NewBound();
         return Watch({&bound}).Of([&] { return Accept(bound); });
       }},
      with_client(EMFILE,
                  [](const RawSocket& listener) {
                    return WithoutDescriptors([&] { return Accept(listener); });
                  }),
      {Call::kAccept4, EOPNOTSUPP,
       [] {
         const RawSocket udp = NewUdp();
         return Watch({&udp}).Of([&] { return Accept(udp); });
       }},
  };
}

std::vector<ErrnoProbe> ConnectProbes() {
  constexpr uint16_t kPort = 9;
  constexpr socklen_t kTooShort = 1;
  return {
      // The test gives these addresses failing routes.
      OnRoute(EACCES, {*ip::Addr::Parse("192.0.2.13"), kPort}),
      OnRoute(EHOSTUNREACH, {*ip::Addr::Parse("192.0.2.113"), kPort}),
      // The broadcast address of the loopback network.
      OnRoute(ENETUNREACH, {*ip::Addr::Parse("127.255.255.255"), kPort}),
      OnRoute(EAFNOSUPPORT, {ip::kLocalV6, kPort}),
      {Call::kConnect, EADDRNOTAVAIL,
       [] {
         const Listener listener = NewListener();
         const RawSocket first = NewBound(true);
         const RawSocket second = NewTcp();
         static_cast<void>(second.SetOption(SOL_SOCKET, SO_REUSEADDR, 1));
         static_cast<void>(CallBind(second, *first.LocalEndpoint()));
         static_cast<void>(CallConnect(first, listener.endpoint()));
         return Watch({&second, &listener.socket()}).Of([&] {
           return CallConnect(second, listener.endpoint());
         });
       }},
      OnFullQueue(EALREADY, SOCK_NONBLOCK, true,
                  [](const RawSocket& client, const FullQueue& queue) {
                    return CallConnect(client, queue.endpoint());
                  }),
      OnFullQueue(EINPROGRESS, SOCK_NONBLOCK, false,
                  [](const RawSocket& client, const FullQueue& queue) {
                    return CallConnect(client, queue.endpoint());
                  }),
      OnFullQueue(EINTR, 0, false,
                  [](const RawSocket& client, const FullQueue& queue) {
                    return Interrupted(SYS_connect, [&] {
                      return CallConnect(client, queue.endpoint());
                    });
                  }),
      OnFullQueue(ETIMEDOUT, 0, false,
                  [](const RawSocket& client, const FullQueue& queue) {
                    static_cast<void>(
                        client.SetOption(IPPROTO_TCP, TCP_SYNCNT, 1));
                    return CallConnect(client, queue.endpoint());
                  }),
      {Call::kConnect, ECONNREFUSED,
       [] {
         const auto refused =
             loopback::RefusedPort::Reserve(Linux(), AF_INET).value();
         const RawSocket client = NewTcp();
         return Watch({&client}).WithoutLocal().Of(
             [&] { return CallConnect(client, refused.endpoint()); });
       }},
      {Call::kConnect, EISCONN,
       [] {
         const Listener listener = NewListener();
         const Pair pair = NewPair();
         return Watch({&pair.client, &pair.server, &listener.socket()}).Of([&] {
           return CallConnect(pair.client, listener.endpoint());
         });
       }},
      {Call::kConnect, EFAULT,
       [] {
         const RawSocket client = NewTcp();
         return Watch({&client}).Of([&] {
           return Linux().Connect(client.fd(), BadPointer<sockaddr>(),
                                  sizeof(sockaddr_in));
         });
       }},
      {Call::kConnect, EINVAL,
       [] {
         const RawSocket client = NewTcp();
         return Watch({&client}).Of([&] {
           const ip::SockAddr address({ip::kLocalV4, kPort});
           return Linux().Connect(client.fd(), address.get(), kTooShort);
         });
       }},
  };
}

std::vector<ErrnoProbe> DataProbes() {
  const auto on_pair = [](Call call, int error, auto make) {
    return ErrnoProbe{call, error, [=] {
                        const Pair pair = NewPair();
                        static_cast<void>(pair.server.Send("hello"));
                        AwaitEvent(pair.client, POLLIN);
                        return Watch({&pair.client, &pair.server}).Of([&] {
                          return make(pair);
                        });
                      }};
  };
  const auto on_socket = [](Call call, int error, auto make) {
    return ErrnoProbe{
        call, error, [=] {
          const RawSocket socket = NewTcp();
          return Watch({&socket}).Of([&] { return make(socket); });
        }};
  };
  const auto timed_out = [] { return NewTimedOut(NewFullQueue()); };
  constexpr int kUnknownHow = 3;
  constexpr size_t kSize = 64;
  return {
      on_pair(
          Call::kShutdown, EINVAL,
          [](const Pair& pair) { return pair.client.Shutdown(kUnknownHow); }),
      on_socket(Call::kShutdown, ENOTCONN,
                [](const RawSocket& it) { return it.Shutdown(SHUT_RDWR); }),
      {Call::kRecv, EAGAIN,
       [] {
         const Pair pair = NewPair();
         return Watch({&pair.client, &pair.server}).Of([&] {
           return Receive(pair.client, MSG_DONTWAIT);
         });
       }},
      on_pair(Call::kRecv, EFAULT,
              [](const Pair& pair) {
                return Linux().Recv(pair.client.fd(), BadPointer<char>(), kSize,
                                    0);
              }),
      on_pair(Call::kRecv, EINVAL,
              [](const Pair& pair) { return Receive(pair.client, MSG_OOB); }),
      {Call::kRecv, EINTR,
       [] {
         const Pair pair = NewPair();
         return Watch({&pair.client, &pair.server}).Of([&] {
           return Interrupted(SYS_recvfrom,
                              [&] { return Receive(pair.client); });
         });
       }},
      on_socket(Call::kRecv, ENOTCONN,
                [](const RawSocket& it) { return Receive(it); }),
      OfPending(Call::kRecv, ECONNREFUSED, NewRefused),
      OfPending(Call::kRecv, ECONNRESET, NewReset),
      OfPending(Call::kRecv, ETIMEDOUT, timed_out),
      OfPending(Call::kSend, ECONNREFUSED, NewRefused),
      OfPending(Call::kSend, ECONNRESET, NewReset),
      {Call::kSend, EAGAIN,
       [] {
         return OfFullSender(
             [](const RawSocket& it) { return it.Send("x", MSG_DONTWAIT); });
       }},
      {Call::kSend, EINTR,
       [] {
         return OfFullSender([](const RawSocket& it) {
           return Interrupted(SYS_sendto, [&] { return it.Send("x"); });
         });
       }},
      on_pair(Call::kSend, EFAULT,
              [](const Pair& pair) {
                return Linux().Send(pair.client.fd(), BadPointer<char>(), kSize,
                                    MSG_NOSIGNAL);
              }),
      on_socket(Call::kSend, EPIPE,
                [](const RawSocket& it) { return it.Send("x"); }),
  };
}

std::vector<ErrnoProbe> FastOpenProbes() {
  return {
      {Call::kSend, EALREADY,
       [] {
         const FullQueue queue = NewFullQueue();
         const ip::SockAddr address(queue.endpoint());
         const RawSocket client = NewTcp(SOCK_NONBLOCK);
         static_cast<void>(CallConnect(client, queue.endpoint()));
         return Watch({&client}).Of(
             [&] { return SendFastOpen(client, &address); });
       }},
      {Call::kSend, EINVAL,
       [] {
         const RawSocket client = NewTcp();
         return Watch({&client}).Of(
             [&] { return SendFastOpen(client, nullptr); });
       }},
      {Call::kSend, EISCONN,
       [] {
         const Pair pair = NewPair();
         const ip::SockAddr address(*pair.client.PeerEndpoint());
         return Watch({&pair.client, &pair.server}).Of([&] {
           return SendFastOpen(pair.client, &address);
         });
       }},
      {Call::kSend, EOPNOTSUPP,
       [] {
         const RawSocket client = NewTcp();
         const ip::SockAddr unspecified;  // AF_UNSPEC.
         return Watch({&client}).Of(
             [&] { return SendFastOpen(client, &unspecified); });
       }},
  };
}

std::vector<ErrnoProbe> PollProbes() {
  const auto on_pair = [](int error, auto make) {
    return ErrnoProbe{Call::kPoll, error, [=] {
                        const Pair pair = NewPair();
                        return Watch({&pair.client}).Of([&] {
                          pollfd readable = {.fd = pair.client.fd(),
                                             .events = POLLIN,
                                             .revents = 0};
                          return make(&readable);
                        });
                      }};
  };
  return {
      on_pair(EFAULT,
              [](pollfd* /*fds*/) {
                return Linux().Poll(BadPointer<pollfd>(), 1, 0);
              }),
      on_pair(EINTR,
              [](pollfd* fds) {
                return Interrupted(kPollNumber,
                                   [&] { return Linux().Poll(fds, 1, -1); });
              }),
      on_pair(EINVAL,
              [](pollfd* fds) {
                return WithDescriptorLimit(
                    0, [&] { return Linux().Poll(fds, 1, 0); });
              }),
  };
}

}  // namespace net

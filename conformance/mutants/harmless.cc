// Peculiarities that no caller of net::tcp may notice, or may mind.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

// Returns `made`, a new descriptor, moved to `lowest` or above. A descriptor
// that cannot be moved, because of a limit, stays where it is.
SysResult Moved(SysResult made, bool is_cloexec, int lowest, Syscalls& kernel) {
  if (!made.ok()) return made;
  const SysResult moved =
      kernel.Fcntl(made.fd(), is_cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, lowest);
  if (!moved.ok()) return made;
  static_cast<void>(kernel.Close(made.fd()));
  return moved;
}

// Returns a mutation that moves each new socket to `lowest` or above.
Mutation MovesSockets(int lowest) {
  return Both(
      After<Call::kSocket>(
          [lowest](auto& call, SysResult made, Syscalls& kernel) {
            return Moved(made, (call.type & SOCK_CLOEXEC) != 0, lowest, kernel);
          }),
      After<Call::kAccept4>([lowest](auto& call, SysResult made,
                                     Syscalls& kernel) {
        return Moved(made, (call.flags & SOCK_CLOEXEC) != 0, lowest, kernel);
      }));
}

// Returns a mutation that waits with poll(2) before a call that would block.
template <Call kCall>
Mutation PollsBefore(int16_t events) {
  return Instead<kCall>([events](auto& call, auto make, Syscalls& kernel) {
    const bool is_listener =
        GetOption(kernel, call.fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
    if (is_listener != (kCall == Call::kAccept4) ||
        IsNonblocking(kernel, call.fd)) {
      return make();
    }
    pollfd entry = {.fd = call.fd, .events = events};
    const SysResult polled = kernel.Poll(&entry, 1, -1);
    return polled.ok() ? make() : polled;
  });
}

// Returns a mutation that calls `ask(fd, kernel)` before each send and receive.
template <typename F>
Mutation AsksBeforeTransfer(F ask) {
  return Both(Before<Call::kSend>([ask](auto& call, Syscalls& kernel) {
                ask(call.fd, kernel);
              }),
              Before<Call::kRecv>([ask](auto& call, Syscalls& kernel) {
                ask(call.fd, kernel);
              }));
}

// Returns a mutation that calls `change(arguments)` before send(2) or recv(2).
template <Call kCall>
Mutation AtMost(size_t size) {
  return Before<kCall>(
      [size](auto& call, Syscalls&) { call.size = std::min(call.size, size); });
}

std::vector<HarmlessVariant> OtherCalls() {
  return {
      {.name = "recvmsg_for_recv",
       .description = "Receives by recvmsg(2).",
       .mutation = Instead<Call::kRecv>([](auto& call, auto, Syscalls& kernel) {
         iovec part = {.iov_base = call.data, .iov_len = call.size};
         msghdr message = {};
         message.msg_iov = &part;
         message.msg_iovlen = 1;
         return kernel.RecvMsg(call.fd, &message, call.flags);
       })},
      {.name = "sendmsg_for_send",
       .description = "Sends by sendmsg(2).",
       .mutation = Instead<Call::kSend>([](auto& call, auto, Syscalls& kernel) {
         iovec part = {.iov_base = const_cast<void*>(call.data),
                       .iov_len = call.size};
         msghdr message = {};
         message.msg_iov = &part;
         message.msg_iovlen = 1;
         return kernel.SendMsg(call.fd, &message, call.flags);
       })},
      {.name = "read_for_recv",
       .description = "Receives by read(2).",
       .mutation =
           Instead<Call::kRecv>([](auto& call, auto make, Syscalls& kernel) {
             const bool is_socket =
                 GetOption(kernel, call.fd, SOL_SOCKET, SO_TYPE) > 0;
             return is_socket && call.flags == 0
                        ? kernel.Read(call.fd, call.data, call.size)
                        : make();
           })},
      {.name = "two_parts_for_one",
       .description = "Receives into two buffers at once.",
       .mutation = Instead<Call::kRecv>([](auto& call, auto, Syscalls& kernel) {
         const size_t half = call.size / 2;
         auto* const bytes = static_cast<char*>(call.data);
         std::array<iovec, 2> parts = {
             {{.iov_base = bytes, .iov_len = half},
              {.iov_base = bytes + half, .iov_len = call.size - half}}};
         msghdr message = {};
         message.msg_iov = parts.data();
         message.msg_iovlen = parts.size();
         return kernel.RecvMsg(call.fd, &message, call.flags);
       })},
      {.name = "ppoll_for_poll",
       .description = "Waits by ppoll(2).",
       .mutation = Instead<Call::kPoll>([](auto& call, auto, Syscalls& kernel) {
         const timespec time = {.tv_sec = call.timeout_ms / 1000,
                                .tv_nsec = call.timeout_ms % 1000 * 1000000L};
         return kernel.PPoll(call.fds, call.count,
                             call.timeout_ms < 0 ? nullptr : &time, nullptr);
       })},
      {.name = "accept_with_address",
       .description = "Asks accept4(2) for the peer's address and ignores it.",
       .mutation =
           Instead<Call::kAccept4>([](auto& call, auto make, Syscalls&) {
             ip::SockAddr peer;
             call.addr = peer.get();
             call.len = peer.size_ptr();
             return make();
           })},
      {.name = "polls_before_accept",
       .description = "Waits with poll(2) before each accept4(2).",
       .differs_in = {"descriptors.flags_are_atomic"},
       .mutation = PollsBefore<Call::kAccept4>(POLLIN)},
      {.name = "polls_before_recv",
       .description = "Waits with poll(2) before each recv(2).",
       .mutation = PollsBefore<Call::kRecv>(POLLIN)},
      {.name = "polls_before_send",
       .description = "Waits with poll(2) before each send(2).",
       .mutation = PollsBefore<Call::kSend>(POLLOUT)},
      {.name = "protocol_is_named",
       .description = "Passes IPPROTO_TCP to socket(2) in place of 0.",
       .mutation = Before<Call::kSocket>(
           [](auto& call, Syscalls&) { call.protocol = IPPROTO_TCP; })},
  };
}

std::vector<HarmlessVariant> MoreCalls() {
  return {
      {.name = "asks_for_the_type",
       .description = "Asks for SO_TYPE before each send and receive.",
       .mutation = AsksBeforeTransfer([](int fd, Syscalls& kernel) {
         static_cast<void>(GetOption(kernel, fd, SOL_SOCKET, SO_TYPE));
       })},
      {.name = "asks_for_the_buffer",
       .description = "Asks for SO_RCVBUF before each send and receive.",
       .mutation = AsksBeforeTransfer([](int fd, Syscalls& kernel) {
         static_cast<void>(GetOption(kernel, fd, SOL_SOCKET, SO_RCVBUF));
       })},
      {.name = "asks_for_the_state",
       .description = "Asks for TCP_INFO before each send and receive.",
       .mutation = AsksBeforeTransfer([](int fd, Syscalls& kernel) {
         static_cast<void>(TcpState(kernel, fd));
       })},
      {.name = "asks_for_its_name",
       .description = "Asks for its name before each send and receive.",
       .mutation = AsksBeforeTransfer([](int fd, Syscalls& kernel) {
         ip::SockAddr name;
         static_cast<void>(kernel.GetSockName(fd, name.get(), name.size_ptr()));
       })},
      {.name = "asks_for_its_flags",
       .description = "Asks for O_NONBLOCK before each send and receive.",
       .mutation = AsksBeforeTransfer([](int fd, Syscalls& kernel) {
         static_cast<void>(IsNonblocking(kernel, fd));
       })},
      {.name = "sets_each_option_twice",
       .description = "Sets each option a second time.",
       .mutation = After<Call::kSetSockOpt>([](auto& call, SysResult result,
                                               Syscalls& kernel) {
         return result.ok() ? kernel.SetSockOpt(call.fd, call.level, call.name,
                                                call.value, call.len)
                            : result;
       })},
      {.name = "reads_the_clock",
       .description = "Reads the clock before each call.",
       .mutation = [](Invocation&, auto make, Syscalls& kernel) -> SysResult {
         timespec now;
         static_cast<void>(kernel.ClockGetTime(CLOCK_MONOTONIC, &now));
         return make();
       }},
      {.name = "is_slow",
       .description = "Sleeps for a millisecond before each call.",
       .mutation = [](Invocation&, auto make, Syscalls& kernel) -> SysResult {
         const timespec time = {.tv_nsec = 1000000};
         static_cast<void>(kernel.NanoSleep(&time, nullptr));
         return make();
       }},
  };
}

std::vector<HarmlessVariant> OtherSockets() {
  return {
      {.name = "high_descriptors",
       .description = "Uses descriptors from 500 on.",
       .differs_in = {"descriptors.flags_are_atomic"},
       .mutation = MovesSockets(500)},
      {.name = "very_high_descriptors",
       .description = "Uses descriptors from 1,100 on, where the limit allows.",
       .differs_in = {"descriptors.flags_are_atomic"},
       .mutation = MovesSockets(1100)},
      {.name = "short_sends",
       .description = "Sends 100 bytes at a time at most.",
       .mutation = AtMost<Call::kSend>(100)},
      {.name = "short_receives",
       .description = "Receives 1,000 bytes at a time at most.",
       .mutation = AtMost<Call::kRecv>(1000)},
      {.name = "nodelay",
       .description = "TCP_NODELAY is on.",
       .differs_in = {"listen.defaults.other_options"},
       .mutation = SetsOnEachSocket(IPPROTO_TCP, TCP_NODELAY)},
      {.name = "quickack",
       .description = "TCP_QUICKACK is on.",
       .mutation = SetsOnEachSocket(IPPROTO_TCP, TCP_QUICKACK)},
      {.name = "keepalive_times",
       .description = "TCP_KEEPIDLE is 60 seconds.",
       .differs_in = {"listen.defaults.other_options"},
       .mutation = SetsOnEachSocket(IPPROTO_TCP, TCP_KEEPIDLE, 60)},
      {.name = "larger_send_buffer",
       .description = "SO_SNDBUF is 100,000.",
       .differs_in = {"listen.defaults.other_options"},
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_SNDBUF, 100000)},
      {.name = "smaller_receive_buffer",
       .description = "SO_RCVBUF is 20,000.",
       .differs_in = {"listen.defaults.other_options"},
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_RCVBUF, 20000)},
      {.name = "type_of_service",
       .description = "IP_TOS is IPTOS_LOWDELAY.",
       .mutation = SetsOnEachSocket(IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY)},
      {.name = "priority",
       .description = "SO_PRIORITY is 3.",
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_PRIORITY, 3)},
      {.name = "out_of_band_inline",
       .description = "SO_OOBINLINE is on.",
       .differs_in = {"listen.defaults.other_options"},
       .mutation = SetsOnEachSocket(SOL_SOCKET, SO_OOBINLINE)},
      {.name = "few_syns",
       .description = "TCP_SYNCNT is 4.",
       .mutation = SetsOnEachSocket(IPPROTO_TCP, TCP_SYNCNT, 4)},
  };
}

}  // namespace

const std::vector<HarmlessVariant>& HarmlessVariants() {
  static const auto& all = *[] {
    auto* const variants = new std::vector<HarmlessVariant>;
    for (const auto part : {&OtherCalls, &MoreCalls, &OtherSockets}) {
      for (HarmlessVariant& one : part()) variants->push_back(std::move(one));
    }
    return variants;
  }();
  return all;
}

}  // namespace net::conformance

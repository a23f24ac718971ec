// The steps with addresses: bind, listen, accept4, connect, getsockname,
// getpeername.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/execution.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {
namespace {

constexpr unsigned char kUntouched = 0xa5;

// Longer than the delay after which a SYN that hit an old connection is
// retransmitted.
constexpr int kSecondSynMs = 100;

// IP_LOCAL_PORT_RANGE (ip(7)), which older headers lack, and the number of
// ports in one range.
constexpr int kLocalPortRange = 51;
constexpr uint32_t kPortsOfOffer = 16;

// A buffer for an address, or for a part of one, followed by a pattern that
// shows writes past its end.
struct AddressRoom {
  explicit AddressRoom(const Step& step)
      : length(static_cast<socklen_t>(
            step.length == kRightLength ? 128 : step.length)),
        room(length) {
    std::memset(bytes, kUntouched, sizeof(bytes));
  }

  sockaddr* address(const Step& step) {
    return step.null ? nullptr : reinterpret_cast<sockaddr*>(bytes);
  }
  socklen_t* length_pointer(const Step& step) {
    return step.null_length ? nullptr : &length;
  }

  // Returns the number of bytes written.
  size_t written() const {
    size_t size = sizeof(bytes);
    while (size > 0 && bytes[size - 1] == kUntouched) --size;
    return size;
  }

  unsigned char bytes[256];
  socklen_t length;
  const socklen_t room;
};

// Returns what getsockname(2), getpeername(2) or accept4(2) filled in.
std::string Text(const AddressRoom& room, Names& names) {
  const auto told = std::min<size_t>({room.length, room.room, 128});
  const size_t written = room.written();
  // Trailing zeros count as written, so only bytes past the reported length are
  // wrong.
  const absl::string_view bytes(reinterpret_cast<const char*>(room.bytes),
                                std::max(written, told));
  return absl::StrCat("length ", room.length, " ",
                      written > told ? "(too much written) " : "",
                      written == 0 ? "nothing" : names.Bytes(bytes));
}

std::optional<ip::Endpoint> NameOf(SysResult told, const ip::SockAddr& name) {
  if (!told.ok()) return std::nullopt;
  return name.ToEndpoint();
}

}  // namespace

AddressArgument::AddressArgument(const Address& address, uint16_t port) {
  if (address.host == Host::kNull) return;
  const ip::SockAddr right({*ip::Addr::Parse(HostText(address.host)), port});
  std::memcpy(&storage, right.get(), right.size());
  if (address.host == Host::kUnspec || address.host == Host::kUnspecLocal) {
    storage.ss_family = AF_UNSPEC;
  }
  pointer = reinterpret_cast<const sockaddr*>(&storage);
  length = right.size();
  if (address.length != kRightLength) {
    length = static_cast<socklen_t>(address.length);
  }
}

std::optional<ip::Endpoint> Execution::LocalName(int slot) {
  const Held& held = At(slot);
  if (held.fd < 0) return std::nullopt;
  ip::SockAddr name;
  return NameOf(world_.process(held.process)
                    .GetSockName(held.fd, name.get(), name.size_ptr()),
                name);
}

std::optional<ip::Endpoint> Execution::PeerName(int slot) {
  const Held& held = At(slot);
  if (held.fd < 0) return std::nullopt;
  ip::SockAddr name;
  return NameOf(world_.process(held.process)
                    .GetPeerName(held.fd, name.get(), name.size_ptr()),
                name);
}

uint16_t Execution::PortOf(const Address& address) {
  switch (address.port) {
    case PortKind::kZero:
      return 0;
    case PortKind::kPrivileged:
      return kPrivilegedPort;
    case PortKind::kFixed:
      return world_.fixed_ports()[static_cast<size_t>(address.index)];
    case PortKind::kOfSlot: {
      const std::optional<ip::Endpoint> local = LocalName(address.index);
      return local.has_value() ? local->port : uint16_t{0};
    }
  }
  return 0;
}

// Restricts the ports that the kernel chooses for this socket to ones that it
// has not chosen before.
void Execution::OfferNewPorts(int slot) {
  const Held& held = At(slot);
  if (held.socket == nullptr || held.socket->kind != Socket::kTcp) return;
  const PortRange all = world_.ephemeral_ports();
  const uint32_t offers = (all.last - all.first + 1) / kPortsOfOffer;
  const uint32_t first = all.first + offers_++ % offers * kPortsOfOffer;
  const uint32_t range = (first + kPortsOfOffer - 1) << 16 | first;
  // If the slot has no open socket, this fails, and so does the step's own
  // call.
  static_cast<void>(world_.process(held.process)
                        .SetSockOpt(held.fd, IPPROTO_IP, kLocalPortRange,
                                    &range, sizeof(range)));
}

Observation Execution::Bind(const Step& step) {
  const uint16_t port = PortOf(step.address);
  if (streams_.MayHaveEnded(port)) return Skip("the port's owner is uncertain");
  const AddressArgument address(step.address, port);
  OfferNewPorts(step.slot);
  return Plain(
      Sys(step).Bind(At(step.slot).fd, address.pointer, address.length));
}

Observation Execution::Listen(const Step& step) {
  const Held& held = At(step.slot);
  const std::optional<ip::Endpoint> bound = LocalName(step.slot);
  if (bound.has_value() && streams_.MayHaveEnded(bound->port)) {
    return Skip("the port's owner is uncertain");
  }
  OfferNewPorts(step.slot);
  const SysResult listening = Sys(step).Listen(held.fd, step.number);
  if (listening.ok() && !held.socket->listens_on.has_value()) {
    held.socket->listens_on = LocalName(step.slot);
    // For IPv4 connections, :: and ::ffff:0.0.0.0 are the same address.
    if (held.socket->listens_on.has_value() &&
        held.socket->listens_on->addr == ip::kAnyV4.Mapped()) {
      held.socket->listens_on->addr = ip::kAnyV6;
    }
    listeners_.push_back(held.socket);
  }
  return Plain(listening);
}

void Execution::Begin(Socket& socket, End end, bool unwanted) {
  socket.end = std::move(end);
  if (unwanted && socket.end.known()) socket.end.in().unwanted = true;
}

Observation Execution::Accept(const Step& step) {
  AddressRoom room(step);
  const int fd = At(step.slot).fd;
  sockaddr* const address = room.address(step);
  socklen_t* const length = room.length_pointer(step);
  const SysResult accepted =
      step.call == Call::kAccept
          ? Sys(step).Accept(fd, address, length)
          : Sys(step).Accept4(fd, address, length, step.flags);
  // Without an address pointer the call fills in nothing.
  const bool told = accepted.ok() && !step.null;
  const std::string details = told ? Text(room, names_) : "";
  auto socket = std::make_shared<Socket>();
  socket->tried = true;
  Observation seen = Made(step, accepted, socket, details);
  if (accepted.ok()) {
    const std::optional<ip::Endpoint> local = LocalName(step.out);
    if (local.has_value()) {
      Begin(*socket, streams_.Accepted(*local, PeerName(step.out)),
            At(step.slot).socket->wants_nothing);
    }
  }
  return seen;
}

// Returns whether two open listeners have the same address and this port.
bool Execution::IsSharedByListeners(uint16_t port) const {
  std::vector<ip::Endpoint> names;
  for (const std::weak_ptr<Socket>& one : listeners_) {
    const std::shared_ptr<Socket> socket = one.lock();
    if (socket == nullptr || !socket->listens_on.has_value()) continue;
    const ip::Endpoint& name = *socket->listens_on;
    if (name.port != port) continue;
    if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    names.push_back(name);
  }
  return false;
}

Observation Execution::Connect(const Step& step) {
  const uint16_t port = PortOf(step.address);
  if (port != 0 && IsSharedByListeners(port)) {
    return Skip("a hash decides which listener gets it");
  }
  const std::optional<ip::Endpoint> from = LocalName(step.slot);
  const bool again = from.has_value() && (streams_.HaveMet(from->port, port) ||
                                          streams_.HaveMet(port, from->port));
  if (again && streams_.MayHaveEnded(from->port)) {
    return Skip("whether the old connection has ended is uncertain");
  }
  if (deferring_ && from.has_value() && streams_.HaveMet(port, from->port)) {
    return Skip("whether the deferred connection has expired depends on time");
  }
  const AddressArgument address(step.address, port);
  const Held& held = At(step.slot);
  OfferNewPorts(step.slot);
  const SysResult connected =
      Sys(step).Connect(held.fd, address.pointer, address.length);
  const bool begun = connected.error() == EINPROGRESS;
  if (begun && again) {
    // Whether the old connection is in the way of the first SYN depends on the
    // clock. The second SYN always gets through.
    pollfd answered = {held.fd, POLLOUT, 0};
    static_cast<void>(Sys(step).Poll(&answered, 1, kSecondSynMs));
  }
  NoteError(step.slot, connected.error());
  if (held.socket == nullptr || !(connected.ok() || begun)) {
    return Plain(connected);
  }
  held.socket->tried = true;
  if (address.storage.ss_family == AF_UNSPEC) {
    // A reset. With small buffers it may not arrive where it is expected.
    const End& end = held.socket->end;
    if (end.known()) end.in().torn = small_buffers_ && end.doubtful();
    held.socket->end = End();
    held.socket->wants_nothing = false;
  } else if (begun || !held.socket->end.known()) {
    const std::optional<ip::Endpoint> local = LocalName(step.slot);
    const std::optional<ip::Endpoint> peer = PeerName(step.slot);
    Begin(*held.socket,
          local.has_value() && peer.has_value()
              ? streams_.Connected(*local, *peer)
              : End(),
          held.socket->wants_nothing);
  }
  return Plain(connected);
}

Observation Execution::GetName(const Step& step) {
  AddressRoom room(step);
  const int fd = At(step.slot).fd;
  sockaddr* address = room.address(step);
  socklen_t* length = room.length_pointer(step);
  const SysResult told = step.call == Call::kGetSockName
                             ? Sys(step).GetSockName(fd, address, length)
                             : Sys(step).GetPeerName(fd, address, length);
  if (!told.ok()) return Plain(told, room.written() > 0 ? "written" : "");
  return Plain(told, Text(room, names_));
}

}  // namespace net::differential

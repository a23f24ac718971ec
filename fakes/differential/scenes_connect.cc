// Scenes for listeners and clients, and for port conflicts.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/writer.h"

namespace net::differential {

Address Writer::AddressToListenOn(bool v6) {
  Address address;
  address.host =
      v6 ? OneOf({Host::kLocalV6, Host::kLocalV6, Host::kAnyV6, Host::kAnyV6,
                  Host::kMappedLocal, Host::kMappedAny})
         : OneOf({Host::kLocalV4, Host::kLocalV4, Host::kLocalV4, Host::kAnyV4,
                  Host::kOtherV4});
  address.port = Chance(70) ? PortKind::kFixed : PortKind::kZero;
  // Few ports, so that they collide.
  if (address.port == PortKind::kFixed) address.index = Below(kFixedPorts);
  return address;
}

// Returns an address at which the listener can usually be reached from a socket
// of this family.
Address Writer::AddressOf(int listener, bool v6) {
  const Guess& guess = At(listener);
  Address address;
  address.port = PortKind::kOfSlot;
  address.index = listener;
  const bool through_v4 = guess.address.host == Host::kMappedLocal ||
                          guess.address.host == Host::kMappedAny || !guess.v6;
  if (v6) {
    address.host = through_v4 ? Host::kMappedLocal : Host::kLocalV6;
  } else {
    address.host =
        guess.address.host == Host::kOtherV4 ? Host::kOtherV4 : Host::kLocalV4;
  }
  if (Chance(12)) {
    address.host = v6 ? OneOf({Host::kAnyV6, Host::kLocalV6, Host::kMappedAny,
                               Host::kMappedLocal})
                      : OneOf({Host::kAnyV4, Host::kOtherV4, Host::kLocalV4});
  }
  return address;
}

void Writer::MaybeShare(int slot) {
  if (Chance(45)) SetOption(slot, SOL_SOCKET, SO_REUSEADDR, Chance(90));
  if (Chance(20)) SetOption(slot, SOL_SOCKET, SO_REUSEPORT, Chance(90));
  if (At(slot).v6 && Chance(25)) {
    SetOption(slot, IPPROTO_IPV6, IPV6_V6ONLY, Chance(80));
  }
}

int Writer::MakeListener() {
  const int slot = NewSocket(Chance(40));
  MaybeShare(slot);
  if (Chance(8)) SetBuffers(slot);
  if (Chance(92)) BindTo(slot, AddressToListenOn(At(slot).v6));
  ListenOn(slot, OneOf({0, 1, 1, 2, 5, 128, -1, 100000}));
  return slot;
}

int Writer::MakeClient(int listener) {
  const bool v6 = At(listener).v6 ? !Chance(15) : Chance(12);
  const int slot = NewSocket(v6);
  if (slot == listener) return kNoSlot;
  if (Chance(8)) SetBuffers(slot);
  if (Chance(12)) {
    MaybeShare(slot);
    BindTo(slot, AddressToListenOn(v6));
  }
  ConnectTo(slot, listener);
  return slot;
}

// Returns the accepted end, or kNoSlot.
int Writer::MakePair() {
  int listener = Any({Guess::kListening});
  if (listener == kNoSlot || Chance(15)) listener = MakeListener();
  if (MakeClient(listener) == kNoSlot) return kNoSlot;
  if (Chance(10)) Inspect(listener);
  if (Chance(12)) return kNoSlot;  // It stays in the queue.
  return AcceptFrom(listener);
}

void Writer::FillQueue() {
  const int listener = MakeListener();
  program_.back().number = OneOf({0, 0, 1, 1, 2});
  for (int i = 2 + Below(4); i > 0; --i) {
    const int client = MakeClient(listener);
    if (client == kNoSlot) return;
    if (Chance(40)) Inspect(client);
  }
  Inspect(listener);
  if (Chance(60)) {
    const int client = Any({Guess::kConnected});
    if (client != kNoSlot) ConnectTo(client, listener);
  }
  if (Chance(50)) ListenOn(listener, OneOf({0, 1, 2, 5}));
  for (int i = Below(4); i > 0; --i) AcceptFrom(listener);
}

// With TCP_DEFER_ACCEPT, connections without data fill a queue. When it is
// full, Linux uses SYN cookies, with which it does not defer. The backlog
// therefore has space for all.
void Writer::DeferAccept() {
  const int listener = NewSocket(Chance(40));
  SetOption(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1 + Below(5));
  BindTo(listener, AddressToListenOn(At(listener).v6));
  ListenOn(listener, 128);
  const int client = MakeClient(listener);
  if (client == kNoSlot) return;
  Inspect(Chance(50) ? listener : client);
  if (Chance(50)) AcceptFrom(listener);
  At(listener).clients = {client};
  if (Chance(80)) SendSome(client);
  if (Chance(20)) Shutdown(client, SHUT_WR);
  AcceptFrom(listener);
  CloseSlot(listener);
}

void Writer::Refused() {
  const int slot = NewSocket(Chance(30));
  if (Chance(30)) BindTo(slot, AddressToListenOn(At(slot).v6));
  Address address;
  address.host = At(slot).v6 ? Host::kLocalV6 : Host::kLocalV4;
  address.port = OneOf({PortKind::kFixed, PortKind::kFixed, PortKind::kZero,
                        PortKind::kOfSlot, PortKind::kPrivileged});
  address.index = Below(kFixedPorts);
  Add(Call::kConnect, slot).address = address;
  At(slot).kind = Guess::kEnded;
  if (Chance(60)) Inspect(slot);
  if (Chance(40)) Chance(50) ? SendSome(slot) : ReceiveSome(slot);
  if (Chance(60)) Inspect(slot);
  // Another socket can have a port that was released.
  if (Chance(30)) {
    const int other = NewSocket(At(slot).v6);
    if (other == slot) return;
    address.port = PortKind::kOfSlot;
    address.index = slot;
    BindTo(other, address);
    if (Chance(50)) ListenOn(other, 1);
  }
}

// Binds another socket to the same or nearly the same address.
void Writer::Conflict() {
  const int holder = Any({Guess::kListening, Guess::kBound, Guess::kConnected});
  if (holder == kNoSlot) {
    MakeListener();
    return;
  }
  const bool v6 = Chance(At(holder).v6 ? 70 : 30);
  const int slot = NewSocket(v6);
  if (slot == holder) return;
  MaybeShare(slot);
  Address address = AddressToListenOn(v6);
  address.port = PortKind::kOfSlot;
  address.index = holder;
  if (Chance(40)) address.host = At(holder).address.host;
  BindTo(slot, address);
  if (Chance(20)) SetOption(holder, SOL_SOCKET, SO_REUSEADDR, Chance(50));
  if (Chance(60)) ListenOn(slot, 1 + Below(3));
}

// Binds two sockets that agree, or do not quite agree, to share a port.
void Writer::SecondListener() {
  const bool v6 = Chance(40);
  const Address address = AddressToListenOn(v6);
  const int name = OneOf({SO_REUSEADDR, SO_REUSEPORT});
  const int slots[] = {NewSocket(v6), NewSocket(v6)};
  if (slots[0] == slots[1]) return;
  for (const int slot : slots) {
    if (Chance(85)) SetOption(slot, SOL_SOCKET, name, 1);
    BindTo(slot, address);
    if (Chance(15)) SetOption(slot, SOL_SOCKET, name, 0);
  }
  for (const int slot : slots) {
    if (Chance(80)) ListenOn(slot, 1 + Below(2));
  }
}

// Lets the server close first and then binds its port again.
void Writer::TimeWait() {
  const int server = MakePair();
  if (server == kNoSlot) return;
  const int client = At(server).peer;
  const int listener = Any({Guess::kListening});
  const Address address =
      listener == kNoSlot ? Address() : At(listener).address;
  const bool v6 = At(server).v6;
  CloseSlot(server);
  if (client != kNoSlot && Chance(80)) CloseSlot(client);
  if (listener != kNoSlot) CloseSlot(listener);
  const int again = NewSocket(v6);
  MaybeShare(again);
  BindTo(again, address);
  ListenOn(again, 1);
}

void Writer::Disconnect() {
  const int slot = AnySlot();
  Address address;
  address.host = Host::kUnspec;
  Add(Call::kConnect, slot).address = address;
  if (slot >= kSlots || At(slot).kind == Guess::kFree) return;
  if (At(slot).peer != kNoSlot) At(At(slot).peer).kind = Guess::kEnded;
  if (At(slot).kind != Guess::kBound) At(slot).kind = Guess::kFresh;
  At(slot).peer = kNoSlot;
  if (Chance(60)) Inspect(slot);
}

void Writer::ConnectAgain() {
  const int slot =
      Any({Guess::kConnected, Guess::kEnded, Guess::kBound, Guess::kFresh});
  const int listener = Any({Guess::kListening});
  if (slot == kNoSlot || listener == kNoSlot) return;
  ConnectTo(slot, listener);
  if (Chance(50)) AcceptFrom(listener);
}

// Connects two clients with the same four-tuple.
void Writer::SameNames() {
  int listener = Any({Guess::kListening});
  if (listener == kNoSlot) listener = MakeListener();
  if (listener == kNoSlot) return;
  const bool v6 = At(listener).v6;
  const int first = NewSocket(v6);
  const int second = NewSocket(v6);
  if (first == second || first == listener || second == listener) return;
  Address address;
  address.host = v6 ? Host::kLocalV6 : Host::kLocalV4;
  for (const int slot : {first, second}) {
    SetOption(slot, SOL_SOCKET, SO_REUSEADDR, 1);
    BindTo(slot, address);
    address.port = PortKind::kOfSlot;
    address.index = first;
  }
  ConnectTo(first, listener);
  const int accepted = Chance(50) ? AcceptFrom(listener) : kNoSlot;
  if (accepted == second) return;
  switch (Below(6)) {
    case 0:
      CloseSlot(first);
      break;
    case 1:
      if (accepted != kNoSlot) CloseSlot(accepted);
      break;
    case 2:
      Shutdown(first, SHUT_WR);
      break;
    default:
      break;
  }
  ConnectTo(second, listener);
  Inspect(second);
}

void Writer::CloseListener() {
  const int listener = Any({Guess::kListening});
  if (listener == kNoSlot) return;
  if (Chance(70) && MakeClient(listener) == kNoSlot) return;
  if (Chance(20)) {
    Shutdown(listener, Below(3));
    return;
  }
  CloseSlot(listener);
  AfterTheEnd();
}

void Writer::Privileged() {
  const int slot = NewSocket(Chance(30));
  Address address;
  address.host = At(slot).v6 ? Host::kLocalV6 : Host::kLocalV4;
  address.port = PortKind::kPrivileged;
  BindTo(slot, address);
}

}  // namespace net::differential

#include "fakes/differential/threads/threaded_writer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {
namespace {

// The slots after these are for the descriptors that threads make.
constexpr int kMostSetupSlots = 8;
constexpr size_t kMostCallsOfTwo = 8;
constexpr size_t kMostCallsOfThree = 7;
// The number of bytes that calls transfer, but for those that overfill.
constexpr int kMostSize = 6;

}  // namespace

bool ThreadedWriter::Chance(int percent) { return Below(100) < percent; }

int ThreadedWriter::Below(int limit) {
  return static_cast<int>(random_() % static_cast<uint64_t>(limit));
}

size_t ThreadedWriter::UpTo(int limit) {
  return size_t{1} + static_cast<size_t>(Below(limit));
}

ThreadedProgram ThreadedWriter::Write() {
  MakeAll();
  VarySockets();
  MakeBlocking();
  if (Chance(10)) program_.free_descriptors = Below(3);
  const size_t focused = 1 + static_cast<size_t>(Below(2));
  for (size_t i = 0; i < focused; ++i) {
    focus_.push_back(
        static_cast<size_t>(Below(static_cast<int>(made_.size()))));
  }
  const size_t count = Chance(65) ? 2 : 3;
  const size_t most = count == 2 ? kMostCallsOfTwo : kMostCallsOfThree;
  size_t left =
      count + static_cast<size_t>(Below(static_cast<int>(most - count + 1)));
  for (size_t i = 0; i < count; ++i) {
    const size_t rest = count - i - 1;
    const size_t calls =
        rest == 0
            ? left
            : 1 + static_cast<size_t>(Below(static_cast<int>(left - rest)));
    left -= calls;
    program_.threads.push_back(WriteThread(calls));
  }
  return std::move(program_);
}

// ---- The setup --------------------------------------------------------------

Step& ThreadedWriter::AddToSetup(Call call, int slot) {
  return program_.setup.emplace_back(On(call, slot));
}

int ThreadedWriter::NewSocket() {
  const int slot = next_slot_++;
  AddToSetup(Call::kSocket, kNoSlot).out = slot;
  return slot;
}

Address ThreadedWriter::OfListener() const {
  for (const Made& one : made_) {
    if (one.kind != Kind::kListener) continue;
    return {.port = PortKind::kOfSlot, .index = one.slot};
  }
  return {.port = PortKind::kFixed};
}

void ThreadedWriter::MakeListener() {
  const int slot = NewSocket();
  AddToSetup(Call::kBind, slot).address = {.port = PortKind::kFixed,
                                           .index = 1};
  AddToSetup(Call::kListen, slot).number = OneOf({0, 1, 1, 2, 5, 5});
  made_.push_back({slot, Kind::kListener});
}

void ThreadedWriter::MakeClient() {
  const int slot = NewSocket();
  // The name of its port is known to the other threads.
  if (Chance(60)) AddToSetup(Call::kBind, slot);
  made_.push_back({slot, Kind::kClient});
}

void ThreadedWriter::MakePair() {
  const int client = NewSocket();
  AddToSetup(Call::kConnect, client).address = OfListener();
  const int server = next_slot_++;
  Step& accept = AddToSetup(Call::kAccept4, made_.front().slot);
  accept.flags = SOCK_NONBLOCK;
  accept.out = server;
  made_.push_back({client, Kind::kEnd, server});
  made_.push_back({server, Kind::kEnd, client});
}

void ThreadedWriter::MakeQueued() {
  const int client = NewSocket();
  AddToSetup(Call::kConnect, client).address = OfListener();
  made_.push_back({client, Kind::kEnd});
}

void ThreadedWriter::MakePipe() {
  Step& step = AddToSetup(Call::kPipe2, kNoSlot);
  step.out = next_slot_++;
  step.to = next_slot_++;
  // MakeBlocking() makes most of the ends blocking.
  step.flags = O_NONBLOCK;
  made_.push_back({step.out, Kind::kReadEnd, step.to});
  made_.push_back({step.to, Kind::kWriteEnd, step.out});
}

void ThreadedWriter::MakeAll() {
  MakeListener();
  const int pairs = OneOf({0, 1, 1, 1, 2});
  for (int i = 0; i < pairs; ++i) MakePair();
  if (Chance(25)) MakeQueued();
  const int clients = pairs == 0 ? 1 + Below(3) : Below(2);
  for (int i = 0; i < clients && next_slot_ < kMostSetupSlots; ++i) {
    MakeClient();
  }
  if (pairs > 0 && next_slot_ + 1 < kMostSetupSlots && Chance(30)) MakePipe();
}

void ThreadedWriter::VarySockets() {
  overfills_ = Chance(10);
  for (const Made& one : made_) {
    if (one.kind == Kind::kEnd) VaryEnd(one);
  }
}

void ThreadedWriter::VaryEnd(const Made& end) {
  if (overfills_) {
    Step& step = AddToSetup(Call::kSetSockOpt, end.slot);
    step.level = SOL_SOCKET;
    step.name = SO_SNDBUF;
    step.value = 1;
  }
  if (Chance(20)) {
    AddToSetup(Call::kSend, end.slot).size = UpTo(kMostSize);
  }
  if (Chance(8)) {
    Step& step = AddToSetup(Call::kSetSockOpt, end.slot);
    step.level = SOL_SOCKET;
    step.name = SO_RCVLOWAT;
    step.value = 1 + Below(kMostSize);
  }
  if (Chance(8)) program_.setup.push_back(SetLinger(end.slot));
  if (Chance(8)) {
    AddToSetup(Call::kShutdown, end.slot).number =
        OneOf({SHUT_RD, SHUT_WR, SHUT_WR, SHUT_RDWR});
  }
}

void ThreadedWriter::MakeBlocking() {
  for (const Made& one : made_) {
    if (Chance(8)) continue;
    AddToSetup(Call::kFcntl, one.slot).name = F_SETFL;
  }
}

// ---- The threads ------------------------------------------------------------

Program ThreadedWriter::WriteThread(size_t calls) {
  own_.clear();
  Program thread;
  for (size_t i = 0; i < calls; ++i) {
    Step step = AnyCall();
    const bool makes = step.call == Call::kAccept4 ||
                       step.call == Call::kSocket || step.call == Call::kDup;
    if (makes && next_slot_ < kSlots) {
      step.out = next_slot_++;
      own_.push_back(step.out);
    }
    thread.push_back(std::move(step));
  }
  return thread;
}

const ThreadedWriter::Made& ThreadedWriter::Focus() {
  if (Chance(25)) {
    return made_[static_cast<size_t>(Below(static_cast<int>(made_.size())))];
  }
  const Made& one = made_[focus_[static_cast<size_t>(
      Below(static_cast<int>(focus_.size())))]];
  if (one.peer == kNoSlot || !Chance(40)) return one;
  return *std::find_if(made_.begin(), made_.end(), [&](const Made& other) {
    return other.slot == one.peer;
  });
}

int ThreadedWriter::AnyOther(int slot) {
  const Made& one =
      made_[static_cast<size_t>(Below(static_cast<int>(made_.size())))];
  return one.slot == slot ? made_.front().slot : one.slot;
}

Step ThreadedWriter::On(Call call, int slot) {
  Step step;
  step.call = call;
  step.slot = slot;
  return step;
}

Step ThreadedWriter::AnyCall() {
  if (Chance(4)) return On(Call::kSocket, kNoSlot);
  if (!own_.empty() && Chance(45)) {
    return OnEnd(
        own_[static_cast<size_t>(Below(static_cast<int>(own_.size())))]);
  }
  const Made& one = Focus();
  switch (one.kind) {
    case Kind::kListener:
      return OnListener(one.slot);
    case Kind::kClient:
      return OnClient(one.slot);
    case Kind::kEnd:
      return OnEnd(one.slot);
    case Kind::kReadEnd:
      return OnReadEnd(one.slot);
    case Kind::kWriteEnd:
      return OnWriteEnd(one.slot);
  }
  return OnEnd(one.slot);
}

Step ThreadedWriter::OnListener(int slot) {
  const int dice = Below(100);
  if (dice < 45) return Accept(slot);
  if (dice < 57) return Poll(slot);
  if (dice < 67) return On(Call::kClose, slot);
  if (dice < 77) {
    Step step = On(Call::kShutdown, slot);
    step.number = OneOf({SHUT_RD, SHUT_RD, SHUT_WR, SHUT_RDWR});
    return step;
  }
  if (dice < 80) {
    Step step = On(Call::kListen, slot);
    step.number = Below(3);
    return step;
  }
  if (dice < 90) {
    for (const Made& other : made_) {
      if (other.kind == Kind::kClient) return Connect(other.slot);
    }
    return Accept(slot);
  }
  return dice < 93 ? Receive(slot) : OnDescriptor(slot);
}

Step ThreadedWriter::OnClient(int slot) {
  const int dice = Below(100);
  if (dice < 55) return Connect(slot);
  if (dice < 62) return Poll(slot);
  if (dice < 70) return On(Call::kClose, slot);
  if (dice < 76) return OnListener(made_.front().slot);
  if (dice < 90) return OnEnd(slot);
  if (dice < 93) return Disconnect(slot);
  return OnDescriptor(slot);
}

Step ThreadedWriter::OnEnd(int slot) {
  const int dice = Below(100);
  if (dice < 32) return Receive(slot);
  if (dice < 50) return Send(slot);
  if (dice < 62) return On(Call::kClose, slot);
  if (dice < 75) {
    Step step = On(Call::kShutdown, slot);
    step.number = OneOf({SHUT_RD, SHUT_WR, SHUT_WR, SHUT_RDWR});
    return step;
  }
  if (dice < 85) return Poll(slot);
  if (dice < 88) return SetLinger(slot);
  if (dice < 91) return ReadError(slot);
  if (dice < 93) return Disconnect(slot);
  return OnDescriptor(slot);
}

Step ThreadedWriter::OnReadEnd(int slot) {
  const int dice = Below(100);
  if (dice < 50) return Splice(slot, AnyEnd());
  if (dice < 62) return Receive(slot);
  if (dice < 72) return Poll(slot);
  if (dice < 84) return On(Call::kClose, slot);
  return dice < 92 ? OnEnd(AnyEnd()) : OnDescriptor(slot);
}

Step ThreadedWriter::OnWriteEnd(int slot) {
  const int dice = Below(100);
  if (dice < 50) return Splice(AnyEnd(), slot);
  if (dice < 68) {
    Step step = On(Call::kWrite, slot);
    step.size = UpTo(kMostSize);
    return step;
  }
  if (dice < 76) return Poll(slot);
  if (dice < 86) return On(Call::kClose, slot);
  return dice < 94 ? OnEnd(AnyEnd()) : OnDescriptor(slot);
}

Step ThreadedWriter::OnDescriptor(int slot) {
  const int dice = Below(100);
  if (dice < 45) {
    Step step = On(Call::kDup3, AnyOther(slot));
    step.out = slot;
    return step;
  }
  if (dice < 65) return On(Call::kDup, slot);
  if (dice < 85) {
    Step step = On(Call::kFcntl, slot);
    step.name = F_SETFL;
    step.value = OneOf({0, O_NONBLOCK});
    return step;
  }
  if (dice < 93) {
    Step step = On(Call::kIoctl, slot);
    step.name = FIONREAD;
    return step;
  }
  return On(OneOf({Call::kGetSockName, Call::kGetPeerName}), slot);
}

Step ThreadedWriter::Connect(int slot) {
  Step step = On(Call::kConnect, slot);
  step.address = Chance(90) ? OfListener() : Address{.port = PortKind::kFixed};
  return step;
}

Step ThreadedWriter::Disconnect(int slot) {
  Step step = On(Call::kConnect, slot);
  step.address.host = Host::kUnspec;
  return step;
}

Step ThreadedWriter::Accept(int slot) {
  Step step = On(Call::kAccept4, slot);
  if (Chance(10)) step.flags = SOCK_NONBLOCK;
  return step;
}

Step ThreadedWriter::Receive(int slot) {
  Step step = On(OneOf({Call::kRecv, Call::kRecv, Call::kRecv, Call::kRecv,
                        Call::kRecvMsg, Call::kRead, Call::kReadV}),
                 slot);
  step.size = UpTo(2 * kMostSize);
  if (step.call != Call::kRead && step.call != Call::kReadV) {
    step.flags = OneOf(
        {0, 0, 0, 0, 0, int{MSG_DONTWAIT}, int{MSG_PEEK}, int{MSG_WAITALL}});
  }
  return step;
}

Step ThreadedWriter::Send(int slot) {
  Step step = On(OneOf({Call::kSend, Call::kSend, Call::kSend, Call::kSendMsg,
                        Call::kWrite, Call::kWriteV}),
                 slot);
  step.size = UpTo(kMostSize);
  if (step.call != Call::kWrite && step.call != Call::kWriteV) {
    step.flags = OneOf(
        {int{MSG_NOSIGNAL}, int{MSG_NOSIGNAL}, MSG_NOSIGNAL | MSG_DONTWAIT});
  }
  if (overfills_ && Chance(50)) step.size = kOverfillingSize;
  return step;
}

int ThreadedWriter::AnyEnd() {
  const Made& one =
      made_[static_cast<size_t>(Below(static_cast<int>(made_.size())))];
  if (one.kind == Kind::kEnd) return one.slot;
  return std::find_if(
             made_.begin(), made_.end(),
             [](const Made& other) { return other.kind == Kind::kEnd; })
      ->slot;
}

Step ThreadedWriter::Splice(int from, int to) {
  Step step = On(OneOf({Call::kSplice, Call::kSplice, Call::kSendFile}), from);
  step.to = to;
  step.size = UpTo(2 * kMostSize);
  if (step.call == Call::kSplice && Chance(10)) {
    step.flags = SPLICE_F_NONBLOCK;
  }
  return step;
}

Step ThreadedWriter::Poll(int slot) {
  Step step = On(Call::kPoll, kNoSlot);
  step.number = Chance(65) ? -1 : 0;
  step.polled.push_back(
      {slot, OneOf<int16_t>(
                 {POLLIN, POLLIN, POLLOUT, POLLRDHUP, POLLIN | POLLOUT, 0})});
  if (Chance(30)) {
    step.polled.push_back(
        {AnyOther(slot), OneOf<int16_t>({POLLIN, POLLIN, POLLOUT})});
  }
  return step;
}

Step ThreadedWriter::SetLinger(int slot) {
  Step step = On(Call::kSetSockOpt, slot);
  step.level = SOL_SOCKET;
  step.name = SO_LINGER;
  step.value = 1;
  return step;
}

Step ThreadedWriter::ReadError(int slot) {
  Step step = On(Call::kGetSockOpt, slot);
  step.level = SOL_SOCKET;
  step.name = SO_ERROR;
  return step;
}

}  // namespace net::differential

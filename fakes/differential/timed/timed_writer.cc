#include "fakes/differential/timed/timed_writer.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {
namespace {

constexpr int16_t kAllEvents = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

Address ServerAddress() {
  return {.host = Host::kLocalV4, .port = PortKind::kFixed};
}

}  // namespace

TimedProgram TimedWriter::Write() {
  Begin();
  for (int parts = 2 + Below(4); parts > 0; --parts) {
    for (int actions = 1 + Below(3); actions > 0; --actions) Act();
    SomeTime();
  }
  for (const int slot : open_) {
    Add(Call::kRecv, slot).size = 100000;
    Step& error = Add(Call::kGetSockOpt, slot);
    error.level = SOL_SOCKET;
    error.name = SO_ERROR;
  }
  return std::move(program_);
}

// ---- Chance -----------------------------------------------------------------

int TimedWriter::Below(int limit) {
  return static_cast<int>(random_() % static_cast<uint64_t>(limit));
}

int TimedWriter::AnyEnd() {
  if (open_.empty()) return kNoSlot;
  return open_[static_cast<size_t>(Below(static_cast<int>(open_.size())))];
}

// ---- Steps ------------------------------------------------------------------

Step& TimedWriter::Add(Call call, int slot) {
  TimedStep& step = program_.emplace_back();
  step.call.call = call;
  step.call.slot = slot;
  return step.call;
}

void TimedWriter::AddLink(TimedStep::Kind kind, Side side) {
  TimedStep& step = program_.emplace_back();
  step.kind = kind;
  step.side = side;
  cut_[static_cast<size_t>(side)] = kind == TimedStep::Kind::kCut;
}

void TimedWriter::Wait(int milliseconds) {
  TimedStep& step = program_.emplace_back();
  step.kind = TimedStep::Kind::kWait;
  step.milliseconds = milliseconds;
}

void TimedWriter::SetOption(int slot, int level, int name, int value,
                            int second) {
  Step& step = Add(Call::kSetSockOpt, slot);
  step.level = level;
  step.name = name;
  step.value = value;
  step.second_value = second;
}

void TimedWriter::Look() {
  if (open_.empty()) return;
  Step& poll = Add(Call::kPoll, kNoSlot);
  if (listening_) poll.polled.push_back({kListener, kAllEvents});
  for (const int slot : open_) poll.polled.push_back({slot, kAllEvents});
  for (const int slot : open_) {
    Step& info = Add(Call::kGetSockOpt, slot);
    info.level = IPPROTO_TCP;
    info.name = TCP_INFO;
    if (Chance(50)) Add(Call::kIoctl, slot).name = FIONREAD;
    if (Chance(50)) Add(Call::kIoctl, slot).name = SIOCOUTQ;
  }
}

// ---- Parts of a program -----------------------------------------------------

// With a backlog of 0, Linux uses SYN cookies, which know no TCP_DEFER_ACCEPT.
void TimedWriter::MakeListener(int backlog) {
  Add(Call::kSocket, kNoSlot).out = kListener;
  Add(Call::kBind, kListener).address = ServerAddress();
  MaybeOptions(kListener, 25);
  if (backlog > 0 && Chance(8)) {
    SetOption(kListener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  }
  Add(Call::kListen, kListener).number = backlog;
  listening_ = true;
}

// Bound, so that its address is not the server's.
void TimedWriter::MakeClient() {
  Add(Call::kSocket, kNoSlot).out = kClient;
  Add(Call::kBind, kClient).address = {.host = Host::kOtherV4};
  MaybeOptions(kClient, 50);
  if (Chance(10)) {
    SetOption(kClient, IPPROTO_TCP, TCP_SYNCNT, OneOf({1, 1, 2}));
  }
  open_.push_back(kClient);
}

void TimedWriter::Connect() {
  Add(Call::kConnect, kClient).address = ServerAddress();
}

void TimedWriter::AcceptIt() {
  Add(Call::kAccept4, kListener).out = kAccepted;
  open_.push_back(kAccepted);
  MaybeOptions(kAccepted, 40);
}

void TimedWriter::Begin() {
  const int choice = Below(100);
  constexpr int kConnected = 75;
  constexpr int kUnanswered = 87;
  constexpr int kWithoutRoom = 92;
  const bool without_room = kUnanswered <= choice && choice < kWithoutRoom;
  MakeListener(without_room ? 0 : 1 + Below(5));
  MakeClient();
  if (choice < kConnected) return BeginConnected();
  if (choice < kUnanswered) return BeginUnanswered();
  if (choice < kWithoutRoom) return BeginWithoutRoom();
  BeginUnaccepted();
}

void TimedWriter::BeginConnected() {
  Connect();
  AcceptIt();
}

// The SYN, or its answer, is lost, perhaps for a while.
void TimedWriter::BeginUnanswered() {
  const Side side = AnySide();
  AddLink(TimedStep::Kind::kCut, side);
  Connect();
  SomeTime();
  if (Chance(70)) {
    AddLink(TimedStep::Kind::kRestore, side);
    SomeTime();
  }
  AcceptIt();
  Look();
}

// A listener's queue is full.
void TimedWriter::BeginWithoutRoom() {
  constexpr int kFirst = 3;
  Add(Call::kSocket, kNoSlot).out = kFirst;
  Add(Call::kBind, kFirst).address = {.host = Host::kOtherV4};
  Add(Call::kConnect, kFirst).address = ServerAddress();
  Connect();
  SomeTime();
  if (Chance(70)) {
    Add(Call::kAccept4, kListener).out = kFirst + 1;
    SomeTime();
  }
  AcceptIt();
  Look();
}

void TimedWriter::BeginUnaccepted() {
  Connect();
  for (int actions = Below(3); actions > 0; --actions) Act();
  SomeTime();
  AcceptIt();
}

void TimedWriter::SomeTime() {
  Wait(OneOf(
      {1, 20, 100, 100, 200, 200, 300, 400, 500, 700, 1000, 1000, 1300, 2000}));
  Look();
}

void TimedWriter::Act() {
  const int slot = AnyEnd();
  if (slot == kNoSlot) return;
  const int choice = Below(100);
  if (choice < 30) return Send(slot);
  if (choice < 45) return Receive(slot);
  if (choice < 48) return ReceiveBlocking(slot);
  if (choice < 70) return CutOrRestore();
  if (choice < 82) return End(slot);
  Option(slot);
}

void TimedWriter::Send(int slot) {
  // Whether data that arrives lets held-back data go depends on the kernel's
  // memory accounting.
  if (holder_ != kNoSlot && holder_ != slot) return;
  Step& step = Add(Call::kSend, slot);
  step.size = OneOf<size_t>({1, 1, 10, 10, 100, 1000, 1000, 5000, 20000});
  if (!Chance(10)) return;
  step.flags = MSG_MORE;
  holder_ = slot;
}

void TimedWriter::Receive(int slot) {
  Step& step = Add(Call::kRecv, slot);
  step.size = OneOf<size_t>({1, 10, 1000, 100000});
  if (Chance(10)) step.flags = MSG_PEEK;
}

// Blocks for a short time at most.
void TimedWriter::ReceiveBlocking(int slot) {
  SetOption(slot, SOL_SOCKET, SO_RCVTIMEO, 0, OneOf({300000, 700000}));
  Add(Call::kFcntl, slot).name = F_SETFL;
  Step& step = Add(Call::kRecv, slot);
  step.size = OneOf<size_t>({10, 1000});
  if (Chance(30)) step.flags = MSG_WAITALL;
  Step& back = Add(Call::kFcntl, slot);
  back.name = F_SETFL;
  back.value = O_NONBLOCK;
}

void TimedWriter::End(int slot) {
  const int choice = Below(10);
  if (choice < 5) {
    Add(Call::kShutdown, slot).number =
        OneOf({SHUT_WR, SHUT_WR, SHUT_WR, SHUT_RDWR, SHUT_RD});
    return;
  }
  if (choice == 5) SetOption(slot, SOL_SOCKET, SO_LINGER, 1, Below(3));
  Add(Call::kClose, slot);
  open_.erase(std::find(open_.begin(), open_.end(), slot));
}

void TimedWriter::CutOrRestore() {
  const Side side = AnySide();
  const bool cut = cut_[static_cast<size_t>(side)];
  AddLink(cut ? TimedStep::Kind::kRestore : TimedStep::Kind::kCut, side);
}

// ---- Options ----------------------------------------------------------------

void TimedWriter::MaybeOptions(int slot, int percent) {
  while (Chance(percent)) Option(slot);
}

void TimedWriter::Keepalive(int slot) {
  SetOption(slot, IPPROTO_TCP, TCP_KEEPIDLE, OneOf({1, 1, 2}));
  SetOption(slot, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  SetOption(slot, IPPROTO_TCP, TCP_KEEPCNT, OneOf({1, 1, 2}));
  SetOption(slot, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void TimedWriter::Option(int slot) {
  switch (Below(12)) {
    case 0:
    case 1:
      return Keepalive(slot);
    case 2:
      return SetOption(slot, SOL_SOCKET, SO_KEEPALIVE, Below(2));
    case 3:
    case 4:
      return SetOption(slot, IPPROTO_TCP, TCP_USER_TIMEOUT,
                       OneOf({100, 300, 500, 1000, 1500, 2500}));
    case 5:
      return SetOption(slot, IPPROTO_TCP, TCP_NODELAY, Below(2));
    case 6:
      if (slot == kListener || (holder_ != kNoSlot && holder_ != slot)) return;
      holder_ = slot;
      return SetOption(slot, IPPROTO_TCP, TCP_CORK, Below(2));
    case 7:
      return SetOption(slot, IPPROTO_TCP, TCP_QUICKACK, Below(2));
    case 8:
      return SetOption(slot, IPPROTO_TCP, TCP_LINGER2, OneOf({-1, 1, 2}));
    case 9:
      return SetOption(slot, SOL_SOCKET, SO_RCVLOWAT, OneOf({1, 10, 200}));
    case 10:
      return SetOption(slot, SOL_SOCKET, SO_LINGER, Below(2), Below(3));
    default:
      return SetOption(slot, IPPROTO_TCP,
                       OneOf({TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}),
                       OneOf({1, 2}));
  }
}

}  // namespace net::differential

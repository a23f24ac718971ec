#include "fakes/differential/writer.h"

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
#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/situations.h"

namespace net::differential {
namespace {

// More than arrives at the other end immediately.
constexpr size_t kLargest = size_t{1} << 20;

// The scenes, in percent, of which there are several drafts, and how many.
constexpr int kDraftedScenes = 60;
constexpr int kDrafts = 8;

constexpr int16_t kAllEvents = POLLIN | POLLPRI | POLLOUT | POLLRDHUP |
                               POLLRDNORM | POLLRDBAND | POLLWRNORM |
                               POLLWRBAND;

}  // namespace

Program Writer::Write(size_t most) {
  while (program_.size() < most) AddScene();
  program_.resize(most);
  return std::move(program_);
}

void Writer::AddScene() {
  Program before = std::exchange(program_, {});
  states_.clear();
  if (usual_ != nullptr && Chance(kDraftedScenes)) {
    AddSeldomScene();
  } else {
    AddAnyScene();
    NoteSituations();
  }
  before.insert(before.end(), std::make_move_iterator(program_.begin()),
                std::make_move_iterator(program_.end()));
  program_ = std::move(before);
}

void Writer::AddSeldomScene() {
  const std::vector<Situation> before = std::exchange(situations_, {});
  Writer chosen = *this;
  int64_t least = INT64_MAX;
  for (int i = 0; i < kDrafts; ++i) {
    Writer draft = *this;
    draft.random_ = Next();
    draft.AddAnyScene();
    draft.NoteSituations();
    const int64_t seldomness = draft.Seldomness();
    if (seldomness >= least) continue;
    least = seldomness;
    chosen = std::move(draft);
  }
  chosen.random_ = random_;
  chosen.situations_.insert(chosen.situations_.begin(), before.begin(),
                            before.end());
  *this = std::move(chosen);
}

void Writer::NoteSituations() {
  for (size_t i = 0; i < program_.size(); ++i) {
    const Step& step = program_[i];
    Call before = Call::kSocket;
    if (step.slot < kSlots) {
      Call& last = last_calls_[static_cast<size_t>(step.slot)];
      before = std::exchange(last, step.call);
    }
    for (const Situation& one : SituationsOf(step, states_[i], before)) {
      situations_.push_back(one);
    }
    if (step.out < kSlots) {
      last_calls_[static_cast<size_t>(step.out)] = Call::kSocket;
    }
  }
}

int64_t Writer::Seldomness() const {
  int64_t least = INT64_MAX - 1;
  for (const Situation& situation : situations_) {
    least = std::min(least, usual_->Count(situation));
  }
  return least;
}

void Writer::AddAnyScene() {
  struct Choice {
    int weight;
    void (Writer::*scene)();
  };
  static constexpr Choice kChoices[] = {
      {14, &Writer::Talk},
      {8, &Writer::PollAll},
      {8, &Writer::End},
      {6, &Writer::HalfClose},
      {6, &Writer::AfterTheEnd},
      {5, &Writer::CloseUnread},
      {5, &Writer::Conflict},
      {4, &Writer::SecondListener},
      {4, &Writer::FillQueue},
      {4, &Writer::Refused},
      {3, &Writer::TimeWait},
      {3, &Writer::Disconnect},
      {3, &Writer::ConnectAgain},
      {2, &Writer::SameNames},
      {3, &Writer::CloseListener},
      {1, &Writer::Privileged},
      {1, &Writer::DeferAccept},
      {1, &Writer::FillBuffers},
      {3, &Writer::HoldBack},
      {3, &Writer::LowWaterMark},
      {4, &Writer::ShareDescriptor},
      {3, &Writer::ChangeBlocking},
      {8, &Writer::Options},
      {4, &Writer::OddOption},
      {4, &Writer::OddAddress},
      {4, &Writer::OddName},
      {4, &Writer::OddData},
      {3, &Writer::OddDescriptor},
      {3, &Writer::NotASocket},
      {2, &Writer::NoDescriptors},
      {8, &Writer::AnyCall},
  };
  static const int total = [] {
    int sum = 0;
    for (const Choice& choice : kChoices) sum += choice.weight;
    return sum;
  }();
  int left = Below(total);
  for (const Choice& choice : kChoices) {
    left -= choice.weight;
    if (left < 0) return (this->*choice.scene)();
  }
}

// ---- Chance -----------------------------------------------------------------

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
// Generators, 2014). Its small state makes drafts cheap.
uint64_t Writer::Next() {
  random_ += 0x9e3779b97f4a7c15;
  uint64_t mixed = random_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

bool Writer::Chance(int percent) { return Below(100) < percent; }

// Programs must depend only on the seed, not on the library or the compiler.
// Standard distributions differ between libraries. Compilers evaluate arguments
// in any order, so no call has two random arguments.
int Writer::Below(int limit) {
  return static_cast<int>(Next() % static_cast<uint64_t>(limit));
}

int Writer::Any(std::initializer_list<Guess::Kind> kinds) {
  std::vector<int> found;
  for (int slot = 0; slot < kSlots; ++slot) {
    if (std::find(kinds.begin(), kinds.end(), At(slot).kind) != kinds.end()) {
      found.push_back(slot);
    }
  }
  if (found.empty()) return kNoSlot;
  return found[static_cast<size_t>(Below(static_cast<int>(found.size())))];
}

int Writer::AnySlot() {
  const int used = Any({Guess::kFresh, Guess::kBound, Guess::kListening,
                        Guess::kConnected, Guess::kEnded});
  if (used == kNoSlot || Chance(4)) return Below(kSlots + 1);
  return used;
}

// ---- Steps ------------------------------------------------------------------

Step& Writer::Add(Call call, int slot) {
  Step step;
  step.call = call;
  step.slot = slot;
  states_.push_back(slot < kSlots ? At(slot).kind : SlotState::kFree);
  program_.push_back(step);
  return program_.back();
}

int Writer::FreeSlot() {
  const int free = Any({Guess::kFree});
  if (free != kNoSlot) return free;
  const int victim = Below(kSlots);
  CloseSlot(victim);
  return victim;
}

int Writer::NewSocket(bool v6) {
  const int process = Below(kProcesses);
  const int slot = FreeSlot();
  Step& step = Add(Call::kSocket, kNoSlot);
  step.out = slot;
  step.process = process;
  step.domain = v6 ? AF_INET6 : AF_INET;
  if (Chance(10)) step.type |= SOCK_CLOEXEC;
  if (Chance(10)) step.protocol = IPPROTO_TCP;
  At(slot) = {.kind = Guess::kFresh, .process = process, .v6 = v6};
  return slot;
}

void Writer::SetOption(int slot, int level, int name, int value) {
  Step& step = Add(Call::kSetSockOpt, slot);
  step.level = level;
  step.name = name;
  step.value = IsAllowed(level, name) ? value : 0;
}

bool Writer::IsAllowed(int level, int name) const {
  if (level != SOL_SOCKET) return true;
  if (name == SO_BINDTOIFINDEX) return uses_interfaces_;
  return (name != SO_REUSEADDR && name != SO_REUSEPORT) || !uses_interfaces_;
}

void Writer::BindTo(int slot, const Address& address) {
  Add(Call::kBind, slot).address = address;
  At(slot).kind = Guess::kBound;
  At(slot).address = address;
}

void Writer::ListenOn(int slot, int backlog) {
  Add(Call::kListen, slot).number = backlog;
  At(slot).kind = Guess::kListening;
}

void Writer::ConnectTo(int slot, int listener) {
  Add(Call::kConnect, slot).address = AddressOf(listener, At(slot).v6);
  At(slot).kind = Guess::kConnected;
  At(slot).peer = kNoSlot;
  At(listener).clients.push_back(slot);
}

int Writer::AcceptFrom(int listener) {
  const int slot = FreeSlot();
  if (slot == listener) return kNoSlot;
  Step& step = Add(Chance(10) ? Call::kAccept : Call::kAccept4, listener);
  step.out = slot;
  if (step.call == Call::kAccept4) {
    step.flags = OneOf<int>({SOCK_NONBLOCK, SOCK_NONBLOCK, SOCK_NONBLOCK,
                             SOCK_NONBLOCK | SOCK_CLOEXEC, 0});
  }
  step.null = step.null_length = Chance(40);
  At(slot) = {.kind = Guess::kConnected,
              .process = At(listener).process,
              .v6 = At(listener).v6};
  std::vector<int>& clients = At(listener).clients;
  if (!clients.empty()) {
    At(slot).peer = clients.front();
    At(clients.front()).peer = slot;
    clients.erase(clients.begin());
  }
  return slot;
}

void Writer::SendSome(int slot) {
  Step& step =
      Add(OneOf({Call::kSend, Call::kSend, Call::kSendTo, Call::kSendMsg,
                 Call::kWrite, Call::kWriteV, Call::kSplice}),
          slot);
  step.size = OneOf<size_t>({0, 1, 1, 1, 10, 100, 1000, 1000, 30000});
  if (Chance(4)) step.size = Chance(50) ? 65536 : kLargest;
  if (step.call != Call::kWrite && step.call != Call::kWriteV &&
      step.call != Call::kSplice) {
    step.flags = OneOf<int>({0, 0, 0, MSG_NOSIGNAL, MSG_DONTWAIT});
  }
  if (step.call == Call::kSendTo) {
    step.address.host = OneOf({Host::kNull, Host::kNull, Host::kLocalV4,
                               Host::kNotLocalV6, Host::kUnspec});
  }
  step.pieces = 1 + Below(3);
}

void Writer::ReceiveSome(int slot) {
  Step& step =
      Add(OneOf({Call::kRecv, Call::kRecv, Call::kRecvFrom, Call::kRecvMsg,
                 Call::kRead, Call::kReadV, Call::kSendFile}),
          slot);
  step.size = OneOf<size_t>({0, 1, 1, 10, 100, 1000, 65536, kLargest});
  if (step.call != Call::kRead && step.call != Call::kReadV &&
      step.call != Call::kSendFile && Chance(25)) {
    step.flags =
        OneOf<int>({MSG_PEEK, MSG_PEEK, MSG_DONTWAIT, MSG_TRUNC, MSG_WAITALL});
  }
  step.pieces = 1 + Below(3);
}

void Writer::Shutdown(int slot, int how) {
  Add(Call::kShutdown, slot).number = how;
}

void Writer::CloseSlot(int slot) {
  Add(Call::kClose, slot);
  if (slot >= kSlots) return;
  if (At(slot).peer != kNoSlot) At(At(slot).peer).kind = Guess::kEnded;
  At(slot) = {};
}

void Writer::ResetSlot(int slot) {
  Step& step = Add(Call::kSetSockOpt, slot);
  step.level = SOL_SOCKET;
  step.name = SO_LINGER;
  step.value = 1;
  step.second_value = 0;
  CloseSlot(slot);
}

void Writer::PollAll() {
  Step& step = Add(Call::kPoll, kNoSlot);
  const int process = Below(kProcesses);
  const int16_t events = Chance(60)
                             ? kAllEvents
                             : OneOf<int16_t>({POLLIN, POLLOUT, POLLRDHUP, 0,
                                               POLLIN | POLLOUT, POLLPRI});
  for (int slot = 0; slot < kSlots; ++slot) {
    const Guess& guess = At(slot);
    if (guess.kind == Guess::kFree || guess.process != process) continue;
    step.polled.push_back({slot, events});
  }
  if (step.polled.empty() || Chance(3))
    step.polled.push_back({kNoSlot, events});
}

void Writer::Inspect(int slot) {
  switch (Below(9)) {
    case 0:
      Add(Call::kPoll, kNoSlot).polled = {{slot, kAllEvents}};
      return;
    case 1:
      Add(Call::kGetSockName, slot);
      return;
    case 2:
      Add(Call::kGetPeerName, slot);
      return;
    case 3:
    case 4: {
      Step& step = Add(Call::kGetSockOpt, slot);
      step.level = SOL_SOCKET;
      step.name = SO_ERROR;
      return;
    }
    case 5:
    case 6: {
      Step& step = Add(Call::kGetSockOpt, slot);
      step.level = IPPROTO_TCP;
      step.name = TCP_INFO;
      return;
    }
    case 7:
      Add(Call::kIoctl, slot).name = OneOf<int>({FIONREAD, SIOCOUTQ});
      return;
    default:
      Add(Call::kFcntl, slot).name = OneOf({F_GETFL, F_GETFD});
      return;
  }
}

}  // namespace net::differential

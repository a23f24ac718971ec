// Scenes for connections: sending, receiving, filling buffers, closing, and
// calls after the close.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/writer.h"

namespace net::differential {

// Returns the slot of a connected socket, often with a peer. Makes a connection
// if there is none.
int Writer::Connected() {
  const int slot = Any({Guess::kConnected});
  if (slot != kNoSlot && !Chance(15)) return slot;
  const int made = MakePair();
  return made == kNoSlot ? AnySlot() : made;
}

void Writer::Talk() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  for (int i = 1 + Below(2); i > 0; --i) SendSome(slot);
  const int peer = At(slot).peer;
  if (peer == kNoSlot) return;
  if (Chance(25)) Inspect(peer);
  if (Chance(70)) ReceiveSome(peer);
  if (Chance(25)) ReceiveSome(slot);
  if (Chance(15)) Inspect(slot);
}

void Writer::SetBuffers(int slot) {
  const int name = OneOf({SO_SNDBUF, SO_RCVBUF});
  SetOption(slot, SOL_SOCKET, name, OneOf({1, 2304, 4096, 65536, 1 << 20, -1}));
}

void Writer::FillBuffers() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  const int peer = At(slot).peer;
  // Small buffers are full sooner.
  if (Chance(80)) SetOption(slot, SOL_SOCKET, SO_SNDBUF, 4096);
  Add(Call::kSend, slot).repeated = true;
  Inspect(slot);
  if (Chance(40)) SendSome(slot);
  if (peer == kNoSlot) return;
  Inspect(peer);
  if (Chance(25)) Shutdown(slot, SHUT_WR);
  if (Chance(15)) CloseSlot(slot);
  if (Chance(15)) {
    CloseSlot(peer);
    return;
  }
  Add(Call::kRecv, peer).repeated = true;
  if (Chance(50)) Inspect(peer);
}

// TCP_CORK and MSG_MORE: sends a little data, then makes calls that may release
// it.
void Writer::HoldBack() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  const int peer = At(slot).peer;
  if (Chance(50)) SetOption(slot, IPPROTO_TCP, TCP_CORK, 1);
  if (peer != kNoSlot && Chance(30)) {
    Chance(50) ? Shutdown(peer, Below(3)) : CloseSlot(peer);
  }
  for (int i = 1 + Below(2); i > 0; --i) {
    SendSome(slot);
    Step& step = program_.back();
    if (step.call != Call::kWrite && Chance(70)) step.flags |= MSG_MORE;
    Inspect(slot);
  }
  if (peer != kNoSlot && Chance(70)) ReceiveSome(peer);
  switch (Below(6)) {
    case 0:
      SetOption(slot, IPPROTO_TCP, TCP_CORK, 0);
      break;
    case 1:
      SetOption(slot, IPPROTO_TCP, TCP_NODELAY, 1);
      break;
    case 2:
      Shutdown(slot, SHUT_WR);
      break;
    case 3:
      CloseSlot(slot);
      break;
    case 4:
      SendSome(slot);
      break;
    default:
      break;
  }
  Inspect(slot);
  if (peer == kNoSlot) return;
  if (Chance(70)) ReceiveSome(peer);
  Inspect(peer);
}

void Writer::LowWaterMark() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  SetOption(slot, SOL_SOCKET, SO_RCVLOWAT, OneOf({2, 10, 100, 0, -1}));
  const int peer = At(slot).peer;
  if (peer == kNoSlot) return;
  SendSome(peer);
  Add(Call::kPoll, kNoSlot).polled = {{slot, POLLIN | POLLRDNORM}};
  if (Chance(30)) Shutdown(peer, SHUT_WR);
  if (Chance(50)) ReceiveSome(slot);
  Inspect(slot);
}

void Writer::HalfClose() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  if (Chance(40)) SendSome(slot);
  Shutdown(slot, OneOf({SHUT_WR, SHUT_WR, SHUT_RD, SHUT_RDWR}));
  const int peer = At(slot).peer;
  if (Chance(50)) Inspect(slot);
  if (peer == kNoSlot) return;
  if (Chance(50)) Inspect(peer);
  if (Chance(40)) ReceiveSome(peer);
  if (Chance(40)) SendSome(peer);
  if (Chance(40)) ReceiveSome(slot);
  if (Chance(30)) Shutdown(peer, OneOf({SHUT_WR, SHUT_RD, SHUT_RDWR}));
  Inspect(Chance(50) ? slot : peer);
}

void Writer::End() {
  const int slot = Connected();
  if (slot >= kSlots) return;
  const int peer = At(slot).peer;
  if (Chance(30)) SendSome(slot);
  Chance(40) ? ResetSlot(slot) : CloseSlot(slot);
  if (peer == kNoSlot) return;
  for (int i = 1 + Below(3); i > 0; --i) Inspect(peer);
  if (Chance(50)) Chance(50) ? SendSome(peer) : ReceiveSome(peer);
}

void Writer::CloseUnread() {
  const int slot = Connected();
  if (slot >= kSlots || At(slot).peer == kNoSlot) return;
  const int peer = At(slot).peer;
  SendSome(peer);
  if (Chance(30)) ReceiveSome(slot);
  CloseSlot(slot);
  Inspect(peer);
  Chance(50) ? SendSome(peer) : ReceiveSome(peer);
  if (Chance(50)) Inspect(peer);
}

void Writer::AfterTheEnd() {
  const int slot = Any({Guess::kEnded});
  if (slot == kNoSlot) return;
  for (int i = 1 + Below(4); i > 0; --i) {
    switch (Below(5)) {
      case 0:
      case 1:
        SendSome(slot);
        break;
      case 2:
        ReceiveSome(slot);
        break;
      case 3:
        Shutdown(slot, Below(3));
        break;
      default:
        Inspect(slot);
    }
  }
}

void Writer::ShareDescriptor() {
  const int slot = AnySlot();
  const int other = FreeSlot();
  if (slot >= kSlots || slot == other) return;
  switch (Below(3)) {
    case 0:
      Add(Call::kDup, slot).out = other;
      break;
    case 1: {
      Step& step = Add(Call::kFcntl, slot);
      step.name = OneOf({F_DUPFD, F_DUPFD_CLOEXEC});
      step.out = other;
      break;
    }
    default: {
      const int replaced = AnySlot();
      if (replaced >= kSlots) return;
      Step& step = Add(Call::kDup3, slot);
      step.out = replaced;
      step.flags = OneOf<int>({0, 0, O_CLOEXEC, 1});
      return;
    }
  }
  At(other) = At(slot);
  if (Chance(40)) Inspect(other);
  if (Chance(30)) {
    Step& step = Add(Call::kFcntl, slot);
    step.name = F_SETFL;
    step.value = OneOf({0, O_NONBLOCK});
    Add(Call::kFcntl, other).name = F_GETFL;
  }
  if (Chance(60)) {
    // Closes one descriptor and uses the other.
    Add(Call::kClose, slot);
    At(slot) = {};
    Inspect(other);
  }
}

void Writer::ChangeBlocking() {
  const int slot = AnySlot();
  if (Chance(40)) {
    Step& step = Add(Call::kIoctl, slot);
    step.name = FIONBIO;
    step.value = Below(2);
  } else {
    Step& step = Add(Call::kFcntl, slot);
    step.name = OneOf({F_SETFL, F_SETFL, F_SETFD});
    step.value = step.name == F_SETFD ? Below(2) : OneOf({0, O_NONBLOCK});
  }
  Step& step = Add(Call::kFcntl, slot);
  step.name = OneOf({F_GETFL, F_GETFL, F_GETFD});
  if (Chance(50)) {
    Step& back = Add(Call::kFcntl, slot);
    back.name = F_SETFL;
    back.value = O_NONBLOCK;
  }
}

}  // namespace net::differential

#include "fakes/differential/shrink.h"

#include <sys/socket.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {
namespace {

// Collects simpler variations of a step.
class Variations {
 public:
  explicit Variations(Step step) : step_(std::move(step)) {}

  // Adds the step with one field at its simplest value, unless it has that
  // already.
  template <typename T>
  void Set(T Step::*field, T simplest) {
    if (step_.*field == simplest) return;
    Step simpler = step_;
    simpler.*field = std::move(simplest);
    steps_.push_back(std::move(simpler));
  }

  void SetAddress(const Address& simpler) { Set(&Step::address, simpler); }

  std::vector<Step> Take() { return std::move(steps_); }

 private:
  const Step step_;
  std::vector<Step> steps_;
};

void SimplifyAddress(const Step& step, Variations& out) {
  Address address = step.address;
  address.length = kRightLength;
  out.SetAddress(address);
  address = step.address;
  address.host = Host::kLocalV4;
  out.SetAddress(address);
  if (step.address.port == PortKind::kOfSlot) {
    for (int i = 0; i < kFixedPorts; ++i) {
      address = step.address;
      address.port = PortKind::kFixed;
      address.index = i;
      out.SetAddress(address);
    }
  } else if (step.address.port == PortKind::kFixed && step.address.index != 0) {
    address = step.address;
    address.index = 0;
    out.SetAddress(address);
  }
}

void SimplifyPoll(const Step& step, Variations& out) {
  for (size_t i = 0; i < step.polled.size(); ++i) {
    std::vector<PollEntry> fewer = step.polled;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (!fewer.empty()) out.Set(&Step::polled, std::move(fewer));
  }
}

void SimplifyFlags(const Step& step, Variations& out) {
  for (int bit = 0; bit < 31; ++bit) {
    out.Set(&Step::flags, step.flags & ~(1 << bit));
  }
}

void SimplifyCall(const Step& step, Variations& out) {
  switch (step.call) {
    case Call::kAccept:
      out.Set(&Step::call, Call::kAccept4);
      break;
    case Call::kSendTo:
    case Call::kSendMsg:
    case Call::kWrite:
    case Call::kWriteV:
    case Call::kSplice:
      out.Set(&Step::call, Call::kSend);
      break;
    case Call::kRecvFrom:
    case Call::kRecvMsg:
    case Call::kRead:
    case Call::kReadV:
    case Call::kSendFile:
      out.Set(&Step::call, Call::kRecv);
      break;
    default:
      break;
  }
}

}  // namespace

std::vector<Step> SimplerSteps(const Step& step) {
  Variations out(step);
  SimplifyCall(step, out);
  SimplifyAddress(step, out);
  SimplifyPoll(step, out);
  SimplifyFlags(step, out);
  out.Set(&Step::process, 0);
  out.Set(&Step::length, kRightLength);
  out.Set(&Step::null, false);
  out.Set(&Step::null_length, false);
  out.Set(&Step::repeated, false);
  out.Set(&Step::no_descriptors, false);
  out.Set(&Step::pieces, 1);
  if (step.size > 1) out.Set(&Step::size, size_t{1});
  if (step.call == Call::kListen) out.Set(&Step::number, 1);
  if (step.call == Call::kSocket) out.Set(&Step::domain, AF_INET);
  return out.Take();
}

rc::Shrinkable<Program> Shrinking(Program program) {
  return rc::shrinkable::shrinkRecur(
      std::move(program), [](const Program& larger) {
        return rc::seq::concat(
            rc::shrink::removeChunks(larger),
            rc::shrink::eachElement(larger, [](const Step& step) {
              return rc::seq::fromContainer(SimplerSteps(step));
            }));
      });
}

}  // namespace net::differential

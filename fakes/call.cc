#include "fakes/call.h"

#include <cstddef>
#include <iterator>
#include <optional>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net {
namespace {

struct NamedCall {
  Call call;
  absl::string_view name;
};

constexpr NamedCall kNamedCalls[] = {
    {Call::kSocket, "socket"},
    {Call::kBind, "bind"},
    {Call::kListen, "listen"},
    {Call::kAccept4, "accept4"},
    {Call::kConnect, "connect"},
    {Call::kGetSockName, "getsockname"},
    {Call::kGetPeerName, "getpeername"},
    {Call::kSetSockOpt, "setsockopt"},
    {Call::kGetSockOpt, "getsockopt"},
    {Call::kShutdown, "shutdown"},
    {Call::kSend, "send"},
    {Call::kRecv, "recv"},
    {Call::kSendMsg, "sendmsg"},
    {Call::kRecvMsg, "recvmsg"},
    {Call::kRead, "read"},
    {Call::kWrite, "write"},
    {Call::kPoll, "poll"},
    {Call::kPPoll, "ppoll"},
    {Call::kEpollCreate1, "epoll_create1"},
    {Call::kEpollCtl, "epoll_ctl"},
    {Call::kEpollWait, "epoll_wait"},
    {Call::kClose, "close"},
    {Call::kFcntl, "fcntl"},
    {Call::kIoctl, "ioctl"},
    {Call::kDup, "dup"},
    {Call::kDup3, "dup3"},
    {Call::kPipe2, "pipe2"},
    {Call::kEventFd, "eventfd"},
    {Call::kClockGetTime, "clock_gettime"},
    {Call::kNanoSleep, "nanosleep"},
};
static_assert(std::size(kNamedCalls) == kCallCount);

struct CallList {
  constexpr CallList() {
    for (size_t i = 0; i < kCallCount; ++i) calls[i] = static_cast<Call>(i);
  }
  Call calls[kCallCount] = {};
};

constexpr CallList kAllCalls;

}  // namespace

absl::Span<const Call> AllCalls() { return kAllCalls.calls; }

absl::string_view CallName(Call call) {
  for (const NamedCall& named : kNamedCalls) {
    if (named.call == call) return named.name;
  }
  return "?";
}

std::optional<Call> CallFromName(absl::string_view name) {
  for (const NamedCall& named : kNamedCalls) {
    if (named.name == name) return named.call;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& os, Call call) {
  return os << CallName(call);
}

}  // namespace net

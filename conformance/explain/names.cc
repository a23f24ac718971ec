#include "conformance/explain/names.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/explain/script.h"
#include "fakes/faults/call_record.h"
#include "fakes/faults/syscall_id.h"

namespace net::conformance {
namespace {

// Returns the two descriptors of a successful pipe2(2).
struct Pair {
  int fds[2] = {-1, -1};
};
Pair PairOf(const CallRecord& record) {
  Pair pair;
  const absl::string_view target = record.Target(0);
  if (target.size() == sizeof(pair.fds)) {
    std::memcpy(pair.fds, target.data(), sizeof(pair.fds));
  }
  return pair;
}

// Returns the kind of the descriptor that `call` has made: by the first call
// that decides it.
std::string KindOf(const Script& script, size_t call) {
  const CallRecord& made = script.calls[call].record;
  switch (made.call) {
    case SyscallId::kAccept:
    case SyscallId::kAccept4:
      return "server";
    case SyscallId::kEpollCreate1:
      return "epoll";
    case SyscallId::kEventFd:
      return "event";
    case SyscallId::kTimerFdCreate:
      return "timer";
    case SyscallId::kDup:
    case SyscallId::kDup3:
    case SyscallId::kFcntl:
      return "copy";
    default:
      break;
  }
  for (size_t i = call + 1; i < script.calls.size(); ++i) {
    const CallRecord& later = script.calls[i].record;
    if (later.arguments[0].number == made.result.value()) {
      if (later.call == SyscallId::kListen) return "listener";
      if (later.call == SyscallId::kConnect) return "client";
      if (later.call == SyscallId::kClose) break;
    }
  }
  return "fd";
}

}  // namespace

bool MakesDescriptor(const CallRecord& record) {
  if (!record.result.ok()) return false;
  switch (record.call) {
    case SyscallId::kSocket:
    case SyscallId::kAccept:
    case SyscallId::kAccept4:
    case SyscallId::kEpollCreate1:
    case SyscallId::kEventFd:
    case SyscallId::kTimerFdCreate:
    case SyscallId::kDup:
    case SyscallId::kDup3:
      return true;
    case SyscallId::kFcntl:
      return record.arguments[1].number == F_DUPFD ||
             record.arguments[1].number == F_DUPFD_CLOEXEC;
    default:
      return false;
  }
}

Names::Names(const Script& script) : script_(script) {
  for (size_t i = 0; i < script.calls.size(); ++i) {
    const CallRecord& record = script.calls[i].record;
    if (MakesDescriptor(record)) {
      made_[i] = Unique(KindOf(script, i));
    } else if (record.call == SyscallId::kPipe2 && record.result.ok()) {
      made_[i] = Unique("ends");
    }
  }
}

std::string Names::Unique(const std::string& base) {
  const int count = ++counts_[base];
  return count == 1 ? base : absl::StrCat(base, count);
}

void Names::Return(size_t call) {
  const CallRecord& record = script_.calls[call].record;
  if (MakesDescriptor(record)) {
    open_[record.result.value()] = made_.at(call);
  } else if (record.call == SyscallId::kPipe2 && record.result.ok()) {
    const Pair pair = PairOf(record);
    open_[pair.fds[0]] = absl::StrCat(made_.at(call), "[0]");
    open_[pair.fds[1]] = absl::StrCat(made_.at(call), "[1]");
  }
}

std::string Names::OfDescriptor(int64_t fd) const {
  const auto it = open_.find(fd);
  return it == open_.end() ? absl::StrCat(fd) : it->second;
}

std::string Names::OfPort(uint16_t port) const {
  const auto it = used_.find(port);
  return it == used_.end() || it->second.empty() ? absl::StrCat(port)
                                                 : it->second;
}

std::optional<std::string> Names::LearnPort(uint16_t port) {
  if (port == 0 || used_.contains(port)) return std::nullopt;
  return used_[port] = Unique("port");
}

}  // namespace net::conformance

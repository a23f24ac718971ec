#include "fakes/faults/syscall_id.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/call.h"

namespace net {
namespace {

constexpr absl::string_view kNames[] = {
#define NET_SYSCALL(method, name, ...) name,
#include "syscalls/syscall_table.inc"
};

struct Member {
  absl::string_view family;
  SyscallId id;
};

constexpr Member kMembers[] = {
    {"accept", SyscallId::kAccept},   {"accept", SyscallId::kAccept4},
    {"send", SyscallId::kSend},       {"send", SyscallId::kSendTo},
    {"send", SyscallId::kSendMsg},    {"send", SyscallId::kSendMMsg},
    {"send", SyscallId::kWrite},      {"send", SyscallId::kWriteV},
    {"send", SyscallId::kSendFile},   {"recv", SyscallId::kRecv},
    {"recv", SyscallId::kRecvFrom},   {"recv", SyscallId::kRecvMsg},
    {"recv", SyscallId::kRecvMMsg},   {"recv", SyscallId::kRead},
    {"recv", SyscallId::kReadV},      {"poll", SyscallId::kPoll},
    {"poll", SyscallId::kPPoll},      {"poll", SyscallId::kSelect},
    {"poll", SyscallId::kPSelect6},   {"poll", SyscallId::kEpollWait},
    {"poll", SyscallId::kEpollPWait}, {"poll", SyscallId::kEpollPWait2},
    {"dup", SyscallId::kDup},         {"dup", SyscallId::kDup3},
};

bool IsFamily(absl::string_view name) {
  return std::any_of(
      std::begin(kMembers), std::end(kMembers),
      [name](const Member& member) { return member.family == name; });
}

}  // namespace

Call CallOf(SyscallId id) { return kAllCalls[static_cast<size_t>(id)]; }

absl::string_view SyscallName(SyscallId id) {
  const auto index = static_cast<size_t>(id);
  return index < kSyscallIdCount ? kNames[index] : "?";
}

std::optional<SyscallId> SyscallIdFromName(absl::string_view name) {
  for (const SyscallId id : kAllSyscallIds) {
    if (SyscallName(id) == name) return id;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& os, SyscallId id) {
  return os << SyscallName(id);
}

bool UsesNoSocket(SyscallId id) {
  switch (id) {
    case SyscallId::kEpollCreate1:
    case SyscallId::kPipe2:
    case SyscallId::kEventFd:
    case SyscallId::kTimerFdCreate:
    case SyscallId::kClockGetTime:
    case SyscallId::kNanoSleep:
      return true;
    default:
      return false;
  }
}

std::optional<SyscallSet> SelectSyscalls(absl::string_view calls) {
  SyscallSet selected;
  if (calls == "*") {
    for (const SyscallId id : kAllSyscallIds) {
      if (!UsesNoSocket(id)) selected.insert(id);
    }
    return selected;
  }
  const bool one_call = absl::ConsumeSuffix(&calls, "!");
  if (one_call && !IsFamily(calls)) return std::nullopt;
  if (!one_call) {
    for (const Member& member : kMembers) {
      if (member.family == calls) selected.insert(member.id);
    }
    if (!selected.empty()) return selected;
  }
  const std::optional<SyscallId> id = SyscallIdFromName(calls);
  if (!id.has_value()) return std::nullopt;
  selected.insert(*id);
  return selected;
}

absl::string_view FamilyOf(SyscallId id) {
  for (const Member& member : kMembers) {
    if (member.id == id) return member.family;
  }
  return "";
}

const std::vector<std::string>& SyscallSelections() {
  // Never destroyed.
  static const auto* const selections = [] {
    auto* const texts = new std::vector<std::string>;
    for (const SyscallId id : kAllSyscallIds) {
      const std::string name(SyscallName(id));
      texts->push_back(name);
      if (IsFamily(name)) texts->push_back(absl::StrCat(name, "!"));
    }
    return texts;
  }();
  return *selections;
}

}  // namespace net

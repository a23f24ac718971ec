#ifndef FAKES_FAULTS_SYSCALL_ID_H_
#define FAKES_FAULTS_SYSCALL_ID_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"

namespace net {

// Every system call of syscalls/syscall_table.inc, made by this process or by
// another. A row with the method Accept4 has the value kAccept4.
enum class SyscallId : uint8_t {
#define NET_SYSCALL(method, ...) k##method,
#include "syscalls/syscall_table.inc"
};

// All of them, in the order of SyscallId.
inline constexpr SyscallId kAllSyscallIds[] = {
#define NET_SYSCALL(method, ...) SyscallId::k##method,
#include "syscalls/syscall_table.inc"
};

// The values of SyscallId are 0 to kSyscallIdCount - 1.
inline constexpr size_t kSyscallIdCount = std::size(kAllSyscallIds);

// The id of each Call, at the index of its value.
inline constexpr SyscallId kIdsOfCalls[] = {
#define NET_SYSCALL(method, ...) SyscallId::k##method,
#include "syscalls/syscall_table.inc"
};

constexpr SyscallId IdOf(Call call) {
  return kIdsOfCalls[static_cast<size_t>(call)];
}

Call CallOf(SyscallId id);

// Returns the name of the man page: "accept4".
absl::string_view SyscallName(SyscallId id);

// Returns the call with that name, or nullopt if the table has none.
std::optional<SyscallId> SyscallIdFromName(absl::string_view name);

std::ostream& operator<<(std::ostream& os, SyscallId id);

// A set of calls.
class SyscallSet {
 public:
  void insert(SyscallId id) { bits_.set(static_cast<size_t>(id)); }
  bool contains(SyscallId id) const { return bits_[static_cast<size_t>(id)]; }
  bool empty() const { return bits_.none(); }
  size_t size() const { return bits_.count(); }

  friend bool operator==(const SyscallSet&, const SyscallSet&) = default;
  friend std::ostream& operator<<(std::ostream& os, const SyscallSet& set) {
    return os << set.size() << " calls";
  }

 private:
  std::bitset<kSyscallIdCount> bits_;
};

// Returns whether the call takes no descriptor and makes no socket:
// epoll_create1, pipe2, eventfd, timerfd_create, clock_gettime and nanosleep.
bool UsesNoSocket(SyscallId id);

// Returns the calls that a plan's text selects (fakes/faults/fault_plan.h), or
// nullopt if the text is none:
//
//   "accept4"   that call
//   "recv"      a family, here recv, recvfrom, recvmsg, recvmmsg, read, readv
//   "recv!"     the call, where a family has the same name
//   "*"         every call but those that use no socket
std::optional<SyscallSet> SelectSyscalls(absl::string_view calls);

// Returns the family that the call is in: "recv" for read(2); "" if in none.
absl::string_view FamilyOf(SyscallId id);

// Returns every text that SelectSyscalls() takes, except "*".
const std::vector<std::string>& SyscallSelections();

}  // namespace net

#endif  // FAKES_FAULTS_SYSCALL_ID_H_

#ifndef FAKES_KERNEL_CALL_LOG_H_
#define FAKES_KERNEL_CALL_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "syscalls/sys_result.h"

namespace net::fake {

struct ParticipantState;

// A call, for reports. Small, because each call makes one.
struct LoggedCall {
  // The name of the process. The string outlives the kernel's calls. Null for a
  // call of //fakes:thread_hooks.
  const std::string* process;
  const char* name;  // A literal.
  int fd;            // -1: none.
};

// The last calls of all processes, for reports. Guarded by the kernel's mutex.
class CallLog {
 public:
  struct Entry {
    uint64_t number = 0;
    const ParticipantState* caller = nullptr;
    LoggedCall call = {};
    bool has_returned = false;
    SysResult result;
  };
  // The place of a call in the log, which another call takes later.
  struct Place {
    Entry* entry;
    uint64_t number;  // Of the call.
  };

  // Adds a call, and returns its place.
  Place Begin(const ParticipantState* caller, const std::string* process,
              const char* name, int fd) {
    Entry& entry = entries_[count_ % kEntries];
    entry.number = count_;
    entry.caller = caller;
    // Assigned one by one. A copy of the struct would have to wait for the
    // stores of its parts.
    entry.call.process = process;
    entry.call.name = name;
    entry.call.fd = fd;
    entry.has_returned = false;
    return {&entry, count_++};
  }
  // Adds a call that is not a system call, without a result.
  void BeginModelled(const ParticipantState* caller, const char* name) {
    Begin(caller, /*process=*/nullptr, name, /*fd=*/-1);
  }
  // Adds the result of a call, if the log still has the call.
  static void End(const Place& place, SysResult result) {
    Entry& entry = *place.entry;
    if (entry.number != place.number) return;
    entry.result = result;
    entry.has_returned = true;
  }

  // The number of calls so far.
  uint64_t count() const { return count_; }

  // Returns the last 20 calls, a line each, the oldest first:
  // "  acceptor: accept4(3) of process server = -1 EMFILE".
  std::string ToString() const;
  // Returns the last call of a participant (null: of any thread that does not
  // take part), or "" if the log no longer has it.
  std::string LastOf(const ParticipantState* caller) const;

 private:
  static constexpr size_t kEntries = 32;
  static constexpr uint64_t kShown = 20;

  static std::string TextOf(const Entry& entry);

  Entry entries_[kEntries];
  uint64_t count_ = 0;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_CALL_LOG_H_

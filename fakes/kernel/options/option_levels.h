#ifndef FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_
#define FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

// Code that the option levels share, private to SocketOptions. Each level has a
// file with a table of rows, and functions for options that are more than a
// number.

namespace net::fake {

// The resolution of timeouts: HZ = 250, as on the measured kernel.
inline constexpr int64_t kHz = 250;
inline constexpr int64_t kUsPerJiffy = 1'000'000 / kHz;

// Rounds a time in `units` up to whole jiffies, in the same units.
inline constexpr int64_t RoundUpToJiffies(int64_t units, int64_t per_jiffy) {
  return (units + per_jiffy - 1) / per_jiffy * per_jiffy;
}

// The value argument of setsockopt(2): the program's pointer and length.
class OptionIn {
 public:
  OptionIn(const void* value, int size) : value_(value), size_(size) {}

  int size() const { return size_; }
  bool is_null() const { return value_ == nullptr; }

  // Copies the first `size` bytes of the value. Returns false for EFAULT.
  // Requires size() >= `size`.
  [[nodiscard]] bool Read(void* to, size_t size) const {
    return CopyIn(to, value_, size);
  }
  [[nodiscard]] bool Read(int& to) const { return Read(&to, sizeof(to)); }

 private:
  const void* value_;
  int size_;
};

// The buffer of a getsockopt(2). Some levels write the length before the value.
// There, a call with an invalid value pointer fails with EFAULT and still
// changes the length.
class OptionOut {
 public:
  enum class Order : uint8_t { kLengthFirst, kValueFirst };

  // `room` is the value of *size.
  OptionOut(void* value, socklen_t* size, uint32_t room, Order order)
      : value_(value), size_(size), room_(room), order_(order) {}

  uint32_t room() const { return room_; }
  // The bytes in the buffer before the call, for options that read them.
  OptionIn in() const { return {value_, static_cast<int>(room_)}; }

  // Writes as much of `answer` as fits into the buffer, and that length.
  SysResult Put(const void* answer, size_t size) const;
  SysResult PutInt(int answer) const { return Put(&answer, sizeof(answer)); }
  SysResult PutNothing() const { return Put(nullptr, 0); }
  // Writes `size` bytes, and `length`, which may count in another unit.
  SysResult PutWithLength(const void* answer, size_t size,
                          uint32_t length) const;

 private:
  void* value_;
  socklen_t* size_;
  uint32_t room_;
  Order order_;
};

// The values that a numeric option accepts.
enum class Rule : uint8_t {
  kSwitch,     // Any. A value other than 0 turns the option on.
  kAny,        // Any.
  kRange,      // From `low` to `high`. Others fail with EINVAL.
  kReadOnly,   // None: setting the option fails with ENOPROTOOPT.
  kElsewhere,  // Not in the row: a function of the level sets the option.
               // getsockopt(2) returns the slot.
};

// An option whose value is a number in a slot.
struct OptionRow {
  int name;
  Slot slot;
  Rule rule = Rule::kSwitch;
  int low = 0;
  int high = std::numeric_limits<int>::max();
};

// Returns whether the rows are sorted by the options' numbers, in ascending
// order.
constexpr bool AreSorted(absl::Span<const OptionRow> rows) {
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i - 1].name >= rows[i].name) return false;
  }
  return true;
}
// Returns the row of a name, or null if there is none. Requires
// AreSorted(rows).
const OptionRow* FindRow(absl::Span<const OptionRow> rows, int name);

// Sets an option that has a row whose rule is not kElsewhere.
SysResult SetRow(const OptionRow& row, int value, OptionValues& values);

// The socket, the caller and the option that a level's function acts on.
struct OptionCall {
  OptionValues& values;
  OptionHost& host;
  int name;
};

inline SysResult Ok() { return SysResult::Ok(); }
inline SysResult Error(int error) { return SysResult::Error(error); }

// Returns whether it is a TCP socket.
inline bool IsTcp(const OptionHost& host) {
  return host.type() == SOCK_STREAM &&
         (host.family() == AF_INET || host.family() == AF_INET6);
}

SysResult SetSocketLevel(const OptionCall& call, const OptionIn& in);
SysResult GetSocketLevel(const OptionCall& call, const OptionOut& out);
SysResult SetTcpLevel(const OptionCall& call, const OptionIn& in);
SysResult GetTcpLevel(const OptionCall& call, const OptionOut& out);
SysResult SetIpLevel(const OptionCall& call, const OptionIn& in);
SysResult GetIpLevel(const OptionCall& call, const OptionOut& out);
SysResult SetIpv6Level(const OptionCall& call, const OptionIn& in);
SysResult GetIpv6Level(const OptionCall& call, const OptionOut& out);

// Options of SOL_SOCKET: SO_TIMESTAMP and SO_TIMESTAMPNS, SO_TIMESTAMPING, and
// SO_TXTIME.
SysResult SetTimestamp(const OptionCall& call, int value);
SysResult GetTimestamp(const OptionCall& call, const OptionOut& out);
SysResult SetTimestamping(const OptionCall& call, int value);
SysResult GetTimestamping(const OptionCall& call, const OptionOut& out);
SysResult SetTxTime(const OptionCall& call, const OptionIn& in);
SysResult GetTxTime(const OptionCall& call, const OptionOut& out);

// SO_ATTACH_FILTER, SO_DETACH_FILTER and SO_GET_FILTER. A filter is checked and
// stored. It does not filter segments.
SysResult AttachFilter(const OptionCall& call, const OptionIn& in);
SysResult DetachFilter(const OptionCall& call);
SysResult GetFilter(const OptionCall& call, const OptionOut& out);

// Set SO_SNDBUF or SO_RCVBUF to twice `bytes`, but at least to the minimum, and
// lock it as the program's choice (SO_BUF_LOCK).
void SetSndBuf(OptionValues& values, int bytes);
void SetRcvBuf(OptionValues& values, int bytes);

// Convert the seconds of TCP_DEFER_ACCEPT to the number of SYN-ACK
// retransmissions that take this long, and back.
int DeferRetransmissions(int seconds);
int DeferSeconds(int retransmissions);

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_

#ifndef FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_
#define FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"
#include "fakes/kernel/options/option_values.h"
#include "fakes/kernel/options/options.h"
#include "syscalls/sys_result.h"

// What the levels of options have in common. Private to SocketOptions.

namespace net::fake {

// The resolution of timeouts: Linux's clock of HZ = 250.
inline constexpr int64_t kHz = 250;
inline constexpr int64_t kUsPerJiffy = 1'000'000 / kHz;

// `units` of time in whole jiffies, rounded up, and back.
inline constexpr int64_t RoundUpToJiffies(int64_t units, int64_t per_jiffy) {
  return (units + per_jiffy - 1) / per_jiffy * per_jiffy;
}

// The value of a setsockopt(2): in the program's memory, and of its length.
class OptionIn {
 public:
  OptionIn(const void* value, int size) : value_(value), size_(size) {}

  int size() const { return size_; }
  bool is_null() const { return value_ == nullptr; }

  // The first `size` bytes; false: EFAULT. There must be as many.
  [[nodiscard]] bool Read(void* to, size_t size) const;
  [[nodiscard]] bool Read(int& to) const { return Read(&to, sizeof(to)); }

 private:
  const void* value_;
  int size_;
};

// The room for the answer of a getsockopt(2). The levels differ in whether the
// length is written before the value: it is then written, too, if the value's
// address turns out to be bad.
class OptionOut {
 public:
  enum class Order : uint8_t { kLengthFirst, kValueFirst };

  // `room` is what *size says.
  OptionOut(void* value, socklen_t* size, uint32_t room, Order order)
      : value_(value), size_(size), room_(room), order_(order) {}

  uint32_t room() const { return room_; }
  // What is there of the value already, where an option takes one, too.
  OptionIn in() const { return {value_, static_cast<int>(room_)}; }

  // As much of the answer as there is room for.
  SysResult Put(const void* answer, size_t size) const;
  SysResult PutInt(int answer) const { return Put(&answer, sizeof(answer)); }
  SysResult PutNothing() const { return Put(nullptr, 0); }

 private:
  void* value_;
  socklen_t* size_;
  uint32_t room_;
  Order order_;
};

// Which values an option that is a number takes.
enum class Rule : uint8_t {
  kSwitch,     // all; other than 0 is on
  kAny,        // all
  kRange,      // from `low` to `high`; else EINVAL
  kReadOnly,   // none: ENOPROTOOPT
  kElsewhere,  // setting it is written out; getting it is not
};

// An option that is nothing but a number in its slot.
struct OptionRow {
  int name;
  Slot slot;
  Rule rule = Rule::kSwitch;
  int low = 0;
  int high = std::numeric_limits<int>::max();
};

// The row of a name; null if there is none.
const OptionRow* FindRow(absl::Span<const OptionRow> rows, int name);

// Sets an option that is in a row, and whose rule is not kElsewhere.
SysResult SetRow(const OptionRow& row, int value, OptionValues& values);

// Whom a level's functions act for.
struct OptionCall {
  OptionValues& values;
  OptionHost& host;
  int name;
};

SysResult SetSocketLevel(const OptionCall& call, const OptionIn& in);
SysResult GetSocketLevel(const OptionCall& call, const OptionOut& out);
SysResult SetTcpLevel(const OptionCall& call, const OptionIn& in);
SysResult GetTcpLevel(const OptionCall& call, const OptionOut& out);
SysResult SetIpLevel(const OptionCall& call, const OptionIn& in);
SysResult GetIpLevel(const OptionCall& call, const OptionOut& out);
SysResult SetIpv6Level(const OptionCall& call, const OptionIn& in);
SysResult GetIpv6Level(const OptionCall& call, const OptionOut& out);

// SO_BUF_LOCK, and the bounds of buffers: both ways to set one lock it.
void SetSndBuf(OptionValues& values, int bytes);
void SetRcvBuf(OptionValues& values, int bytes);

// TCP_DEFER_ACCEPT: seconds as the retransmissions of a SYN-ACK that take as
// long, and back.
int DeferRetransmissions(int seconds);
int DeferSeconds(int retransmissions);

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_OPTION_LEVELS_H_

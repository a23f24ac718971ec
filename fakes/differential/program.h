#ifndef FAKES_DIFFERENTIAL_PROGRAM_H_
#define FAKES_DIFFERENTIAL_PROGRAM_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"

// Programs of system calls as data: what is made at random, run on two kernels,
// made smaller and printed.

namespace net::differential {

// A program names its descriptors by slots, which it fills and empties; no two
// kernels then have to agree on numbers. A slot that was not filled, because
// the call failed or is not in the program, holds the descriptor -1.
inline constexpr int kSlots = 12;
// A slot that nothing is ever put into.
inline constexpr int kNoSlot = kSlots;

// Two processes, each with a descriptor table of its own. A descriptor belongs
// to the process that made its slot; a call is made by the process of its slot.
inline constexpr int kProcesses = 2;

// The addresses of programs. 192.0.2.1 and 2001:db8::1 are nobody's (RFC 5737,
// RFC 3849).
enum class Host {
  kLocalV4,      // 127.0.0.1
  kOtherV4,      // 127.0.0.2
  kAnyV4,        // 0.0.0.0
  kBroadcastV4,  // 127.255.255.255
  kNotLocalV4,   // 192.0.2.1
  kLocalV6,      // ::1
  kAnyV6,        // ::
  kMappedLocal,  // ::ffff:127.0.0.1
  kMappedAny,    // ::ffff:0.0.0.0
  kNotLocalV6,   // 2001:db8::1
  kUnspec,       // family AF_UNSPEC, else as 0.0.0.0
  kUnspecLocal,  // family AF_UNSPEC, else as 127.0.0.1
  kNull,         // a null pointer
};

// The address, without its family: "127.0.0.1".
absl::string_view HostText(Host host);

enum class PortKind {
  kZero,
  kPrivileged,  // 80
  kFixed,       // one of the three that the world keeps free for the program
  kOfSlot,      // the port of another slot's getsockname(2), or 0
};

inline constexpr int kFixedPorts = 3;
inline constexpr int kPrivilegedPort = 80;

// The length of an argument when it is not what it should be.
inline constexpr int kRightLength = -1000;

struct Address {
  Host host = Host::kLocalV4;
  PortKind port = PortKind::kZero;
  int index = 0;  // of the fixed port, or the slot
  int length = kRightLength;

  friend bool operator==(const Address&, const Address&) = default;
};

struct PollEntry {
  int slot = kNoSlot;
  int16_t events = 0;

  friend bool operator==(const PollEntry&, const PollEntry&) = default;
};

// One call with its arguments. A field that the call does not have is 0.
struct Step {
  Call call = Call::kSocket;
  int process = 0;     // socket, pipe2
  int slot = kNoSlot;  // the descriptor that the call is about
  int out = kNoSlot;   // the slot for the descriptor that it makes; of dup3 the
                       // one that it replaces
  // pipe2: the read end is put in the slot, to be no socket there.
  // socket: domain, type (to which SOCK_NONBLOCK is added), protocol
  int domain = AF_INET;
  int type = SOCK_STREAM;
  int protocol = 0;
  Address address;       // bind, connect
  int number = 0;        // listen: backlog; shutdown: how
  int flags = 0;         // accept4, send, recv, sendmsg, recvmsg, dup3
  size_t size = 0;       // send, recv, sendmsg, recvmsg, read, write
  int pieces = 1;        // sendmsg, recvmsg: of how many parts the buffer is
  int level = 0;         // setsockopt, getsockopt
  int name = 0;          // setsockopt, getsockopt; fcntl, ioctl: the command
  int value = 0;         // setsockopt, fcntl, ioctl
  int second_value = 0;  // setsockopt: l_linger, tv_usec
  int length = kRightLength;    // of option values and of addresses to fill in
  bool null = false;            // the pointer to data, value or address is null
  bool null_length = false;     // the pointer to its length is null
  bool no_descriptors = false;  // the process has no descriptor left for it
  // Not one call but many: send(2) until EAGAIN or another error; recv(2) until
  // EAGAIN, the end of the stream or another error.
  bool repeated = false;
  std::vector<PollEntry> polled;

  friend bool operator==(const Step&, const Step&) = default;
};

using Program = std::vector<Step>;

// The options whose values are not an int.
bool IsLinger(int level, int name);   // struct linger
bool IsTimeout(int level, int name);  // struct timeval
bool IsTcpInfo(int level, int name);  // struct tcp_info

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_PROGRAM_H_

#ifndef FAKES_DIFFERENTIAL_PROGRAM_H_
#define FAKES_DIFFERENTIAL_PROGRAM_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/call.h"

// Programs of system calls as data, which can be generated, run on two kernels,
// shrunk and printed.

namespace net::differential {

// A program refers to its descriptors by slots, so that two kernels need not
// agree on numbers. A slot that is empty, because its call failed or is
// missing, holds the descriptor -1.
inline constexpr int kSlots = 12;
// A slot that is always empty.
inline constexpr int kNoSlot = kSlots;

// Two processes, each with its own descriptor table. A descriptor belongs to
// the process that created it. A call on a slot is made by the slot's process.
inline constexpr int kProcesses = 2;

// The addresses of programs. 192.0.2.1 and 2001:db8::1 are reserved for
// documentation (RFC 5737, RFC 3849) and belong to no machine.
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
  kUnspec,       // Family AF_UNSPEC, otherwise as 0.0.0.0.
  kUnspecLocal,  // Family AF_UNSPEC, otherwise as 127.0.0.1.
  kNull,         // A null pointer.
};

// Returns the address without its family: "127.0.0.1".
absl::string_view HostText(Host host);

enum class PortKind {
  kZero,
  kPrivileged,  // 80
  kFixed,       // One of the three that the world reserves for the program.
  kOfSlot,      // The port of another slot's getsockname(2), or 0.
};

inline constexpr int kFixedPorts = 3;
inline constexpr int kPrivilegedPort = 80;

// Marks a length that is the correct one.
inline constexpr int kRightLength = -1000;

struct Address {
  Host host = Host::kLocalV4;
  PortKind port = PortKind::kZero;
  int index = 0;  // Of the fixed port, or the slot.
  int length = kRightLength;

  friend bool operator==(const Address&, const Address&) = default;
};

struct PollEntry {
  int slot = kNoSlot;
  int16_t events = 0;

  friend bool operator==(const PollEntry&, const PollEntry&) = default;
};

// One call with its arguments. Fields that the call does not have are 0.
struct Step {
  Call call = Call::kSocket;
  int process = 0;     // socket, pipe2
  int slot = kNoSlot;  // The descriptor of the call.
  int out = kNoSlot;   // the slot for the descriptor that it makes; of dup3 the
                       // one that it replaces
  // pipe2: the slot gets the read end, which is not a socket.
  // socket: domain, type (SOCK_NONBLOCK is added), protocol
  int domain = AF_INET;
  int type = SOCK_STREAM;
  int protocol = 0;
  Address address;  // bind, connect, sendto
  int number = 0;   // listen: backlog; shutdown: how
  int flags = 0;    // accept4, send, sendto, sendmsg, recv, recvfrom, recvmsg,
                    // dup3; with `to` also splice, pipe2
  // Of the calls that move bytes. Without `to`, splice(2) sends the bytes of a
  // pipe, and sendfile(2) moves those of the socket to a pipe. The pipe is made
  // for it.
  size_t size = 0;
  // In programs with threads. splice, sendfile: the file to which the bytes of
  // `slot` go; pipe2: the slot for the write end.
  int to = kNoSlot;
  // sendmsg, recvmsg, readv, writev: number of parts of the buffer.
  int pieces = 1;
  int level = 0;         // setsockopt, getsockopt
  int name = 0;          // setsockopt, getsockopt; fcntl, ioctl: the command
  int value = 0;         // setsockopt, fcntl, ioctl
  int second_value = 0;  // setsockopt: l_linger, tv_usec
  int length = kRightLength;  // Of option values and address buffers.
  bool null = false;          // The pointer to data, value or address is null.
  bool null_length = false;   // The pointer to the length is null.
  bool no_descriptors = false;  // The process has no free descriptor.
  // Repeats the call: send(2) until EAGAIN or another error; recv(2) until
  // EAGAIN, the end of the stream or another error.
  bool repeated = false;
  std::vector<PollEntry> polled;

  friend bool operator==(const Step&, const Step&) = default;
};

using Program = std::vector<Step>;

// Options whose value is not an int.
bool IsLinger(int level, int name);   // struct linger
bool IsTimeout(int level, int name);  // struct timeval
bool IsTcpInfo(int level, int name);  // struct tcp_info

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_PROGRAM_H_

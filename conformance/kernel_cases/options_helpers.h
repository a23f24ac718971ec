#ifndef CONFORMANCE_KERNEL_CASES_OPTIONS_HELPERS_H_
#define CONFORMANCE_KERNEL_CASES_OPTIONS_HELPERS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/context.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

// Helpers for cases about socket options.

namespace net::conformance {

// Call setsockopt(2) with a value of any type, or with `size` bytes at any
// address.
template <typename T>
SysResult SetOptionTo(const loopback::RawSocket& socket, int level, int name,
                      const T& value) {
  return socket.syscalls().SetSockOpt(socket.fd(), level, name, &value,
                                      sizeof(value));
}
inline SysResult SetOptionAt(const loopback::RawSocket& socket, int level,
                             int name, const void* value, int size) {
  return socket.syscalls().SetSockOpt(socket.fd(), level, name, value,
                                      static_cast<socklen_t>(size));
}

// Calls getsockopt(2) for a value of any type. Fails if the length of the
// result differs from that of the type.
template <typename T>
absl::StatusOr<T> OptionOf(const loopback::RawSocket& socket, int level,
                           int name) {
  T value = {};
  socklen_t size = sizeof(value);
  const SysResult got =
      socket.syscalls().GetSockOpt(socket.fd(), level, name, &value, &size);
  if (!got.ok()) return ErrnoError(got.error(), "getsockopt");
  if (size != sizeof(value)) {
    return absl::InternalError("getsockopt: returned another length");
  }
  return value;
}

// Set or return an option of IPPROTO_TCP that is an int.
inline SysResult SetTcp(const loopback::RawSocket& socket, int name,
                        int value) {
  return socket.SetOption(IPPROTO_TCP, name, value);
}
inline absl::StatusOr<int> Tcp(const loopback::RawSocket& socket, int name) {
  return socket.Option(IPPROTO_TCP, name);
}

// Expects that an option reads back each value of `good`, and that setting it
// to a value of `bad` fails with EINVAL and leaves it unchanged.
void ExpectTakes(const loopback::RawSocket& socket, int level, int name,
                 const std::vector<int>& good, const std::vector<int>& bad);

// Expects that an option is off, and reads back 1 after it was set to any value
// except 0.
void ExpectSwitch(const loopback::RawSocket& socket, int level, int name);

// An option that is an int, and a value to set.
struct IntOption {
  int level;
  int name;
  int value;
};

// Returns a connection whose listener had `options` set before the client
// connected. The client has no options set.
absl::StatusOr<loopback::Pair> AcceptWith(
    Context& c, const std::vector<IntOption>& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_OPTIONS_HELPERS_H_

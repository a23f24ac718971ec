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

// What the cases of socket options have in common.

namespace net::conformance {

// One setsockopt(2) of any value, and of `size` bytes at any address.
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

// One getsockopt(2) of any type, which must be filled.
template <typename T>
absl::StatusOr<T> OptionOf(const loopback::RawSocket& socket, int level,
                           int name) {
  T value = {};
  socklen_t size = sizeof(value);
  const SysResult got =
      socket.syscalls().GetSockOpt(socket.fd(), level, name, &value, &size);
  if (!got.ok()) return ErrnoError(got.error(), "getsockopt");
  if (size != sizeof(value)) {
    return absl::InternalError("getsockopt: another length");
  }
  return value;
}

// An option of IPPROTO_TCP that is an int.
inline SysResult SetTcp(const loopback::RawSocket& socket, int name,
                        int value) {
  return socket.SetOption(IPPROTO_TCP, name, value);
}
inline absl::StatusOr<int> Tcp(const loopback::RawSocket& socket, int name) {
  return socket.Option(IPPROTO_TCP, name);
}

// Expects that an option takes each of `good`, reads it back, and refuses each
// of `bad` with EINVAL, upon which it stays as it was.
void ExpectTakes(const loopback::RawSocket& socket, int level, int name,
                 const std::vector<int>& good, const std::vector<int>& bad);

// Expects that an option is off, and reads back 1 whatever it is switched on
// by.
void ExpectSwitch(const loopback::RawSocket& socket, int level, int name);

// An option that is an int, and its value.
struct IntOption {
  int level;
  int name;
  int value;
};

// A connection that a listener has accepted on whose socket `options` had been
// set before; the client is one without any.
absl::StatusOr<loopback::Pair> AcceptWith(
    Context& c, const std::vector<IntOption>& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_OPTIONS_HELPERS_H_

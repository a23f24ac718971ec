#ifndef CONFORMANCE_KERNEL_CASES_SPLICE_CALLS_H_
#define CONFORMANCE_KERNEL_CASES_SPLICE_CALLS_H_

#include <fcntl.h>

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "conformance/kernel_cases/file_commands.h"
#include "conformance/loopback/loopback.h"
#include "syscalls/errors/error.h"
#include "syscalls/sys_result.h"

// splice(2) and sendfile(2) without offsets, and what they move bytes of.

namespace net::conformance {

inline SysResult Splice(const loopback::RawSocket& in,
                        const loopback::RawSocket& out, size_t size,
                        unsigned int flags = 0) {
  return in.syscalls().Splice(in.fd(), nullptr, out.fd(), nullptr, size, flags);
}

inline SysResult SendFile(const loopback::RawSocket& out,
                          const loopback::RawSocket& in, size_t size) {
  return out.syscalls().SendFile(out.fd(), in.fd(), nullptr, size);
}

inline SysResult Write(const loopback::RawSocket& file,
                       absl::string_view data) {
  return file.syscalls().Write(file.fd(), data.data(), data.size());
}

// Reads at most 256 bytes.
inline absl::StatusOr<std::string> Read(const loopback::RawSocket& file) {
  std::string data(256, '.');
  const SysResult result =
      file.syscalls().Read(file.fd(), data.data(), data.size());
  if (!result.ok()) return ErrnoError(result.error(), "read");
  data.resize(static_cast<size_t>(result.value()));
  return data;
}

inline SysResult SetBlocking(const loopback::RawSocket& file) {
  return Fcntl(file, F_SETFL, 0);
}
inline SysResult SetNonBlocking(const loopback::RawSocket& file) {
  return Fcntl(file, F_SETFL, O_NONBLOCK);
}

}  // namespace net::conformance

#endif  // CONFORMANCE_KERNEL_CASES_SPLICE_CALLS_H_

#include "fakes/kernel/socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include "absl/types/span.h"
#include "syscalls/sys_result.h"

namespace net::fake {

SysResult Socket::SendTo(const Caller& caller, const RawAddress* /*address*/,
                         absl::Span<const iovec> parts, int flags) {
  return Send(caller, parts, flags);
}

SysResult Socket::RecvMsg(const Caller& caller, absl::Span<const iovec> parts,
                          int flags, ControlWriter& /*control*/) {
  return Recv(caller, parts, flags);
}

SysResult Socket::Read(const Caller& caller, char* data, size_t size) {
  // Unlike recv(2), read(2) of nothing asks for nothing.
  if (size == 0) return SysResult::Ok();
  const iovec part = {.iov_base = data, .iov_len = size};
  return Recv(caller, {&part, 1}, 0);
}

SysResult Socket::Write(const Caller& caller, const char* data, size_t size) {
  const iovec part = {.iov_base = const_cast<char*>(data), .iov_len = size};
  return Send(caller, {&part, 1}, 0);
}

}  // namespace net::fake

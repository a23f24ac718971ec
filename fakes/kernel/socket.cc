#include "fakes/kernel/socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include "absl/types/span.h"
#include "fakes/kernel/iovec_cursor.h"
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

SysResult Socket::Read(const Caller& caller, absl::Span<const iovec> parts) {
  // Unlike recv(2), read(2) of nothing asks for nothing.
  if (IovecCursor(parts).total() == 0) return SysResult::Ok();
  return Recv(caller, parts, 0);
}

SysResult Socket::Write(const Caller& caller, absl::Span<const iovec> parts) {
  return Send(caller, parts, 0);
}

}  // namespace net::fake

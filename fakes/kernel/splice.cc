#include "fakes/kernel/splice.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/pipe.h"
#include "fakes/kernel/socket.h"
#include "syscalls/sys_result.h"

namespace net::fake {
namespace {

// tcp_splice_read() of Linux (net/ipv4/tcp.c): only the socket's own mode makes
// it non-blocking, SO_RCVLOWAT does not hold back bytes that are there, and
// SO_PEEK_OFF does not move.
SysResult ReceiveForPipe(Socket& socket, const Caller& caller,
                         const iovec& part) {
  int offset = -1;
  socklen_t size = sizeof(offset);
  const SysResult has_offset =
      socket.GetOption(caller, SOL_SOCKET, SO_PEEK_OFF, &offset, &size);
  SysResult result = socket.Recv(caller, {&part, 1}, MSG_DONTWAIT);
  if (result.error() == EAGAIN && !socket.nonblocking()) {
    result = socket.Recv(caller, {&part, 1}, 0);
  }
  if (has_offset.ok() && offset >= 0) {
    static_cast<void>(socket.SetOption(caller, SOL_SOCKET, SO_PEEK_OFF, &offset,
                                       sizeof(offset)));
  }
  return result;
}

// Writes bytes of a pipe to the file. `flags` are those of send(2).
SysResult WriteFromPipe(const SpliceEnd<File>& out, std::vector<char>& bytes,
                        int flags) {
  const iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  Socket* const socket = out.file.AsSocket();
  if (socket == nullptr) return out.file.Write(out.caller, {&part, 1});
  return socket->Send(out.caller, {&part, 1}, flags);
}

}  // namespace

SysResult SpliceToPipe(SpliceEnd<File> in, SpliceEnd<PipeFile> out, size_t size,
                       SpliceMode mode) {
  const SysResult room = out.file.AwaitRoom(out.caller, mode.nonblocking);
  if (!room.ok() || size == 0) return room;
  Socket* const socket = in.file.AsSocket();
  if (socket == nullptr) return SysResult::Error(EINVAL);
  size = std::min(size, out.file.Room());
  const auto bytes = std::make_unique_for_overwrite<char[]>(size);
  SysResult result;
  {
    const PipeFile::Lock lock(out.file);
    result = ReceiveForPipe(*socket, in.caller,
                            {.iov_base = bytes.get(), .iov_len = size});
  }
  if (result.ok() && result.value() > 0) {
    out.file.AppendSpliced(bytes.get(), static_cast<size_t>(result.value()));
  }
  return result;
}

SysResult SpliceFromPipe(SpliceEnd<PipeFile> in, SpliceEnd<File> out,
                         size_t size, SpliceMode mode) {
  if (out.file.AsSocket() == nullptr && !out.file.has_positions()) {
    return SysResult::Error(EINVAL);
  }
  std::vector<char> bytes;
  size_t done = 0;
  bool freed = false;
  int flags = 0;
  SysResult result = SysResult::Ok();
  while (done < size) {
    // Only the first bytes are waited for.
    result = in.file.AwaitBytes(in.caller, mode.nonblocking || done > 0);
    if (!result.ok() || result.value() == 0) break;
    const bool follows = in.file.Peek(size - done, bytes);
    {
      const PipeFile::Lock lock(in.file);
      result = WriteFromPipe(out, bytes,
                             flags | (mode.more || follows ? MSG_MORE : 0));
    }
    if (!result.ok() || result.value() == 0) break;
    const auto written = static_cast<size_t>(result.value());
    done += in.file.Remove(written, freed);
    if (written == bytes.size()) continue;
    // The file takes no more, or a signal has ended the wait for it. Linux
    // tries a socket again, which takes its pending error.
    if (out.file.AsSocket() == nullptr) break;
    flags = MSG_DONTWAIT;
  }
  if (freed) in.file.WakeWriters();
  if (done == 0 || result.error() == EDEADLK) return result;
  return SysResult::Ok(static_cast<int64_t>(done));
}

SysResult SplicePipes(SpliceEnd<PipeFile> in, SpliceEnd<PipeFile> out,
                      size_t size, SpliceMode mode) {
  for (;;) {
    const SysResult there = in.file.AwaitBytes(in.caller, mode.nonblocking);
    if (!there.ok()) return there;
    const SysResult room = out.file.AwaitRoom(out.caller, mode.nonblocking);
    if (!room.ok()) return room;
    const size_t moved = in.file.MoveTo(out.file, size);
    // Another call may have taken the bytes during the wait for room.
    const bool is_end = there.value() == 0;
    if (moved > 0 || is_end) {
      return SysResult::Ok(static_cast<int64_t>(moved));
    }
  }
}

}  // namespace net::fake

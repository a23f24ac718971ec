// sendfile(2) and splice(2): they check descriptors and offsets.
// kernel/splice.h moves the bytes.

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>

#include "fakes/fake_process.h"
#include "fakes/kernel/descriptor_table.h"
#include "fakes/kernel/file.h"
#include "fakes/kernel/pipe.h"
#include "fakes/kernel/race_detector.h"
#include "fakes/kernel/splice.h"
#include "fakes/kernel/user_memory.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

using fake::Caller;
using fake::CopyIn;
using fake::File;
using fake::FileRef;
using fake::PipeFile;
using fake::SpliceMode;

// Returns whether a call can move `size` bytes from or to `position`
// (rw_verify_area() of Linux's fs/read_write.c).
bool IsValidRange(loff_t position, size_t size) {
  return static_cast<ssize_t>(size) >= 0 && position >= 0;
}

bool IsAppending(const File& file) {
  return (file.other_flags() & O_APPEND) != 0;
}

// A position in a file that a program has passed.
struct Position {
  loff_t value = 0;
  bool is_given = false;

  // Returns false if the address is invalid (EFAULT).
  bool CopyFrom(const loff_t* user) {
    is_given = user != nullptr;
    return !is_given || CopyIn(&value, user, sizeof(value));
  }
};

}  // namespace

// do_sendfile() of Linux (fs/read_write.c). No file of a FakeKernel has
// contents, so only a socket can be read, and only into a pipe.
SysResult FakeProcess::DoSendFile(int out_fd, int in_fd, off_t* offset,
                                  size_t size) {
  Position position;
  if (!position.CopyFrom(offset)) return SysResult::Error(EFAULT);
  File* const in = descriptors_->Get(in_fd);
  if (in == nullptr || in->access_mode() == O_WRONLY) {
    return SysResult::Error(EBADF);
  }
  if (position.is_given && !in->has_positions()) {
    return SysResult::Error(ESPIPE);
  }
  if (!IsValidRange(position.value, size)) return SysResult::Error(EINVAL);
  File* const out = descriptors_->Get(out_fd);
  if (out == nullptr || out->access_mode() == O_RDONLY) {
    return SysResult::Error(EBADF);
  }
  PipeFile* const pipe = out->AsPipe();
  if (pipe == nullptr) {
    const bool is_valid = !IsAppending(*out) && !in->is_stream() && size == 0;
    return is_valid ? SysResult::Ok() : SysResult::Error(EINVAL);
  }
  const Caller in_caller = MakeCaller("sendfile", in_fd);
  const Caller out_caller = MakeCaller("sendfile", out_fd);
  const FileRef in_ref(*in, in_caller);
  const FileRef out_ref(*out, out_caller);
  fake::ShowRelease(out->SharedObject());
  const SysResult result =
      SpliceToPipe({*in, in_caller}, {*pipe, out_caller}, size,
                   SpliceMode{.nonblocking = out->nonblocking()});
  if (result.ok()) fake::ShowAcquire(in->SharedObject());
  return result;
}

// __do_splice() and do_splice() of Linux (fs/splice.c).
SysResult FakeProcess::DoSplice(int in_fd, loff_t* in_offset, int out_fd,
                                loff_t* out_offset, size_t size,
                                unsigned int flags) {
  constexpr unsigned int kKnownFlags =
      SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
  if (size == 0) return SysResult::Ok();
  if ((flags & ~kKnownFlags) != 0) return SysResult::Error(EINVAL);
  File* const in = descriptors_->Get(in_fd);
  File* const out = descriptors_->Get(out_fd);
  if (in == nullptr || out == nullptr) return SysResult::Error(EBADF);
  PipeFile* const in_pipe = in->AsPipe();
  PipeFile* const out_pipe = out->AsPipe();
  if ((in_pipe != nullptr && in_offset != nullptr) ||
      (out_pipe != nullptr && out_offset != nullptr)) {
    return SysResult::Error(ESPIPE);
  }
  Position in_position;
  Position out_position;
  if (!out_position.CopyFrom(out_offset) || !in_position.CopyFrom(in_offset)) {
    return SysResult::Error(EFAULT);
  }
  if (in->access_mode() == O_WRONLY || out->access_mode() == O_RDONLY) {
    return SysResult::Error(EBADF);
  }
  if (in_pipe == nullptr && out_pipe == nullptr) {
    return SysResult::Error(EINVAL);
  }
  SpliceMode mode = {.nonblocking = (flags & SPLICE_F_NONBLOCK) != 0,
                     .more = (flags & SPLICE_F_MORE) != 0};
  if (in_pipe != nullptr) mode.nonblocking |= in->nonblocking();
  if (out_pipe != nullptr) mode.nonblocking |= out->nonblocking();
  const Caller in_caller = MakeCaller("splice", in_fd);
  const Caller out_caller = MakeCaller("splice", out_fd);
  const FileRef in_ref(*in, in_caller);
  const FileRef out_ref(*out, out_caller);
  fake::ShowRelease(out->SharedObject());
  const SysResult result = [&] {
    if (in_pipe != nullptr && out_pipe != nullptr) {
      if (in_pipe->IsOfSamePipe(*out_pipe)) return SysResult::Error(EINVAL);
      return SplicePipes({*in_pipe, in_caller}, {*out_pipe, out_caller}, size,
                         mode);
    }
    const Position& position = in_pipe != nullptr ? out_position : in_position;
    const File& file = in_pipe != nullptr ? *out : *in;
    if ((position.is_given && !file.has_positions()) ||
        (in_pipe != nullptr && IsAppending(*out)) ||
        !IsValidRange(position.value, size)) {
      return SysResult::Error(EINVAL);
    }
    if (in_pipe != nullptr) {
      return SpliceFromPipe({*in_pipe, in_caller}, {*out, out_caller}, size,
                            mode);
    }
    return SpliceToPipe({*in, in_caller}, {*out_pipe, out_caller}, size, mode);
  }();
  if (result.ok()) fake::ShowAcquire(in->SharedObject());
  return result;
}

}  // namespace net

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fakes/kernel/kernel_section.h"
#include "fakes/preload/descriptors.h"
#include "fakes/preload/native.h"
#include "fakes/preload/world.h"
#include "fakes/threads/next.h"
#include "syscalls/sys_result.h"

// sendfile(2) and splice(2). One of the two files can be the FakeKernel's and
// the other one Linux's: then the bytes go through this process, and a trace
// has the calls that move them.

NET_NEXT_FUNCTION(sendfile)
NET_NEXT_FUNCTION(sendfile64)
NET_NEXT_FUNCTION(splice)
NET_NEXT_FUNCTION(read)
NET_NEXT_FUNCTION(write)

namespace net::preload {
namespace {

constexpr size_t kPage = 4096;
// Linux moves this many pages at a time (PIPE_DEF_BUFFERS).
constexpr size_t kMostBytes = 16 * kPage;
constexpr size_t kLongestCall = INT_MAX & ~(kPage - 1);  // MAX_RW_COUNT

// Returns the file status flags of a native descriptor, or -1 (EBADF).
int FlagsOf(int fd) {
  const fake::KernelSection section;  // The hook of fcntl(2) passes it on.
  return fcntl(fd, F_GETFL);
}

bool CanRead(int flags) {
  return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}
bool CanWrite(int flags) {
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

// Returns the number of bytes that a native pipe has.
size_t BytesIn(int pipe) {
  const fake::KernelSection section;  // The hook of ioctl(2) passes it on.
  int count = 0;
  return ioctl(pipe, FIONREAD, &count) == 0 ? static_cast<size_t>(count) : 0;
}

bool IsPipe(int fd) {
  struct stat status = {};
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

SysResult ResultOf(ssize_t returned) {
  return returned < 0 ? SysResult::Error(errno) : SysResult::Ok(returned);
}

// Returns the result of a call that has moved `done` bytes before `last`.
SysResult Moved(size_t done, SysResult last) {
  return done > 0 ? SysResult::Ok(static_cast<int64_t>(done)) : last;
}

// ---- sendfile(2) from a native file -----------------------------------------

// The bytes of a file that follow each other in a sendfile(2).
class FileReader {
 public:
  FileReader(int fd, off_t position, size_t size)
      : fd_(fd), position_(position), left_(std::min(size, kLongestCall)) {}

  size_t left() const { return left_; }
  const char* data() const { return data_.data(); }

  // Reads the next bytes. Returns their number, 0 at the end of the file.
  SysResult Read() {
    // The first page may be a part of one.
    const auto begun = static_cast<size_t>(position_) % kPage;
    data_.resize(std::min(left_, kMostBytes - begun));
    const SysResult result =
        ResultOf(pread(fd_, data_.data(), data_.size(), position_));
    // Linux has no pages of a directory.
    return result.error() == EISDIR ? SysResult::Error(EINVAL) : result;
  }

  // Returns whether the call moves more bytes after the `size` ones here.
  bool HasMoreThan(size_t size) const {
    char next = 0;
    return size < left_ &&
           pread(fd_, &next, 1, position_ + static_cast<off_t>(size)) == 1;
  }

  void Skip(size_t size) {
    position_ += static_cast<off_t>(size);
    left_ -= size;
  }

 private:
  const int fd_;
  off_t position_;
  size_t left_;
  std::vector<char> data_;
};

// splice_direct_to_actor() of Linux (fs/splice.c).
SysResult SendFrom(FileReader& file, int out_fd, Kind out) {
  size_t done = 0;
  SysResult result = SysResult::Ok();
  while (file.left() > 0) {
    result = file.Read();
    if (!result.ok() || result.value() == 0) break;
    const auto size = static_cast<size_t>(result.value());
    const int flags = file.HasMoreThan(size) ? MSG_MORE : 0;
    result = out == Kind::kPipe ? Sys().Write(out_fd, file.data(), size)
                                : Sys().Send(out_fd, file.data(), size, flags);
    if (!result.ok()) break;
    const auto sent = static_cast<size_t>(result.value());
    done += sent;
    file.Skip(sent);
    // A pipe is filled once.
    if (sent < size || out == Kind::kPipe) break;
  }
  return Moved(done, result);
}

// do_sendfile() of Linux (fs/read_write.c).
SysResult SendFile(int out_fd, int in_fd, off_t* offset, size_t size) {
  if (!CanRead(FlagsOf(in_fd))) return SysResult::Error(EBADF);
  const off_t position = lseek(in_fd, 0, SEEK_CUR);
  if (position < 0) {  // A pipe, a socket or a terminal.
    return SysResult::Error(offset != nullptr ? ESPIPE : EINVAL);
  }
  const off_t start = offset != nullptr ? *offset : position;
  if (static_cast<ssize_t>(size) < 0 || start < 0) {
    return SysResult::Error(EINVAL);
  }
  if (size == 0) return SysResult::Ok();
  const Kind out = KindOf(out_fd, "sendfile");
  if (!IsSocket(out) && out != Kind::kPipe) {
    return SysResult::Error(EINVAL);
  }
  FileReader file(in_fd, start, size);
  const SysResult result = SendFrom(file, out_fd, out);
  if (!result.ok()) return result;
  const off_t end = start + static_cast<off_t>(result.value());
  if (offset != nullptr) {
    *offset = end;
  } else if (lseek(in_fd, end, SEEK_SET) < 0) {
    return SysResult::Error(errno);
  }
  return result;
}

// ---- splice(2) between a native pipe and a socket
// ----------------------------

// Waits until the native pipe has one of the events. Returns an errno, or 0.
int AwaitPipe(int pipe, int16_t events, bool nonblocking) {
  if (IsReady(pipe, events)) return 0;
  return nonblocking ? EAGAIN : AwaitNative("splice", pipe, events);
}

// Writes bytes to the pipe while that does not block: a pipe that is ready has
// room for a page.
SysResult WriteReady(int pipe, const char* data, size_t size) {
  size_t done = 0;
  SysResult result = SysResult::Ok();
  while (done < size && IsReady(pipe, POLLOUT)) {
    result = ResultOf(
        threads::next::write(pipe, data + done, std::min(size - done, kPage)));
    if (!result.ok()) break;
    done += static_cast<size_t>(result.value());
  }
  return Moved(done, result);
}

SysResult SpliceToNative(int socket, int pipe, size_t size, bool nonblocking) {
  if (const int error = AwaitPipe(pipe, POLLOUT, nonblocking); error != 0) {
    return SysResult::Error(error);
  }
  std::vector<char> data(std::min(size, kMostBytes));
  const SysResult there =
      Sys().Recv(socket, data.data(), data.size(), MSG_PEEK);
  if (!there.ok() || there.value() == 0) return there;
  const SysResult written =
      WriteReady(pipe, data.data(), static_cast<size_t>(there.value()));
  if (!written.ok()) return written;
  return Sys().Recv(socket, data.data(), static_cast<size_t>(written.value()),
                    0);
}

// Copies the first bytes of a native pipe without removing them.
class PipePeeker {
 public:
  PipePeeker() {
    const fake::KernelSection section;  // The hook of pipe2(2) passes it on.
    if (pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK) != 0) error_ = errno;
  }
  PipePeeker(const PipePeeker&) = delete;
  PipePeeker& operator=(const PipePeeker&) = delete;
  ~PipePeeker() {
    const fake::KernelSection section;  // The hook of close(2) passes it on.
    if (error_ == 0) close(ends_[0]);
    if (error_ == 0) close(ends_[1]);
  }

  // Returns the number of bytes, at most `size` and kMostBytes; 0 at the end.
  SysResult Peek(int pipe, size_t size, std::vector<char>& data) const {
    if (error_ != 0) return SysResult::Error(error_);
    const SysResult copied = ResultOf(
        tee(pipe, ends_[1], std::min(size, kMostBytes), SPLICE_F_NONBLOCK));
    if (!copied.ok()) return copied;
    data.resize(static_cast<size_t>(copied.value()));
    return ResultOf(threads::next::read(ends_[0], data.data(), data.size()));
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
  int error_ = 0;
};

SysResult SpliceFromNative(int pipe, int socket, size_t size, bool nonblocking,
                           bool more) {
  if (const int error = AwaitPipe(pipe, POLLIN, nonblocking); error != 0) {
    return SysResult::Error(error);
  }
  const PipePeeker peeker;
  std::vector<char> data;
  size_t done = 0;
  SysResult result = SysResult::Ok();
  while (done < size) {
    result = peeker.Peek(pipe, size - done, data);
    if (!result.ok() || result.value() == 0) break;
    const bool follows =
        data.size() < size - done && BytesIn(pipe) > data.size();
    result = Sys().Send(socket, data.data(), data.size(),
                        more || follows ? MSG_MORE : 0);
    if (!result.ok()) break;
    const auto sent = static_cast<size_t>(result.value());
    result = ResultOf(threads::next::read(pipe, data.data(), sent));
    if (!result.ok()) break;
    done += sent;
    if (sent < data.size()) break;
  }
  return Moved(done, result);
}

// splice(2) of which one file is native.
SysResult SpliceMixed(int in_fd, const loff_t* in_offset, int out_fd,
                      const loff_t* out_offset, size_t size,
                      unsigned int flags) {
  constexpr unsigned int kKnownFlags =
      SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
  if (size == 0) return SysResult::Ok();
  if ((flags & ~kKnownFlags) != 0) return SysResult::Error(EINVAL);
  const bool from_native = !IsFake(in_fd, "splice");
  const int native = from_native ? in_fd : out_fd;
  const int socket = from_native ? out_fd : in_fd;
  const int native_flags = FlagsOf(native);
  if (native_flags < 0) return SysResult::Error(EBADF);
  const bool is_pipe = IsPipe(native);
  const loff_t* const native_offset = from_native ? in_offset : out_offset;
  const loff_t* const socket_offset = from_native ? out_offset : in_offset;
  if (is_pipe && native_offset != nullptr) return SysResult::Error(ESPIPE);
  if (from_native ? !CanRead(native_flags) : !CanWrite(native_flags)) {
    return SysResult::Error(EBADF);
  }
  if (!is_pipe || socket_offset != nullptr ||
      !IsSocket(KindOf(socket, "splice")) || static_cast<ssize_t>(size) < 0) {
    return SysResult::Error(EINVAL);
  }
  const bool nonblocking =
      (flags & SPLICE_F_NONBLOCK) != 0 || (native_flags & O_NONBLOCK) != 0;
  return from_native ? SpliceFromNative(native, socket, size, nonblocking,
                                        (flags & SPLICE_F_MORE) != 0)
                     : SpliceToNative(socket, native, size, nonblocking);
}

// splice(2) of two native files, which virtual time passes for.
ssize_t SpliceNative(int in_fd, loff_t* in_offset, int out_fd,
                     loff_t* out_offset, size_t size, unsigned int flags) {
  if (IsInCharge() && (flags & SPLICE_F_NONBLOCK) == 0 && size > 0) {
    int error = 0;
    if (WouldBlock(in_fd, POLLIN)) {
      error = AwaitNative("splice", in_fd, POLLIN);
    }
    if (error == 0 && WouldBlock(out_fd, POLLOUT)) {
      error = AwaitNative("splice", out_fd, POLLOUT);
    }
    if (error != 0) {
      errno = error;
      return -1;
    }
  }
  return threads::next::splice(in_fd, in_offset, out_fd, out_offset, size,
                               flags);
}

// The hook of sendfile(2). `next` is the C library's.
template <typename Next>
ssize_t SendFileHook(Next& next, int out_fd, int in_fd, off_t* offset,
                     size_t size) {
  const bool to_fake = IsFake(out_fd, "sendfile");
  const bool from_fake = IsFake(in_fd, "sendfile");
  if (to_fake && !from_fake) {
    return Returned<ssize_t>(SendFile(out_fd, in_fd, offset, size));
  }
  if (to_fake) {
    return Returned<ssize_t>(Sys().SendFile(out_fd, in_fd, offset, size));
  }
  if (from_fake && IsPipe(out_fd)) {
    return Returned<ssize_t>(
        offset != nullptr
            ? SysResult::Error(ESPIPE)
            : SpliceMixed(in_fd, nullptr, out_fd, nullptr, size, 0));
  }
  // Linux, too, cannot read a socket (EINVAL): its placeholder is one.
  return next(out_fd, in_fd, offset, size);
}

}  // namespace
}  // namespace net::preload

using net::preload::IsFake;
using net::preload::Returned;
using net::preload::Sys;
namespace next = net::threads::next;

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

ssize_t sendfile(int out_fd, int in_fd, off_t* offset, size_t size) noexcept {
  return net::preload::SendFileHook(next::sendfile, out_fd, in_fd, offset,
                                    size);
}

// The name of sendfile(2) with _FILE_OFFSET_BITS=64.
ssize_t sendfile64(int out_fd, int in_fd, off64_t* offset,
                   size_t size) noexcept {
  return net::preload::SendFileHook(next::sendfile64, out_fd, in_fd, offset,
                                    size);
}

ssize_t splice(int in_fd, loff_t* in_offset, int out_fd, loff_t* out_offset,
               size_t size, unsigned flags) {
  const bool from_fake = IsFake(in_fd, "splice");
  const bool to_fake = IsFake(out_fd, "splice");
  if (!from_fake && !to_fake) {
    return net::preload::SpliceNative(in_fd, in_offset, out_fd, out_offset,
                                      size, flags);
  }
  return Returned<ssize_t>(
      from_fake && to_fake
          ? Sys().Splice(in_fd, in_offset, out_fd, out_offset, size, flags)
          : net::preload::SpliceMixed(in_fd, in_offset, out_fd, out_offset,
                                      size, flags));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

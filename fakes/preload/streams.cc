#include "fakes/preload/streams.h"

#include <stdio_ext.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <list>

#include "fakes/kernel/kernel_section.h"
#include "fakes/threads/next.h"
#include "syscalls/mutex.h"

NET_NEXT_FUNCTION(fileno)

namespace net::preload {
namespace {

// A stream of fopencookie(3), which has no descriptor for the C library.
struct Stream {
  int fd = -1;
  FILE* file = nullptr;
};

constinit Mutex streams_mutex;
// Locked in KernelSections.
std::list<Stream>& Streams() {
  static auto& streams = *new std::list<Stream>;
  return streams;
}

int FdOf(void* cookie) { return static_cast<Stream*>(cookie)->fd; }

// These call the hooks: the number can also be that of a native file later.

ssize_t ReadStream(void* cookie, char* data, size_t size) {
  return read(FdOf(cookie), data, size);
}

// Returns 0 after an error, as fopencookie(3) requires.
ssize_t WriteStream(void* cookie, const char* data, size_t size) {
  return std::max<ssize_t>(0, write(FdOf(cookie), data, size));
}

int CloseStream(void* cookie) {
  const int fd = FdOf(cookie);
  {
    const fake::KernelSection section;
    const MutexLock lock(streams_mutex);
    Streams().remove_if([&](const Stream& one) { return &one == cookie; });
  }
  return close(fd);
}

// Moves what was written to a stream and has not been flushed.
void MovePending(FILE* from, FILE* to) {
  const size_t size = __fpending(from);
  if (size == 0) return;
  fwrite(from->_IO_write_base, 1, size, to);
  __fpurge(from);
}

// Returns the descriptor of a stream of OpenStream(), or -1.
int DescriptorOf(const FILE* file) {
  const fake::KernelSection section;
  const MutexLock lock(streams_mutex);
  for (const Stream& one : Streams()) {
    if (one.file == file) return one.fd;
  }
  return -1;
}

}  // namespace

FILE* OpenStream(int fd, const char* mode) {
  const fake::KernelSection section;
  const MutexLock lock(streams_mutex);
  Stream& stream = Streams().emplace_back();
  stream.fd = fd;
  stream.file = fopencookie(&stream, mode,
                            {.read = &ReadStream,
                             .write = &WriteStream,
                             .seek = nullptr,
                             .close = &CloseStream});
  FILE* const file = stream.file;
  if (file == nullptr) Streams().pop_back();
  return file;
}

void HookStandardStream(int fd) {
  struct Standard {
    FILE** variable;
    const char* mode;
    bool is_hooked = false;
  };
  static constinit std::array<Standard, 3> standard = {
      {{&stdin, "r"}, {&stdout, "w"}, {&stderr, "w"}}};
  if (fd < 0 || static_cast<size_t>(fd) >= standard.size()) return;
  Standard& one = standard[static_cast<size_t>(fd)];
  if (one.is_hooked) return;
  FILE* const stream = OpenStream(fd, one.mode);
  if (stream == nullptr) return;
  one.is_hooked = true;
  if (fd == STDERR_FILENO) setvbuf(stream, nullptr, _IONBF, 0);
  MovePending(*one.variable, stream);
  *one.variable = stream;
}

}  // namespace net::preload

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): glibc's
// names are reserved.
extern "C" {

int fileno(FILE* file) noexcept {
  const int fd = net::preload::DescriptorOf(file);
  return fd >= 0 ? fd : net::threads::next::fileno(file);
}

int fileno_unlocked(FILE* file) noexcept { return fileno(file); }

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

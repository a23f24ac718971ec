#ifndef FAKES_KERNEL_SPLICE_H_
#define FAKES_KERNEL_SPLICE_H_

#include <cstddef>

#include "fakes/kernel/file.h"
#include "fakes/kernel/pipe.h"
#include "syscalls/sys_result.h"

namespace net::fake {

// A file of a splice(2) or sendfile(2), and the caller that waits for it.
template <typename Kind>
struct SpliceEnd {
  Kind& file;
  const Caller& caller;
};

// Flags of splice(2), and the modes of the files that count as such.
struct SpliceMode {
  bool nonblocking = false;  // SPLICE_F_NONBLOCK
  bool more = false;         // SPLICE_F_MORE
};

// Move at most `size` bytes from a file to a pipe, from a pipe to a file, and
// between two pipes (fs/splice.c of Linux). They return the number of bytes, 0
// at the end of the input.
//
// Of other files than pipes, only sockets can be read, and only sockets and
// files with positions written to (EINVAL).
SysResult SpliceToPipe(SpliceEnd<File> in, SpliceEnd<PipeFile> out, size_t size,
                       SpliceMode mode);
SysResult SpliceFromPipe(SpliceEnd<PipeFile> in, SpliceEnd<File> out,
                         size_t size, SpliceMode mode);
SysResult SplicePipes(SpliceEnd<PipeFile> in, SpliceEnd<PipeFile> out,
                      size_t size, SpliceMode mode);

}  // namespace net::fake

#endif  // FAKES_KERNEL_SPLICE_H_

#ifndef FAKES_PRELOAD_STREAMS_H_
#define FAKES_PRELOAD_STREAMS_H_

#include <cstdio>

// Streams of the C library on files of the FakeKernel. The C library's own
// streams make system calls that no hook sees.

namespace net::preload {

// Does what fdopen(3) does: the stream calls the hooks (fopencookie(3)).
FILE* OpenStream(int fd, const char* mode);

// Makes stdin, stdout or stderr such a stream, for good, if `fd` is its number.
// Called when that number becomes a file of the FakeKernel.
void HookStandardStream(int fd);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_STREAMS_H_

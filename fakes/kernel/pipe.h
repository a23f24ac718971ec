#ifndef FAKES_KERNEL_PIPE_H_
#define FAKES_KERNEL_PIPE_H_

#include "fakes/kernel/file.h"

namespace net::fake {

struct Kernel;

// The two ends of a pipe(7), without references.
struct PipeEnds {
  File* read;
  File* write;
};

// Creates a pipe with Linux's default capacity of 16 pages (64 KiB).
// F_SETPIPE_SZ changes it.
PipeEnds NewPipe(Kernel& kernel);

}  // namespace net::fake

#endif  // FAKES_KERNEL_PIPE_H_

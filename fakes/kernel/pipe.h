#ifndef FAKES_KERNEL_PIPE_H_
#define FAKES_KERNEL_PIPE_H_

#include "fakes/kernel/file.h"

namespace net::fake {

struct Kernel;

// The two ends of a pipe(7), which have no reference yet.
struct PipeEnds {
  File* read;
  File* write;
};

// A new pipe of Linux's size, 16 pages.
PipeEnds NewPipe(Kernel& kernel);

}  // namespace net::fake

#endif  // FAKES_KERNEL_PIPE_H_

#ifndef FAKES_FAULTS_ERRNO_PROBES_H_
#define FAKES_FAULTS_ERRNO_PROBES_H_

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "fakes/call.h"

namespace net {

// A failing call on Linux, and the state of its sockets before and after it, as
// text.
struct Provoked {
  int error = 0;  // 0 if the call succeeded.
  std::string before;
  std::string after;
};

// A program that makes the kernel fail a call with an errno, over loopback.
struct ErrnoProbe {
  Call call;
  int error = 0;
  // Sets the scene, makes the call and inspects what it left behind. It must
  // run in a process of its own, because it changes limits and signal handlers.
  // The process aborts if the scene cannot be set.
  std::function<Provoked()> run;
};

std::ostream& operator<<(std::ostream& os, const ErrnoProbe& probe);

// The probes of the pairs of syscalls/testdata/errno_table.tsv, by the
// role of their calls.
std::vector<ErrnoProbe> DescriptorProbes();  // EBADF and ENOTSOCK.
std::vector<ErrnoProbe> SocketProbes();      // socket, fcntl.
std::vector<ErrnoProbe> OptionProbes();
std::vector<ErrnoProbe> BindProbes();  // bind, listen.
std::vector<ErrnoProbe> AcceptProbes();
std::vector<ErrnoProbe> ConnectProbes();
std::vector<ErrnoProbe> NameProbes();      // getsockname and its like.
std::vector<ErrnoProbe> DataProbes();      // recv, send, shutdown.
std::vector<ErrnoProbe> FastOpenProbes();  // send with MSG_FASTOPEN.
std::vector<ErrnoProbe> PollProbes();
std::vector<ErrnoProbe> EpollProbes();
std::vector<ErrnoProbe> FileProbes();    // dup, pipe2, eventfd, ioctl.
std::vector<ErrnoProbe> SpliceProbes();  // sendfile, splice.

}  // namespace net

#endif  // FAKES_FAULTS_ERRNO_PROBES_H_

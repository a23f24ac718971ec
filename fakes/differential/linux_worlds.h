#ifndef FAKES_DIFFERENTIAL_LINUX_WORLDS_H_
#define FAKES_DIFFERENTIAL_LINUX_WORLDS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "fakes/differential/worlds.h"

namespace net::differential {

// The kernel that this runs on. One real process plays all processes of a
// program: descriptors of two processes never meet in a program, and the rest
// of TCP does not ask which process a socket is in (nor does the one rule that
// asks whose, SO_REUSEPORT's: all have one user).
//
// A world is a network namespace (see linux_network.h), or what is left of it:
// to make one costs more than to run a program, so some programs after each
// other share one, each with ports of its own. What an earlier program leaves
// behind, TIME_WAIT at most, is then on ports that the later ones do not meet.
// (The namespace is the process's: two LinuxWorlds
// take turns in it.)
//
// While a world exists, the process is in its namespace and has no effective
// capabilities; SIGPIPE is ignored from the first one on. So the process must
// have one thread and nothing else to do.
class LinuxWorlds : public Worlds {
 public:
  absl::StatusOr<std::unique_ptr<World>> Make() override;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_LINUX_WORLDS_H_

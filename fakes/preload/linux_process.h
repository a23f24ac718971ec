#ifndef FAKES_PRELOAD_LINUX_PROCESS_H_
#define FAKES_PRELOAD_LINUX_PROCESS_H_

#include <sys/types.h>

#include "absl/time/time.h"

namespace net::preload {

// What Linux knows of a process or thread (proc(5), /proc/PID/stat).
struct LinuxProcess {
  char state = '\0';  // 'R': runs or can run, 'S': waits. '\0': it has ended.
  // Of one in state 'S': Linux names no function in which it waits. It still
  // runs or can run: each wait4(2) and poll(2) prepares to wait before it
  // looks. Linux also hides the function from other users.
  bool waits_nowhere = false;
  pid_t parent = 0;
  absl::Duration processor_time;
};

// `id` is that of a process or of a thread (gettid(2)).
LinuxProcess StatusOf(pid_t id);

// What a signal does to a process at once.
enum class SignalEffect : unsigned char {
  kHandler,  // A thread runs a handler.
  kLater,    // It has a handler, but is blocked now.
  kEnd,      // The process ends.
  kOther,    // It is ignored, stops the process, or stays pending.
};

// Returns the effect of a signal that is sent to a process now, or to one of
// its threads if `thread` is not 0.
SignalEffect EffectOf(int signal, pid_t process, pid_t thread);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_LINUX_PROCESS_H_

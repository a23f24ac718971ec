#ifndef FAKES_PRELOAD_PROCESS_HOOKS_H_
#define FAKES_PRELOAD_PROCESS_HOOKS_H_

namespace net::preload {

// Lets the ProcessTree of the World know of fork(2). Called once, before the
// program can install handlers of its own (pthread_atfork(3)).
void HandleForks();

}  // namespace net::preload

#endif  // FAKES_PRELOAD_PROCESS_HOOKS_H_

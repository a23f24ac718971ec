#ifndef FAKES_DIFFERENTIAL_THREADS_TEST_PROGRAMS_H_
#define FAKES_DIFFERENTIAL_THREADS_TEST_PROGRAMS_H_

#include <fcntl.h>
#include <sys/socket.h>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

inline Step On(Call call, int slot, int out = kNoSlot) {
  Step step;
  step.call = call;
  step.slot = slot;
  step.out = out;
  return step;
}

inline Step ConnectTo(int client, int listener) {
  Step step = On(Call::kConnect, client);
  step.address = {.port = PortKind::kOfSlot, .index = listener};
  return step;
}

inline Step ShutDown(int slot, int how) {
  Step step = On(Call::kShutdown, slot);
  step.number = how;
  return step;
}

inline Step MakeBlocking(int slot) {
  Step step = On(Call::kFcntl, slot);
  step.name = F_SETFL;
  return step;
}

// The setup of a listener in slot 0 and a client in slot 1.
inline ThreadedProgram ListenerAndClient() {
  ThreadedProgram program;
  program.setup = {On(Call::kSocket, kNoSlot, 0),
                   On(Call::kListen, 0),
                   On(Call::kSocket, kNoSlot, 1),
                   On(Call::kBind, 1),
                   MakeBlocking(0),
                   MakeBlocking(1)};
  program.setup[1].number = 5;
  return program;
}

// Accepts in one thread and connects in the other.
inline ThreadedProgram AcceptAndConnect() {
  ThreadedProgram program = ListenerAndClient();
  program.threads = {{On(Call::kAccept4, 0, 2)}, {ConnectTo(1, 0)}};
  return program;
}

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_TEST_PROGRAMS_H_

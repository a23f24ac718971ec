#ifndef FAKES_PRELOAD_SHARED_CLIENT_H_
#define FAKES_PRELOAD_SHARED_CLIENT_H_

#include <pthread.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/kernel/clock.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"

// The client's side of the protocol.

namespace net::preload {

// A thread's connection to the server. If the server is gone, the process ends
// with status 2: there is no kernel any more. Belongs to one thread.
class ServerConnection {
 public:
  // Connects, and waits for the baton (kGo). In a KernelSection.
  explicit ServerConnection(const Hello& hello);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;
  ~ServerConnection();

  // The thread's number among the participants; -1 if it does not take part.
  int number() const { return number_; }

  // Sends a request without waiting for a reply.
  void Notify(Request request, const MessageWriter& arguments);
  // Sends a request and returns the rest of its reply. Makes placeholders
  // meanwhile. The reply is valid until the next request.
  MessageReader Exchange(Request request, const MessageWriter& arguments);

  const Epilogue& epilogue() const { return epilogue_; }

  // What goes into the next Prologue.
  void CountCall() { ++calls_; }
  void AddWakeup(const Wakeup& wakeup) { wakeups_.push_back(wakeup); }

 private:
  // Receives until the server's answer is a kGo or a kReply.
  MessageReader Await();
  MessageWriter TakePrologue();

  MessageChannel channel_;
  int32_t number_ = -1;
  Epilogue epilogue_;
  int32_t calls_ = 0;
  absl::InlinedVector<Wakeup, 8> wakeups_;
};

// Returns a Hello with the program's name.
Hello NewHello(Role role, int number = 0);

// Called with each epilogue by the thread that it is for.
void NoteEpilogue(const Epilogue& epilogue);

// Returns the connection of the calling thread. A thread that does not take
// part gets one at its first call. In a KernelSection.
ServerConnection& ConnectionOfThread();

// Sends the request of the calling thread, in a KernelSection. `keep` uses the
// reply before it becomes invalid.
template <typename Keep>
auto Ask(Request request, const MessageWriter& arguments, Keep keep) {
  MessageReader reply = ConnectionOfThread().Exchange(request, arguments);
  return keep(reply);
}
inline void Ask(Request request, const MessageWriter& arguments = {}) {
  ConnectionOfThread().Exchange(request, arguments);
}

// Makes the calling thread the only one of this process that takes part: that
// of a new program, or of a child of fork(2).
void BeginProcess(const Hello& hello);

}  // namespace net::preload

namespace net::fake {

// A thread of this process that takes part. Never destroyed.
//
// In this program, the FakeKernel is in another process. So this is another
// ParticipantState than that of fakes/kernel/scheduler.h, which is not part of
// the program. What is not marked belongs to the thread.
struct ParticipantState {
  std::string name;
  int number = 0;  // The server's.
  bool outside = false;
  // How often EnterCall() may still be called before the server is asked.
  int calls_left = 0;
  std::unique_ptr<preload::ServerConnection> connection;

  // Guarded by the mutex of remote_participant.cc.
  pid_t thread_id = 0;              // 0: it has not begun.
  std::optional<pthread_t> thread;  // Nullopt: not begun, or joined.
  bool ended = false;
  uint64_t wait = 0;   // The sequence number of its last wait.
  bool waits = false;  // It is in that wait.
  std::vector<ParticipantState*> joiners;
};

}  // namespace net::fake

#endif  // FAKES_PRELOAD_SHARED_CLIENT_H_

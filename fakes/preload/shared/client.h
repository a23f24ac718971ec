#ifndef FAKES_PRELOAD_SHARED_CLIENT_H_
#define FAKES_PRELOAD_SHARED_CLIENT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/kernel/scheduler.h"
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

  // Returns the number of the request whose reply the thread waits for, or 0.
  // Signal handlers call it.
  uint64_t request() const { return request_.load(std::memory_order_relaxed); }

  // What goes into the next Prologue.
  void CountCall() { ++calls_; }
  void NoteActivity() { is_active_ = true; }
  void AddWakeup(const Wakeup& wakeup) { wakeups_.push_back(wakeup); }

 private:
  // Receives until the server's answer is a kGo or a kReply.
  MessageReader Await();
  MessageWriter TakePrologue();

  MessageChannel channel_;
  int32_t number_ = -1;
  Epilogue epilogue_;
  uint64_t sent_ = 0;  // Requests.
  std::atomic<uint64_t> request_ = 0;
  int32_t calls_ = 0;
  bool is_active_ = false;
  absl::InlinedVector<Wakeup, 8> wakeups_;
};

// Connects to the server with the name of kServerVariable. Returns false if
// there is none. The next ServerConnection uses the connection.
bool FindServer();

// Returns a Hello with the program's name.
Hello NewHello(Role role, int number = 0);

// Called with each epilogue by the thread that it is for.
void NoteEpilogue(const Epilogue& epilogue);

// Called when a request is about to be sent: a signal that has arrived
// interrupts it.
void ReportEarlySignal(const ServerConnection& connection);

// Opens the connection for SignalReports.
void OpenSignalChannel();
// Sends a report, if the connection is open. Signal handlers call it.
void Send(const SignalReport& report);

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
// of a new program, of a child of fork(2), or of a process whose FakeKernel has
// moved to a server.
void BeginProcess(const Hello& hello);

// A thread of this process that takes part. Never destroyed. What is not marked
// belongs to the thread.
struct RemoteParticipant : fake::ParticipantState {
  bool outside = false;
  std::unique_ptr<ServerConnection> connection;

  // Guarded by the mutex of remote_participant.cc, as `thread_id`, `thread` and
  // `ended` are.
  uint64_t wait = 0;   // The sequence number of its last wait.
  bool waits = false;  // It is in that wait.
  std::vector<RemoteParticipant*> joiners;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_CLIENT_H_

#ifndef FAKES_PRELOAD_SHARED_PROXY_H_
#define FAKES_PRELOAD_SHARED_PROXY_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "fakes/kernel/participant.h"
#include "fakes/kernel/waiting.h"
#include "fakes/preload/machine.h"
#include "fakes/preload/shared/message.h"
#include "fakes/preload/shared/protocol.h"
#include "fakes/preload/shared/server.h"

namespace net::preload {

// The server's thread that stands for one thread of a process, and takes part
// in its place.
//
// Its connection can be late: it is announced before the thread or process is
// made, so that it takes part from then on. It can have several one after
// another: each program that the process executes makes a new one.
class Proxy {
 public:
  Proxy(SharedServer& server, ServedProcess& process, int number,
        bool is_outsider)
      : server_(server),
        process_(process),
        number_(number),
        is_outsider_(is_outsider) {}
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() = default;

  // The body of its thread, between its beginning and its end as a participant.
  void Run();

  int number() const { return number_; }
  ServedProcess& process() const { return process_; }

  // The following are called with the server's mutex.

  // Gives it the connection of its thread.
  void Deliver(Arrival arrival) { delivered_ = std::move(arrival); }
  // Its thread could not be made.
  void Cancel() { cancelled_ = true; }
  // Null: it does not take part (yet).
  fake::ParticipantState* state() const { return state_; }
  // Ends the wait of kBlock with this sequence number, or the next one if it
  // has not begun.
  void Wake(uint64_t wait);

  // Sends a message of NativeDescriptors to the client, and returns what comes
  // back. During a kCall.
  MessageReader AskClient(Answer question, const MessageWriter& arguments);
  // The proxy of the calling thread, or null.
  static Proxy* Current();
  // Lets the client run the handlers of the signals that have interrupted the
  // call of the calling thread's proxy, if the call goes on after them.
  static void RunHandlers();
  // A signal has interrupted the request with this number. Called with the
  // server's mutex.
  void Interrupt(uint64_t request, bool restarts);

 private:
  friend class SharedServer;

  // Waits for the next connection, with the baton. Returns false if none will
  // come.
  bool AwaitConnection();
  // Returns whether AwaitConnection() can return.
  bool IsDecided() const;
  // Waits for that in real time. Returns false after `limit`.
  bool AwaitDecision(absl::Duration limit);
  // Returns whether the program may connect soon: it has used little processor
  // time, and does not wait.
  bool IsStarting() const;
  // Waits without the baton for something that the FakeKernel does not see.
  // Virtual time passes meanwhile as in a wait for a native descriptor
  // (mixed_wait.h). `happens` waits in real time, for at most its argument.
  // `what` is for reports.
  void AwaitOutside(const char* what,
                    absl::FunctionRef<bool(absl::Duration)> happens);
  // Waits for a request, or the end of the connection. A client that waits in a
  // native call that has no hook does not keep the baton: fread(3) on a pipe,
  // for instance. Nor does one that computes for long.
  void AwaitRequest();
  // Serves requests to the end of the connection, or of the thread.
  void ServeAll();
  // Receives a request, or a kDone.
  bool Receive(uint32_t& type, MessageReader& message);
  // Serves one request, which signals can interrupt. Returns false if the
  // connection is to end.
  bool Handle(Request request, MessageReader& message);
  bool Serve(Request request, MessageReader& message);
  void RunHandlersOfClient();
  bool HandleTransit(Request request, MessageReader& message);
  bool HandleAlarm(Request request, MessageReader& message);
  bool HandleExpectation(MessageReader& message);
  bool HandleSignalWait();
  bool HandleCall(MessageReader& message);
  bool HandleOutside();
  bool HandleBlock(MessageReader& message);
  bool HandleChoice(MessageReader& message);
  bool HandleAnnouncement();
  bool HandleNewThread(MessageReader& message);
  void HandleReport(MessageReader& message);
  bool HandleChildWait(MessageReader& message);
  ChildWait AwaitChild(pid_t pid, uint64_t seen);
  void TakePrologue(MessageReader& message);
  bool Reply(const MessageWriter& results = {}, bool raises_sigpipe = false);
  bool SendWithEpilogue(Answer answer, const MessageWriter& results,
                        bool raises_sigpipe);

  // A process to which the client sends a signal.
  struct Expected {
    ServedProcess* process = nullptr;
    bool ends = false;
    uint64_t signals_before = 0;  // ServedProcess::signals.
  };

  SharedServer& server_;
  ServedProcess& process_;
  const int number_;
  const bool is_outsider_;

  std::unique_ptr<MessageChannel> channel_;
  pid_t client_thread_ = 0;  // gettid(2).
  bool thread_ended_ = false;
  bool restarts_ = false;  // The request goes on after handlers: a kCall.
  std::vector<Expected> expected_;
  uint64_t idle_activity_ = 0;  // Of AwaitIdle().

  // Guarded by the server's mutex.
  fake::ParticipantState* state_ = nullptr;
  Arrival delivered_;
  bool cancelled_ = false;
  int executions_ = 0;  // ServedProcess::executions when it got its connection.
  uint64_t received_ = 0;  // Requests of the connection.
  uint64_t request_ = 0;   // The one that is served, or 0.
  // A signal for a request that has not been received yet.
  uint64_t early_request_ = 0;
  fake::Woken early_signal_ = fake::Woken::kEvent;
  uint64_t woken_wait_ = 0;
  uint64_t blocked_wait_ = 0;
  fake::ObjectWait* blocked_in_ = nullptr;
};

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_PROXY_H_

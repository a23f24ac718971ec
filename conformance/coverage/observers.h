#ifndef CONFORMANCE_COVERAGE_OBSERVERS_H_
#define CONFORMANCE_COVERAGE_OBSERVERS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"

// Observers of one trial. Each notes the cells of one or two accounts.
// Thread-safe.

namespace net::conformance {

// Account (a). A cell is reached if the option was given (or not), and the case
// then read the setting that the option changes from the socket.
class OptionObserver {
 public:
  // How often each option was given.
  using Given = std::map<std::string, int>;

  OptionObserver(TrialObservations& out, AddressFamily family)
      : out_(out), family_(family) {}

  // Called when `operation` has made the socket `fd`.
  void OnMade(absl::string_view operation, int fd, Given given);
  // Called when the case, not the implementation, has made a call that
  // succeeded.
  void OnCallOfCase(const Invocation& invocation);
  // Called when the case has executed another program and inspected its
  // descriptors.
  void OnExec();
  void OnClose(int fd);

 private:
  struct Made {
    std::string operation;
    Given given;
  };

  void OnRead(const Made& made, absl::string_view option);

  TrialObservations& out_;
  const AddressFamily family_;
  Mutex mutex_;
  std::map<int, Made> made_ ABSL_GUARDED_BY(mutex_);
};

// Accounts (d) and, for listeners that share a port, (f).
class AddressObserver {
 public:
  explicit AddressObserver(TrialObservations& out) : out_(out) {}

  // Called when `fd` begins to listen. `tested`: the implementation made it.
  void OnListen(int fd, const ip::Endpoint& local, bool tested);
  // Called when a connect(2) has returned. `tested`: the implementation made
  // it.
  void OnConnect(const ip::Endpoint& remote, bool connected, bool tested);
  void OnClose(int fd);
  // Called when the case changes the network. An address may then reach
  // something else.
  void OnOtherNetwork();
  bool has_listener();

 private:
  struct Listening {
    ip::Endpoint local;
    bool tested = false;
  };

  TrialObservations& out_;
  Mutex mutex_;
  bool usual_ ABSL_GUARDED_BY(mutex_) = true;
  std::map<int, Listening> listening_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> connects_ ABSL_GUARDED_BY(mutex_);  // by address
};

// Accounts (e) and (f): events while calls are in progress.
class ConcurrencyObserver {
 public:
  explicit ConcurrencyObserver(TrialObservations& out) : out_(out) {}

  using Token = std::list<std::pair<int, Call>>::iterator;

  // Called when a call begins, and when it has returned.
  Token OnBegin(const Invocation& invocation);
  void OnReturn(Token token);
  // Called when a new descriptor has the number `fd`.
  void OnNew(int fd);
  // Called when a connection was made, or closed.
  void OnConnected(int fd);
  void OnClose(int fd);
  // Called when the process of the calls exits.
  void OnExit();

 private:
  void NoteDuring(absl::string_view event, int fd)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TrialObservations& out_;
  Mutex mutex_;
  std::list<std::pair<int, Call>> in_progress_ ABSL_GUARDED_BY(mutex_);
  std::set<int> connected_ ABSL_GUARDED_BY(mutex_);
};

// Accounts (g) and (h): successive results of an operation.
class AnswerObserver {
 public:
  explicit AnswerObserver(TrialObservations& out) : out_(out) {}

  // Called when an operation on a socket has returned. `answer` is the class of
  // its result, such as "EAGAIN" or "an address", and `content` the whole
  // result.
  void OnAnswer(absl::string_view query, int fd, uint64_t generation,
                absl::string_view answer, absl::string_view content);
  // Called when an operation has failed because a resource was used up, or has
  // succeeded.
  void OnResource(absl::string_view operation, absl::string_view ended);
  // Called when a socket was found connecting, or connected. A socket that was
  // connecting before has waited for room in the accept queue: nothing else
  // takes time over the loopback interface.
  void OnConnecting(int fd, uint64_t generation);
  void OnConnected(int fd, uint64_t generation);

 private:
  struct Answer {
    uint64_t generation = 0;
    std::string answer;
    std::string content;
  };

  TrialObservations& out_;
  Mutex mutex_;
  std::map<std::pair<std::string, int>, Answer> last_ ABSL_GUARDED_BY(mutex_);
  // The resources that have ended, by operation.
  std::set<std::pair<std::string, std::string>> ended_ ABSL_GUARDED_BY(mutex_);
  // The sockets that were connecting.
  std::set<std::pair<int, uint64_t>> connecting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_OBSERVERS_H_

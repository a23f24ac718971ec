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

  // `operation` has made the socket `fd`.
  void OnMade(absl::string_view operation, int fd, Given given);
  // The case, not the implementation, has made a call that succeeded.
  void OnCallOfCase(const Invocation& invocation);
  // The case has executed another program and looked at its descriptors.
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

  // `fd` listens; `tested` is true if the implementation made it.
  void OnListen(int fd, const ip::Endpoint& local, bool tested);
  // A connect(2) has returned. `tested` is true if the implementation made it.
  void OnConnect(const ip::Endpoint& remote, bool connected, bool tested);
  void OnClose(int fd);
  // The network is no longer as usual: what an address reaches may differ.
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

// Accounts (e) and (f): what happens while calls are in progress.
class ConcurrencyObserver {
 public:
  explicit ConcurrencyObserver(TrialObservations& out) : out_(out) {}

  using Token = std::list<std::pair<int, Call>>::iterator;

  // A call on `fd` begins, or has returned.
  Token OnBegin(const Invocation& invocation);
  void OnReturn(Token token);
  // A new descriptor has the number `fd`.
  void OnNew(int fd);
  // A connection was made, or closed.
  void OnConnected(int fd);
  void OnClose(int fd);

 private:
  void NoteDuring(absl::string_view event, int fd)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TrialObservations& out_;
  Mutex mutex_;
  std::list<std::pair<int, Call>> in_progress_ ABSL_GUARDED_BY(mutex_);
  std::set<int> connected_ ABSL_GUARDED_BY(mutex_);
};

// Accounts (g) and (h): the answers to an operation, one after the other.
class AnswerObserver {
 public:
  explicit AnswerObserver(TrialObservations& out) : out_(out) {}

  // An operation on a socket was answered. `answer` is its class, such as
  // "EAGAIN" or "an address", and `content` the whole answer.
  void OnAnswer(absl::string_view query, int fd, uint64_t generation,
                absl::string_view answer, absl::string_view content);
  // An operation has failed because a resource had ended, or has succeeded.
  void OnResource(absl::string_view operation, absl::string_view ended);
  // A socket was found connecting, or connected. If it was connecting before,
  // it waited for room in the accept queue: over the loopback interface nothing
  // else takes time.
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

#include "conformance/coverage/observers.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observation_log.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

// The numbers of account (f).
constexpr std::ptrdiff_t kManyCalls = 4;
constexpr size_t kManyConnections = 1000;
constexpr std::ptrdiff_t kSharedBy = 4;
constexpr int kConnectsToShared = 100;

// Returns the option of an operation whose effect the call reads; "" if none.
absl::string_view OptionRead(const Invocation& invocation) {
  if (const auto* const fcntl = invocation.As<Call::kFcntl>()) {
    if (fcntl->command == F_GETFL) return "nonblock";
    if (fcntl->command == F_GETFD) return "no_cloexec";
    return "";
  }
  if (invocation.As<Call::kGetSockName>() != nullptr) return "port";
  const auto* const get = invocation.As<Call::kGetSockOpt>();
  if (get == nullptr) return "";
  if (get->level == IPPROTO_TCP && get->name == TCP_INFO) return "backlog";
  if (get->level != SOL_SOCKET) return "";
  if (get->name == SO_KEEPALIVE) return "keepalive";
  if (get->name == SO_REUSEADDR) return "reuseaddr";
  if (get->name == SO_REUSEPORT) return "reuseport";
  return "";
}

}  // namespace

// ---- Options ----------------------------------------------------------------

void OptionObserver::OnMade(absl::string_view operation, int fd, Given given) {
  const MutexLock lock(mutex_);
  made_[fd] = {.operation = std::string(operation), .given = std::move(given)};
}

void OptionObserver::OnCallOfCase(const Invocation& invocation) {
  const absl::string_view option = OptionRead(invocation);
  if (option.empty()) return;
  const MutexLock lock(mutex_);
  const auto found = made_.find(invocation.fd());
  if (found != made_.end()) OnRead(found->second, option);
}

void OptionObserver::OnExec() {
  const MutexLock lock(mutex_);
  for (const auto& [fd, made] : made_) OnRead(made, "no_cloexec");
}

void OptionObserver::OnClose(int fd) {
  const MutexLock lock(mutex_);
  made_.erase(fd);
}

void OptionObserver::OnRead(const Made& made, absl::string_view option) {
  const auto times = made.given.find(std::string(option));
  const int given = times == made.given.end() ? 0 : times->second;
  const auto note = [&](absl::string_view how) {
    out_.Add('a', OptionCell(made.operation, option, how, family_));
  };
  if (given == 0) return note("absent");
  note(given == 1 ? "present" : "twice");
  for (const auto& [other, count] : made.given) {
    if (count > 0 && other != option) note(absl::StrCat("with ", other));
  }
}

// ---- Addresses --------------------------------------------------------------

void AddressObserver::OnListen(int fd, const ip::Endpoint& local, bool tested) {
  const MutexLock lock(mutex_);
  listening_[fd] = {.local = local, .tested = tested};
}

void AddressObserver::OnConnect(const ip::Endpoint& remote, bool connected,
                                bool tested) {
  const MutexLock lock(mutex_);
  const auto at_port = [&](const auto& one) {
    return one.second.local.port == remote.port;
  };
  const auto sharing =
      std::count_if(listening_.begin(), listening_.end(), at_port);
  if (sharing == kSharedBy &&
      ++connects_[remote.ToString()] >= kConnectsToShared) {
    out_.Add('f', kBalance);
  }
  // Of several listeners, it is not known which one was reached.
  if (sharing != 1 || !usual_) return;
  const auto listener =
      std::find_if(listening_.begin(), listening_.end(), at_port);
  const ip::Addr& local = listener->second.local.addr;
  if (!IsCountedAddress(local) || !IsCountedAddress(remote.addr)) return;
  const absl::string_view outcome = connected ? "allowed" : "refused";
  if (listener->second.tested) {
    out_.Add('d', AddressCell(TestedSide::kListener, local, remote.addr),
             outcome);
  }
  if (tested) {
    out_.Add('d', AddressCell(TestedSide::kConnector, local, remote.addr),
             outcome);
  }
}

void AddressObserver::OnClose(int fd) {
  const MutexLock lock(mutex_);
  listening_.erase(fd);
}

void AddressObserver::OnOtherNetwork() {
  const MutexLock lock(mutex_);
  usual_ = false;
}

bool AddressObserver::has_listener() {
  const MutexLock lock(mutex_);
  return !listening_.empty();
}

// ---- Concurrency ------------------------------------------------------------

ConcurrencyObserver::Token ConcurrencyObserver::OnBegin(
    const Invocation& invocation) {
  const int fd = invocation.fd();
  const Call call = CallWithRowsOf(invocation.call());
  const MutexLock lock(mutex_);
  if (call == Call::kShutdown) NoteDuring("shutdown", fd);
  if (call == Call::kClose) {
    NoteDuring("close", fd);
    const bool accepts =
        std::find(in_progress_.begin(), in_progress_.end(),
                  std::pair(fd, Call::kAccept4)) != in_progress_.end();
    if (accepts) out_.Add('f', kAcceptAgainstClose);
  }
  in_progress_.emplace_back(fd, call);
  if (std::count(in_progress_.begin(), in_progress_.end(),
                 std::pair(fd, Call::kAccept4)) >= kManyCalls) {
    out_.Add('f', kManyAcceptors);
  }
  return std::prev(in_progress_.end());
}

void ConcurrencyObserver::OnReturn(Token token) {
  const MutexLock lock(mutex_);
  in_progress_.erase(token);
}

void ConcurrencyObserver::OnNew(int fd) {
  const MutexLock lock(mutex_);
  NoteDuring(kNumberReused, fd);
}

void ConcurrencyObserver::OnConnected(int fd) {
  const MutexLock lock(mutex_);
  connected_.insert(fd);
  if (connected_.size() >= kManyConnections) out_.Add('f', kManyConnects);
}

void ConcurrencyObserver::OnClose(int fd) {
  const MutexLock lock(mutex_);
  connected_.erase(fd);
}

void ConcurrencyObserver::OnExit() {
  const MutexLock lock(mutex_);
  for (const auto& [fd, call] : in_progress_) {
    if (IsCountedBlocking(call)) out_.Add('e', DuringCell("exit", call));
  }
}

void ConcurrencyObserver::NoteDuring(absl::string_view event, int fd) {
  for (const auto& [other, call] : in_progress_) {
    if (other == fd && IsCountedBlocking(call)) {
      out_.Add('e', DuringCell(event, call));
    }
  }
}

// ---- Answers ----------------------------------------------------------------

void AnswerObserver::OnAnswer(absl::string_view query, int fd,
                              uint64_t generation, absl::string_view answer,
                              absl::string_view content) {
  const MutexLock lock(mutex_);
  Answer& last = last_[{std::string(query), fd}];
  const Answer now{.generation = generation,
                   .answer = std::string(answer),
                   .content = std::string(content)};
  if (last.generation == generation && last.answer != now.answer) {
    out_.Add('h', ChangeCell(query, last.answer, now.answer));
  } else if (last.generation != 0 && last.generation != generation &&
             last.content != now.content) {
    out_.Add('h', AnotherSocketCell(query));
  }
  last = now;
}

void AnswerObserver::OnResource(absl::string_view operation,
                                absl::string_view ended) {
  const MutexLock lock(mutex_);
  if (!ended.empty()) {
    ended_.emplace(operation, ended);
    out_.Add('g', ResourceEndCell(operation, ended));
    return;
  }
  for (const auto& [other, resource] : ended_) {
    if (other == operation) {
      out_.Add('g', ResourceBackCell(operation, resource));
    }
  }
}

void AnswerObserver::OnConnecting(int fd, uint64_t generation) {
  const MutexLock lock(mutex_);
  connecting_.emplace(fd, generation);
}

void AnswerObserver::OnConnected(int fd, uint64_t generation) {
  const MutexLock lock(mutex_);
  if (!connecting_.contains({fd, generation})) return;
  out_.Add('g', ResourceEndCell("connect", "queue"));
  out_.Add('g', ResourceBackCell("connect", "queue"));
}

}  // namespace net::conformance

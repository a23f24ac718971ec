#include "conformance/coverage/observed_implementation.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/observers.h"
#include "conformance/coverage/socket_history.h"
#include "conformance/coverage/trial_observer.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/implementation_decorator.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

OptionObserver::Given GivenBy(const AcceptOptionList& list) {
  return {{"nonblock", list.options.nonblock ? 1 : 0},
          {"no_cloexec", list.options.no_cloexec ? 1 : 0}};
}
OptionObserver::Given GivenBy(const ConnectOptionList& list) {
  return {{"nonblock", list.options.nonblock ? list.times : 0},
          {"no_cloexec", list.options.no_cloexec ? list.times : 0},
          {"keepalive", list.options.keepalive ? list.times : 0}};
}
OptionObserver::Given GivenBy(const ListenOptionList& list) {
  return {{"nonblock", list.options.nonblock ? list.times : 0},
          {"no_cloexec", list.options.no_cloexec ? list.times : 0},
          {"keepalive", list.options.keepalive ? list.times : 0},
          {"reuseaddr", list.options.reuseaddr ? list.times : 0},
          {"reuseport", list.options.reuseport ? list.times : 0},
          {"backlog", static_cast<int>(BacklogsOf(list).size())},
          {"port", static_cast<int>(PortsOf(list).size())}};
}

// Returns the class of an answer: that of its value, or the name of its error.
template <typename T, typename F>
std::string AnswerOf(const Result<T>& result, F&& class_of_value) {
  if (result.ok()) return std::string(class_of_value(*result));
  const Error* const error = result.error();
  return error == nullptr ? "unsupported" : ErrorName(*error);
}

// Returns the resource that has ended, according to an operation's result; ""
// if none has.
template <typename T>
absl::string_view EndedResource(absl::string_view operation,
                                const Result<T>& result, bool picks_port) {
  switch (ErrnoOf(result)) {
    case EMFILE:
      return "descriptors";
    case EADDRINUSE:
      return operation == "listen" && picks_port ? "ports" : "";
    case EADDRNOTAVAIL:
      return operation == "connect" ? "ports" : "";
    case EAGAIN:
      return operation == "send" ? "buffers" : "";
    default:
      return "";
  }
}

class ObservedImplementation final : public ImplementationDecorator,
                                     private OptionListExtension {
 public:
  ObservedImplementation(
      const std::function<std::unique_ptr<Implementation>(Syscalls&)>& make,
      Syscalls& sys, Syscalls& kernel, TrialObserver& observer)
      : kernel_(kernel), observer_(observer), implementation_(make(See(sys))) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return Make("listen", GivenBy(ListenOptionList{.options = options}),
                local.port == 0,
                [&] { return implementation_->Listen(local, options); });
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return Make("connect", GivenBy(ConnectOptionList{.options = options}),
                false,
                [&] { return implementation_->Connect(remote, options); });
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return AcceptBy(listener, GivenBy(AcceptOptionList{.options = options}),
                    [&] { return implementation_->Accept(listener, options); });
  }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    auto result = Observe("peeraddr", socket,
                          [&] { return implementation_->PeerAddr(socket); });
    NoteAnswer(
        "peeraddr", socket, result,
        [](const auto& peer) {
          return peer.has_value() ? "an address" : "none";
        },
        result.ok() && result->has_value() ? (*result)->ToString() : "");
    return result;
  }
  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    auto result = Observe("localaddr", socket,
                          [&] { return implementation_->LocalAddr(socket); });
    NoteAnswer(
        "localaddr", socket, result,
        [](const auto& local) {
          return local.port == 0 ? "unbound" : "an address";
        },
        result.ok() ? result->ToString() : "");
    return result;
  }

  Result<size_t> Send(Handle socket, absl::string_view data) override {
    auto result = Observe("send", socket,
                          [&] { return implementation_->Send(socket, data); });
    NoteAnswer("send", socket, result, [](size_t) { return "sent"; });
    NoteResource("send", result, false);
    return result;
  }
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    auto result = Observe(
        "recv", socket, [&] { return implementation_->Recv(socket, buffer); });
    NoteAnswer("recv", socket, result,
               [](size_t got) { return got > 0 ? "data" : "the end"; });
    return result;
  }
  Result<Done> Shutdown(Handle socket, int how) override {
    return Observe("shutdown", socket,
                   [&] { return implementation_->Shutdown(socket, how); });
  }
  Result<Done> PendingError(Handle socket) override {
    auto result = Observe("pending_error", socket, [&] {
      return implementation_->PendingError(socket);
    });
    NoteAnswer("pending_error", socket, result,
               [](const Done&) { return "none"; });
    return result;
  }
  Result<Done> Close(Handle socket) override {
    return Observe("close", socket,
                   [&] { return implementation_->Close(socket); });
  }

  OptionListExtension* option_lists() override {
    return implementation_->option_lists() == nullptr ? nullptr : this;
  }
  bool UseSyscalls(Syscalls& sys) override {
    return implementation_->UseSyscalls(See(sys));
  }

 private:
  Implementation& target() const override { return *implementation_; }

  Result<Handle> ListenWithList(const ip::Endpoint& local,
                                const ListenOptionList& list) override {
    return Make("listen", GivenBy(list), local.port == 0, [&] {
      return implementation_->option_lists()->ListenWithList(local, list);
    });
  }
  Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                 const ConnectOptionList& list) override {
    return Make("connect", GivenBy(list), false, [&] {
      return implementation_->option_lists()->ConnectWithList(remote, list);
    });
  }
  Result<Handle> AcceptWithList(Handle listener,
                                const AcceptOptionList& list) override {
    return AcceptBy(listener, GivenBy(list), [&] {
      return implementation_->option_lists()->AcceptWithList(listener, list);
    });
  }

  Syscalls& See(Syscalls& sys) { return calls_.emplace_back(sys, observer_); }

  // Runs an operation that makes a socket.
  template <typename F>
  Result<Handle> Make(absl::string_view operation, OptionObserver::Given given,
                      bool picks_port, F&& run) {
    Result<Handle> made = [&] {
      const InOperation in_operation;
      return run();
    }();
    NoteResource(operation, made, picks_port);
    if (!made.ok()) return made;
    const std::optional<int> fd = implementation_->NativeHandle(*made);
    if (fd.has_value()) {
      observer_.options.OnMade(operation, *fd, std::move(given));
      NoteProgress(*fd, observer_.history.StateOf(kernel_, *fd));
    }
    return made;
  }

  template <typename F>
  Result<Handle> AcceptBy(Handle listener, OptionObserver::Given given,
                          F&& run) {
    NoteState("accept", listener);
    Result<Handle> accepted =
        Make("accept", std::move(given), false, std::forward<F>(run));
    NoteAnswer("accept", listener, accepted,
               [](const Handle&) { return "a connection"; });
    return accepted;
  }

  // Runs an operation on a socket.
  template <typename F>
  std::invoke_result_t<F> Observe(absl::string_view operation, Handle socket,
                                  F&& run) {
    NoteState(operation, socket);
    const InOperation in_operation;
    return run();
  }

  void NoteState(absl::string_view operation, Handle socket) {
    const std::optional<int> fd = implementation_->NativeHandle(socket);
    if (!fd.has_value()) return;
    const auto state = observer_.history.StateOf(kernel_, *fd);
    if (!state.has_value()) return;
    NoteProgress(*fd, state);
    observer_.history.WhenKnown(
        *fd, *state, [this, name = std::string(operation)](SocketState known) {
          observer_.out.Add('c', StateCell(name, known));
        });
  }

  void NoteProgress(int fd, std::optional<SocketState> state) {
    const uint64_t generation = observer_.history.GenerationOf(fd);
    if (state == SocketState::kConnecting) {
      observer_.answers.OnConnecting(fd, generation);
    } else if (state == SocketState::kConnected) {
      observer_.answers.OnConnected(fd, generation);
    }
  }

  template <typename T, typename F>
  void NoteAnswer(absl::string_view query, Handle socket,
                  const Result<T>& result, F&& class_of_value,
                  absl::string_view content = "") {
    const std::optional<int> fd = implementation_->NativeHandle(socket);
    if (!fd.has_value() || WasInjected()) return;
    const std::string answer = AnswerOf(result, class_of_value);
    observer_.answers.OnAnswer(query, *fd, observer_.history.GenerationOf(*fd),
                               answer, absl::StrCat(answer, " ", content));
  }

  template <typename T>
  void NoteResource(absl::string_view operation, const Result<T>& result,
                    bool picks_port) {
    if (WasInjected()) return;
    const absl::string_view ended =
        EndedResource(operation, result, picks_port);
    if (result.ok() || !ended.empty()) {
      observer_.answers.OnResource(operation, ended);
    }
  }

  Syscalls& kernel_;
  TrialObserver& observer_;
  std::list<ObservedCalls> calls_;
  const std::unique_ptr<Implementation> implementation_;
};

}  // namespace

std::unique_ptr<Implementation> MakeObservedImplementation(
    const std::function<std::unique_ptr<Implementation>(Syscalls&)>& make,
    Syscalls& sys, Syscalls& kernel, TrialObserver& observer) {
  return std::make_unique<ObservedImplementation>(make, sys, kernel, observer);
}

}  // namespace net::conformance

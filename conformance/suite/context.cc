#include "conformance/suite/context.h"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/harness_error.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "fakes/faults/faults.h"
#include "gtest/gtest.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

// Returns the features of a call with an option list.
template <typename List>
Context::Features FeaturesOf(absl::string_view operation, const List& list) {
  Context::Features features = {std::string(operation)};
  const auto add = [&](bool asked_for, absl::string_view name) {
    if (asked_for) features.push_back(absl::StrCat(operation, ".", name));
  };
  const ListOnly parts = ListOnlyPartsOf(list);
  add(list.options.nonblock, "nonblock");
  add(list.options.no_cloexec, "no_cloexec");
  add(parts.unknown_flag, "unknown_flag");
  if constexpr (!std::is_same_v<List, AcceptOptionList>) {
    add(list.options.keepalive, "keepalive");
    add(parts.repeated_options, "times");
  }
  if constexpr (std::is_same_v<List, ListenOptionList>) {
    add(list.options.reuseaddr, "reuseaddr");
    add(list.options.reuseport, "reuseport");
    add(BacklogsOf(list).size() == 1, "backlog");
    add(parts.several_backlogs, "backlogs");
    add(parts.backlog_above_int_max, "backlog_above_int_max");
    const size_t ports = PortsOf(list).size();
    add(parts.null_port, "null_port_assignment");
    add(ports == 1, "port_assignment");
    add(ports > 1, "port_assignments");
  }
  return features;
}
Context::Features FeaturesOf(absl::string_view operation,
                             const AcceptOptions& options) {
  return FeaturesOf(operation, AcceptOptionList{.options = options});
}
Context::Features FeaturesOf(absl::string_view operation,
                             const ConnectOptions& options) {
  return FeaturesOf(operation, ConnectOptionList{.options = options});
}
Context::Features FeaturesOf(absl::string_view operation,
                             const ListenOptions& options) {
  return FeaturesOf(operation, ListenOptionList{.options = options});
}

// Returns the role of a new connection. An API may report how a connection
// attempt ended, and no other pending error.
absl::string_view RoleOf(const ConnectOptions& options) {
  return options.nonblock ? "connecting." : "";
}

}  // namespace

Sock& Sock::operator=(Sock&& other) noexcept {
  // The destructor of `old` closes the socket that this object owned.
  const Sock old(std::move(*this));
  c_ = other.c_;
  handle_ = std::exchange(other.handle_, std::nullopt);
  role_ = other.role_;
  return *this;
}

Sock::~Sock() {
  if (!handle_.has_value()) return;
  const Result<Done> closed = Close();
  EXPECT_TRUE(closed.ok() || closed.unsupported()) << "close: " << closed;
}

std::string Sock::Feature(absl::string_view operation) const {
  return absl::StrCat(role_, operation);
}

absl::string_view Sock::AcceptFeature() const {
  return role_ == "listener." ? "accept" : "accept_of_no_listener";
}

Result<Sock> Sock::Accept(const AcceptOptions& options) const {
  const Result<Handle> accepted =
      c_->Call(FeaturesOf(AcceptFeature(), options),
               [&] { return c_->implementation().Accept(*handle_, options); });
  if (!accepted.ok()) return accepted.As<Sock>();
  return Sock(*c_, *accepted);
}

Result<Sock> Sock::AcceptWithList(const AcceptOptionList& list) const {
  c_->CheckNeedOfOptionLists();
  const Result<Handle> accepted =
      c_->Call(FeaturesOf(AcceptFeature(), list), [&] {
        return conformance::AcceptWithList(c_->implementation(), *handle_,
                                           list);
      });
  if (!accepted.ok()) return accepted.As<Sock>();
  return Sock(*c_, *accepted);
}

Result<std::optional<ip::Endpoint>> Sock::PeerAddr() const {
  return c_->Call({Feature("peeraddr")},
                  [&] { return c_->implementation().PeerAddr(*handle_); });
}

Result<ip::Endpoint> Sock::LocalAddr() const {
  return c_->Call({Feature("localaddr")},
                  [&] { return c_->implementation().LocalAddr(*handle_); });
}

Result<size_t> Sock::Send(absl::string_view data) const {
  return c_->Call({Feature("send")},
                  [&] { return c_->implementation().Send(*handle_, data); });
}

Result<size_t> Sock::Recv(absl::Span<char> buffer) const {
  return c_->Call({Feature("recv")},
                  [&] { return c_->implementation().Recv(*handle_, buffer); });
}

Result<Done> Sock::Shutdown(int how) const {
  const bool is_known = how == SHUT_RD || how == SHUT_WR || how == SHUT_RDWR;
  const absl::string_view operation = how == SHUT_RD     ? "shutdown.read"
                                      : how == SHUT_RDWR ? "shutdown.both"
                                      : is_known         ? "shutdown"
                                                 : "shutdown.unknown_how";
  return c_->Call({Feature(operation)},
                  [&] { return c_->implementation().Shutdown(*handle_, how); });
}

Result<Done> Sock::PendingError() const {
  return c_->Call({Feature("pending_error")},
                  [&] { return c_->implementation().PendingError(*handle_); });
}

Result<Done> Sock::Close() {
  const Handle handle = *std::exchange(handle_, std::nullopt);
  return c_->Call({Feature("close")},
                  [&] { return c_->implementation().Close(handle); });
}

Result<Done> Sock::SendAll(absl::string_view data) const {
  while (!data.empty()) {
    const Result<size_t> sent = Send(data);
    if (!sent.ok()) return sent.As<Done>();
    data.remove_prefix(*sent);
  }
  return Done{};
}

Result<std::string> Sock::RecvExactly(size_t size) const {
  std::string received(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const Result<size_t> got = Recv(absl::MakeSpan(received).subspan(filled));
    if (!got.ok()) return got.As<std::string>();
    if (*got == 0) break;
    filled += *got;
  }
  received.resize(filled);
  return received;
}

Result<std::string> Sock::RecvUntilEnd() const {
  std::string received;
  std::array<char, 65536> buffer;
  while (true) {
    const Result<size_t> got = Recv(absl::MakeSpan(buffer));
    if (!got.ok()) return got.As<std::string>();
    if (*got == 0) return received;
    received.append(buffer.data(), *got);
  }
}

Result<ip::Endpoint> Sock::LocalEndpoint() const {
  Implementation& implementation = c_->implementation();
  if (const auto fd = implementation.NativeHandle(*handle_); fd.has_value()) {
    const auto endpoint = Witness(c_->sys(), *fd).LocalEndpoint();
    if (endpoint.ok()) return *endpoint;
  }
  if (const auto reported = implementation.ReportedEndpoint(*handle_)) {
    return *reported;
  }
  return LocalAddr();
}

Result<Witness> Sock::Inspect() const {
  return c_->Call({Feature("descriptors")}, [&]() -> Result<Witness> {
    const std::optional<int> fd = c_->implementation().NativeHandle(*handle_);
    if (!fd.has_value())
      return Unsupported{"has no way to ask for its descriptors"};
    return Witness(c_->sys(), *fd);
  });
}

Syscalls& Context::sys() { return env_.syscalls(); }

ip::Addr Context::Foreign() const {
  if (v6()) {
    return ip::Addr::V6(
        {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  }
  return ip::Addr::V4(192, 0, 2, 1);
}

Result<Sock> Context::Listen(const ListenOptions& options) {
  return Listen(ip::Endpoint{Loopback(), 0}, options);
}

Result<Sock> Context::Listen(const ip::Endpoint& local,
                             const ListenOptions& options) {
  const Result<Handle> listener = Call(FeaturesOf("listen", options), [&] {
    return implementation_.Listen(local, options);
  });
  if (!listener.ok()) return listener.As<Sock>();
  return Sock(*this, *listener, "listener.");
}

Result<Sock> Context::Connect(const ip::Endpoint& remote,
                              const ConnectOptions& options) {
  const Result<Handle> connection = Call(FeaturesOf("connect", options), [&] {
    return implementation_.Connect(remote, options);
  });
  if (!connection.ok()) return connection.As<Sock>();
  return Sock(*this, *connection, RoleOf(options));
}

Result<Sock> Context::ListenWithList(const ListenOptionList& list) {
  return ListenWithList(ip::Endpoint{Loopback(), 0}, list);
}

Result<Sock> Context::ListenWithList(const ip::Endpoint& local,
                                     const ListenOptionList& list) {
  CheckNeedOfOptionLists();
  const Result<Handle> listener = Call(FeaturesOf("listen", list), [&] {
    return conformance::ListenWithList(implementation_, local, list);
  });
  if (!listener.ok()) return listener.As<Sock>();
  return Sock(*this, *listener, "listener.");
}

Result<Sock> Context::ConnectWithList(const ip::Endpoint& remote,
                                      const ConnectOptionList& list) {
  CheckNeedOfOptionLists();
  const Result<Handle> connection = Call(FeaturesOf("connect", list), [&] {
    return conformance::ConnectWithList(implementation_, remote, list);
  });
  if (!connection.ok()) return connection.As<Sock>();
  return Sock(*this, *connection, RoleOf(list.options));
}

Result<Sock> Context::Adopt(int fd) {
  const Result<Handle> adopted =
      Call({"adopt"}, [&] { return implementation_.Adopt(fd); });
  if (!adopted.ok()) return adopted.As<Sock>();
  return Sock(*this, *adopted, "adopted.");
}

Result<Sock> Context::AdoptThenClose(int fd) {
  const Result<Handle> adopted = Call({"adopt", "adopt.closed"}, [&] {
    return implementation_.AdoptThenClose(fd, sys());
  });
  if (!adopted.ok()) return adopted.As<Sock>();
  return Sock(*this, *adopted, "adopted.");
}

Result<Faults*> Context::InjectFaults() {
  if (!Includes(needs_, Need::kFaults)) {
    throw HarnessError(
        "the case injects faults, but does not have Need::kFaults");
  }
  if (env_.faults() != nullptr) return env_.faults();
  return Call({"syscalls"}, [&]() -> Result<Faults*> {
    if (carrier_.faults == nullptr) carrier_ = make_carrier_(sys());
    if (!implementation_.UseSyscalls(*carrier_.syscalls)) {
      return Unsupported{"has no Syscalls to inject faults into"};
    }
    return carrier_.faults.get();
  });
}

void Context::CheckNeedOfOptionLists() const {
  if (Includes(needs_, Need::kOptionLists)) return;
  throw HarnessError(
      "the case gives an option list, but does not have Need::kOptionLists");
}

void Context::Variation(absl::string_view name) {
  const MutexLock lock(mutex_);
  variation_ = std::string(name);
}

void Context::NoteUnsupported(const std::string& reason, Features features) {
  if (failures_() > 0) return;  // A failure before the claim counts.
  const MutexLock lock(mutex_);
  if (unsupported_.has_value()) return;
  unsupported_ = Claim{.reason = reason, .features = std::move(features)};
}

void Context::NoteResult(std::string error, const Features& features) {
  const MutexLock lock(mutex_);
  last_error_ = std::move(error);
  proven_.insert(features.begin(), features.end());
}

void Context::NoteFailure() {
  const MutexLock lock(mutex_);
  error_at_failure_ = last_error_;
}

void Context::NoteThrown(absl::string_view what) {
  const MutexLock lock(mutex_);
  if (!thrown_.has_value()) {
    thrown_ = std::string(what);
  }
}

std::optional<Context::Claim> Context::unsupported() const {
  const MutexLock lock(mutex_);
  return unsupported_;
}

Context::Features Context::proven() const {
  const MutexLock lock(mutex_);
  return Features(proven_.begin(), proven_.end());
}

std::string Context::error_at_failure() const {
  const MutexLock lock(mutex_);
  return error_at_failure_;
}

std::optional<std::string> Context::variation() const {
  const MutexLock lock(mutex_);
  return variation_;
}

std::optional<std::string> Context::thrown() const {
  const MutexLock lock(mutex_);
  return thrown_;
}

}  // namespace net::conformance

#ifndef CONFORMANCE_SUITE_CONTEXT_H_
#define CONFORMANCE_SUITE_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/case.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "conformance/suite/subject_error.h"
#include "conformance/suite/witness.h"
#include "fakes/fault_injector.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

class Context;

// A socket of the implementation under test, owned by the case: closed when it
// goes out of scope. A thin front of Implementation, whose methods it calls.
// Move-only.
class Sock {
 public:
  Sock() = default;
  // `role` is what an API may have types of its own for: "listener.".
  Sock(Context& c, Handle handle, absl::string_view role = "")
      : c_(&c), handle_(handle), role_(role) {}
  Sock(Sock&& other) noexcept
      : c_(other.c_),
        handle_(std::exchange(other.handle_, std::nullopt)),
        role_(other.role_) {}
  Sock& operator=(Sock&& other) noexcept;
  Sock(const Sock&) = delete;
  Sock& operator=(const Sock&) = delete;
  // Closes it; a close that fails fails the case.
  ~Sock();

  Result<Sock> Accept(const AcceptOptions& options = {}) const;
  Result<std::optional<ip::Endpoint>> PeerAddr() const;
  // The implementation's own answer, for cases about that answer. Other cases
  // use LocalEndpoint().
  Result<ip::Endpoint> LocalAddr() const;
  Result<size_t> Send(absl::string_view data) const;
  Result<size_t> Recv(absl::Span<char> buffer) const;
  Result<Done> Shutdown(int how) const;
  Result<Done> PendingError() const;
  Result<Done> Close();

  // Send until all is sent; Recv of exactly `size` bytes, or fewer if the
  // stream ends before; Recv until the end of the stream. The first error ends
  // them.
  Result<Done> SendAll(absl::string_view data) const;
  Result<std::string> RecvExactly(size_t size) const;
  Result<std::string> RecvUntilEnd() const;

  // Where the socket is bound: what getsockname(2) returns for its descriptor,
  // else what Listen reported, else what LocalAddr() returns.
  Result<ip::Endpoint> LocalEndpoint() const;

  // A witness of the descriptor behind it; Unsupported if the implementation
  // cannot tell which one that is.
  Result<Witness> Look() const;

 private:
  // A feature as Context::Call() wants it: "listener.shutdown".
  std::string Feature(absl::string_view operation) const;

  Context* c_ = nullptr;
  std::optional<Handle> handle_;
  absl::string_view role_;
};

// What a case is given: the implementation under test, the environment, and the
// axis. Lives as long as the case.
//
// Cases are straight-line programs. They assert with GoogleTest; every
// operation that must succeed goes through ASSERT_OK_AND_ASSIGN, so that a
// claim of Unsupported ends the case there. The outcome then is `unsupported`,
// provided that nothing had failed before.
//
//   void EstablishedBothWays(Context& c) {
//     ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
//     ASSERT_OK_AND_ASSIGN(ip::Endpoint at, listener.LocalEndpoint());
//     ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at));
//     ...
//
// Thread-safety: Listen, Connect and the methods of Sock may be called from
// tasks, too.
class Context {
 public:
  // `failures` counts the assertions that have failed so far.
  Context(Environment& env, Implementation& implementation, Axis axis,
          std::function<int()> failures)
      : env_(env),
        implementation_(implementation),
        axis_(axis),
        failures_(std::move(failures)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() = default;

  Environment& env() { return env_; }
  Syscalls& sys() { return env_.syscalls(); }
  Implementation& implementation() { return implementation_; }

  // The axis: AF_INET or AF_INET6, and its addresses.
  Axis axis() const { return axis_; }
  bool v6() const { return axis_ == Axis::kV6; }
  int family() const { return Loopback().family(); }
  ip::Addr Loopback() const { return v6() ? ip::kLocalV6 : ip::kLocalV4; }
  ip::Addr Any() const { return v6() ? ip::kAnyV6 : ip::kAnyV4; }
  // An address that is neither this machine's nor anybody's: of TEST-NET-1
  // (RFC 5737), 2001:db8::/32 (RFC 3849).
  ip::Addr Foreign() const;

  // The operations under test. Listen() without an address is on the axis's
  // loopback address and a port that the system picks.
  Result<Sock> Listen(const ListenOptions& options = {});
  Result<Sock> Listen(const ip::Endpoint& local,
                      const ListenOptions& options = {});
  Result<Sock> Connect(const ip::Endpoint& remote,
                       const ConnectOptions& options = {});
  Result<Sock> Adopt(int fd);
  // Adopts `fd` and closes it behind the implementation's back.
  Result<Sock> AdoptThenClose(int fd);

  // Puts a fault injector between the implementation and the kernel, for
  // everything it does from now on; Unsupported if it has no Syscalls.
  Result<FaultInjector*> InjectFaults();

  // Names the known behaviour that was seen where it is not the usual one of
  // Linux: the outcome of the case becomes `variation`.
  void Variation(absl::string_view name);

  // What a call of the implementation is and asks for: {"listen",
  // "listen.keepalive"}. One that succeeds proves all of them; a claim that
  // such a call is not supported, all of whose features were proven elsewhere,
  // is a false one.
  using Features = std::vector<std::string>;

  // Makes a call of the implementation: every call of it goes through here.
  // Notes a claim of Unsupported, and that the call threw.
  template <typename F>
  auto Call(Features features, F&& call) -> decltype(call());

  // An assertion has failed, the first one.
  void NoteFailure();

  // For the verdict: the first claim of Unsupported, unless an assertion had
  // failed before; the named variation; what was thrown; what was proven; the
  // error of the last call before the first failure, "" if that had succeeded.
  struct Claim {
    std::string reason;
    Features features;
  };
  std::optional<Claim> unsupported() const;
  Features proven() const;
  std::string error_at_failure() const;
  std::optional<std::string> variation() const;
  std::optional<std::string> thrown() const;

 private:
  void NoteUnsupported(const std::string& reason, Features features);
  void NoteAnswer(std::string error, const Features& features);
  void NoteThrown(absl::string_view what);

  Environment& env_;
  Implementation& implementation_;
  const Axis axis_;
  const std::function<int()> failures_;
  std::unique_ptr<FaultInjector> injector_;
  mutable Mutex mutex_;
  std::optional<Claim> unsupported_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> proven_ ABSL_GUARDED_BY(mutex_);
  std::string last_error_ ABSL_GUARDED_BY(mutex_);
  std::string error_at_failure_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> variation_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> thrown_ ABSL_GUARDED_BY(mutex_);
};

template <typename F>
auto Context::Call(Features features, F&& call) -> decltype(call()) {
  // A C++ API may throw, and the verdict must name that as what it is. (What
  // a SubjectError reports is the driver's fault, not the implementation's.)
  try {
    auto result = std::forward<F>(call)();
    if (const Unsupported* claim = result.unsupported()) {
      NoteUnsupported(claim->reason,
                      claim->is_claim ? std::move(features) : Features());
    } else if (const Error* error = result.error()) {
      NoteAnswer(ErrorName(*error), {});
    } else {
      NoteAnswer("", features);
    }
    return result;
  } catch (const SubjectError& e) {
    NoteThrown(e.what());
    return Error{.text = e.what()};
  } catch (const std::exception& e) {
    NoteThrown(absl::StrCat("the implementation threw: ", e.what()));
    return Error{.text = e.what()};
  } catch (...) {
    NoteThrown("the implementation threw something that is no std::exception");
    return Error{.text = "threw"};
  }
}

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_CONTEXT_H_

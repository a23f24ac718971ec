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
#include "conformance/suite/call_options.h"
#include "conformance/suite/case.h"
#include "conformance/suite/fault_carrier.h"
#include "conformance/suite/need.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "conformance/suite/subject_error.h"
#include "conformance/suite/witness.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls_fwd.h"

namespace net {
class Faults;  // fakes/faults/faults.h
}

namespace net::conformance {

class Context;
class Environment;     // environment.h
class Implementation;  // implementation.h

// A socket of the implementation under test, owned by the case. Each method
// calls the method of Implementation with the same name. The destructor closes
// the socket. Move-only.
class Sock {
 public:
  Sock() = default;
  // `role` names a kind of socket for which an API may have a type of its own,
  // such as "listener.".
  Sock(Context& c, Handle handle, absl::string_view role = "")
      : c_(&c), handle_(handle), role_(role) {}
  Sock(Sock&& other) noexcept
      : c_(other.c_),
        handle_(std::exchange(other.handle_, std::nullopt)),
        role_(other.role_) {}
  Sock& operator=(Sock&& other) noexcept;
  Sock(const Sock&) = delete;
  Sock& operator=(const Sock&) = delete;
  // Closes the socket. Fails the case if that fails.
  ~Sock();

  Result<Sock> Accept(const AcceptOptions& options = {}) const;
  Result<Sock> AcceptWithList(const AcceptOptionList& list) const;
  Result<std::optional<ip::Endpoint>> PeerAddr() const;
  // Calls Implementation::LocalAddr(). Only for cases about it; other cases use
  // LocalEndpoint().
  Result<ip::Endpoint> LocalAddr() const;
  Result<size_t> Send(absl::string_view data) const;
  Result<size_t> Recv(absl::Span<char> buffer) const;
  Result<Done> Shutdown(int how) const;
  Result<Done> PendingError() const;
  Result<Done> Close();

  // Calls Send until all of `data` is sent. Returns the first error.
  Result<Done> SendAll(absl::string_view data) const;
  // Calls Recv until `size` bytes are received or the stream ends. Returns the
  // first error.
  Result<std::string> RecvExactly(size_t size) const;
  // Calls Recv until the stream ends. Returns the first error.
  Result<std::string> RecvUntilEnd() const;

  // Returns the endpoint that the socket is bound to: the one that
  // getsockname(2) returns for its descriptor, else the one that Listen
  // reported, else the one that LocalAddr() returns.
  Result<ip::Endpoint> LocalEndpoint() const;

  // Returns a witness of the socket's descriptor, or Unsupported if the
  // implementation does not disclose its descriptors.
  Result<Witness> Inspect() const;

 private:
  // Returns the feature's name for Context::Call(), such as
  // "listener.shutdown".
  std::string Feature(absl::string_view operation) const;
  // Returns the feature's name for Accept(). Sockets that do not listen have
  // another name, because some APIs have accept for listeners only.
  absl::string_view AcceptFeature() const;

  Context* c_ = nullptr;
  std::optional<Handle> handle_;
  absl::string_view role_;
};

// The implementation under test, the environment and the address family of a
// case. Lives as long as the case.
//
// Cases are straight-line programs that assert with GoogleTest. Every operation
// that must succeed goes through ASSERT_OK_AND_ASSIGN, so that a claim of
// Unsupported ends the case there. The outcome then is `unsupported`, unless an
// assertion has failed before.
//
//   void EstablishedBothWays(Context& c) {
//     ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
//     ASSERT_OK_AND_ASSIGN(ip::Endpoint at, listener.LocalEndpoint());
//     ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at));
//     ...
//
// Thread-safety: tasks, too, may call Listen, Connect and the methods of Sock.
class Context {
 public:
  // `needs` are the needs of the case. `failures` returns the number of
  // assertions that have failed so far. `make_carrier` is MakeFaultCarrier(),
  // which is a parameter so that cases do not depend on FaultInjector.
  Context(Environment& env, Implementation& implementation,
          AddressFamily family, Need needs, std::function<int()> failures,
          std::function<FaultCarrier(Syscalls&)> make_carrier)
      : env_(env),
        implementation_(implementation),
        family_(family),
        needs_(needs),
        failures_(std::move(failures)),
        make_carrier_(std::move(make_carrier)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() = default;

  Environment& env() { return env_; }
  Syscalls& sys();
  Implementation& implementation() { return implementation_; }

  // The address family: AF_INET or AF_INET6, and its addresses.
  bool v6() const { return family_ == AddressFamily::kV6; }
  int family() const { return Loopback().family(); }
  ip::Addr Loopback() const { return v6() ? ip::kLocalV6 : ip::kLocalV4; }
  ip::Addr Any() const { return v6() ? ip::kAnyV6 : ip::kAnyV4; }
  // An address that no machine has: in TEST-NET-1 (RFC 5737) or 2001:db8::/32
  // (RFC 3849).
  ip::Addr Foreign() const;

  // The operations under test. Listen() without an address uses the case's
  // loopback address and port 0, for which the system picks a port.
  Result<Sock> Listen(const ListenOptions& options = {});
  Result<Sock> Listen(const ip::Endpoint& local,
                      const ListenOptions& options = {});
  Result<Sock> Connect(const ip::Endpoint& remote,
                       const ConnectOptions& options = {});
  // The same operations with an option list. These, and Sock::AcceptWithList(),
  // throw HarnessError if the case does not have Need::kOptionLists.
  Result<Sock> ListenWithList(const ListenOptionList& list);
  Result<Sock> ListenWithList(const ip::Endpoint& local,
                              const ListenOptionList& list);
  Result<Sock> ConnectWithList(const ip::Endpoint& remote,
                               const ConnectOptionList& list);
  Result<Sock> Adopt(int fd);
  // Adopts `fd` and closes it without the implementation's knowledge.
  Result<Sock> AdoptThenClose(int fd);

  // Returns the object that injects faults into the system calls of the
  // implementation, in every later operation. It is the trap around the
  // implementation's process, or a FaultInjector between the implementation and
  // the kernel. Returns Unsupported if the implementation runs in this process
  // and has no Syscalls. Throws HarnessError if the case does not have
  // Need::kFaults.
  Result<Faults*> InjectFaults();

  // Makes `variation` the outcome of the case. `name` is the name of the
  // observed behaviour, a known one that differs from that of Linux.
  void Variation(absl::string_view name);

  // The operation that a call of the implementation requests, and its options:
  // {"listen", "listen.keepalive"}. A call that succeeds proves its features. A
  // claim of Unsupported is false if other calls have proved all features of
  // the call.
  using Features = std::vector<std::string>;

  // Makes a call of the implementation. Every call goes through this function.
  // Records a claim of Unsupported, and an exception.
  template <typename F>
  auto Call(Features features, F&& call) -> decltype(call());

  // Records that the first assertion has failed.
  void NoteFailure();

  // The functions below are for the verdict.
  struct Claim {
    std::string reason;
    Features features;
  };
  // The first claim of Unsupported, unless an assertion had failed before.
  std::optional<Claim> unsupported() const;
  // The features of all calls that succeeded.
  Features proven() const;
  // The error of the last call before the first failed assertion; empty if that
  // call succeeded.
  std::string error_at_failure() const;
  // The name given to Variation().
  std::optional<std::string> variation() const;
  // The text of the first exception.
  std::optional<std::string> thrown() const;

 private:
  friend class Sock;

  void CheckNeedOfOptionLists() const;
  void NoteUnsupported(const std::string& reason, Features features);
  void NoteResult(std::string error, const Features& features);
  void NoteThrown(absl::string_view what);

  Environment& env_;
  Implementation& implementation_;
  const AddressFamily family_;
  const Need needs_;
  const std::function<int()> failures_;
  const std::function<FaultCarrier(Syscalls&)> make_carrier_;
  FaultCarrier carrier_;  // Empty until faults are injected through it.
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
  // A C++ API may throw, and the verdict must report that as an exception. (A
  // SubjectError reports a fault of the driver, not of the implementation.)
  try {
    auto result = std::forward<F>(call)();
    if (const Unsupported* claim = result.unsupported()) {
      NoteUnsupported(claim->reason, std::move(features));
    } else if (const Error* error = result.error()) {
      NoteResult(ErrorName(*error), {});
    } else {
      NoteResult("", features);
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

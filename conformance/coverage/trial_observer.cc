#include "conformance/coverage/trial_observer.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "conformance/coverage/cells.h"
#include "conformance/coverage/socket_history.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/sys_result.h"

namespace net::conformance {
namespace {

// What the calling thread does.
struct ThreadContext {
  bool in_operation = false;
  bool injected = false;  // an error, in the last operation
  // The call of the implementation that it makes, and the errors that the
  // kernel has returned meanwhile.
  std::optional<Call> call;
  std::vector<std::pair<Call, int>> errors;
};

ThreadContext& ThisThread() {
  thread_local ThreadContext context;
  return context;
}

}  // namespace

InOperation::InOperation() {
  ThisThread().in_operation = true;
  ThisThread().injected = false;
}

InOperation::~InOperation() { ThisThread().in_operation = false; }

bool WasInjected() { return ThisThread().injected; }

SysResult ObservedKernel::Intercept(Invocation& invocation,
                                    absl::FunctionRef<SysResult()> make) {
  ThreadContext& thread = ThisThread();
  const Call call = invocation.call();
  const int fd = invocation.fd();
  if (!thread.in_operation && fd >= 0) {
    const auto state = observer_.history.StateOf(target(), fd);
    if (state.has_value()) {
      observer_.history.WhenKnown(fd, *state, [this, call](SocketState known) {
        observer_.out.Add('c', StateCell(call, known));
      });
    }
  }
  const auto token = observer_.concurrency.OnBegin(invocation);
  const SysResult result = make();
  observer_.concurrency.OnReturn(token);
  // A FaultInjector makes calls, too, while the implementation makes another.
  const bool is_own = !thread.call.has_value() || *thread.call == call;
  if (!result.ok() && is_own) {
    observer_.out.Add('b',
                      ErrnoCell(call, result.error(), ErrnoOrigin::kProvoked));
    thread.errors.emplace_back(call, result.error());
  }
  OnReturn(invocation, result);
  return result;
}

void ObservedKernel::OnReturn(const Invocation& invocation, SysResult result) {
  const int fd = invocation.fd();
  observer_.history.OnReturn(invocation, result);
  if (invocation.call() == Call::kConnect) OnConnect(invocation, result);
  if (!result.ok()) return;
  if (invocation.call() == Call::kClose) {
    observer_.options.OnClose(fd);
    observer_.addresses.OnClose(fd);
    observer_.concurrency.OnClose(fd);
  }
  if (invocation.makes_descriptor()) observer_.concurrency.OnNew(result.fd());
  if (invocation.call() == Call::kListen) {
    const absl::StatusOr<ip::Endpoint> local = LocalEndpoint(target(), fd);
    if (local.ok()) {
      observer_.addresses.OnListen(fd, *local, ThisThread().in_operation);
    }
  }
  if (!ThisThread().in_operation) observer_.options.OnCallOfCase(invocation);
}

void ObservedKernel::OnConnect(const Invocation& invocation, SysResult result) {
  // After other errors, the address may be none.
  constexpr int kErrorsOfAddresses[] = {EINPROGRESS, ECONNREFUSED, ENETUNREACH,
                                        EHOSTUNREACH, EADDRNOTAVAIL};
  if (!result.ok() &&
      std::find(std::begin(kErrorsOfAddresses), std::end(kErrorsOfAddresses),
                result.error()) == std::end(kErrorsOfAddresses)) {
    return;
  }
  const auto* const connect = invocation.As<Call::kConnect>();
  const auto remote = ip::EndpointFromSockaddr(connect->addr, connect->len);
  const auto state = observer_.history.StateOf(target(), connect->fd);
  if (!remote.has_value()) return;
  const bool connected = state == SocketState::kConnected;
  if (connected) observer_.concurrency.OnConnected(connect->fd);
  observer_.addresses.OnConnect(*remote, connected, ThisThread().in_operation);
}

SysResult ObservedCalls::Intercept(Invocation& invocation,
                                   absl::FunctionRef<SysResult()> make) {
  ThreadContext& thread = ThisThread();
  const auto call_before = std::exchange(thread.call, invocation.call());
  const auto errors_before = std::exchange(thread.errors, {});
  const SysResult result = make();
  if (!result.ok()) {
    const std::pair error(invocation.call(), result.error());
    const bool is_of_kernel =
        std::find(thread.errors.begin(), thread.errors.end(), error) !=
        thread.errors.end();
    if (!is_of_kernel) {
      thread.injected = true;
      observer_.out.Add('b', ErrnoCell(invocation.call(), result.error(),
                                       ErrnoOrigin::kInjected));
    }
  }
  thread.call = call_before;
  thread.errors = errors_before;
  return result;
}

SysResult ObservedChildCalls::Intercept(Invocation& invocation,
                                        absl::FunctionRef<SysResult()> make) {
  const auto token = concurrency_.OnBegin(invocation);
  const SysResult result = make();
  concurrency_.OnReturn(token);
  return result;
}

}  // namespace net::conformance

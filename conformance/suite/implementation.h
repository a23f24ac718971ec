#ifndef CONFORMANCE_SUITE_IMPLEMENTATION_H_
#define CONFORMANCE_SUITE_IMPLEMENTATION_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/call_options.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// See option_lists.h.
class OptionListExtension;
struct ListOnly;

// A TCP socket layer that the suite tests. Derive from it, implement each
// method by the shortest possible call of your API, and return the API's
// result:
//
// - a failure as Error, with the errno if the API reports one;
// - Unsupported, with the reason, if the API has no such operation or option.
//
// Methods block where the API blocks. They need no timeouts: the runner kills
// the process of a case that takes too long.
//
// Thread-safety: methods are called from any thread, and concurrently on
// different handles. On one handle:
//
// - Accept may run concurrently with itself, and Send with Recv;
// - Shutdown may run concurrently with all three, and must wake them;
// - Close runs alone.
class Implementation {
 public:
  virtual ~Implementation() = default;

  // Listens on a TCP endpoint. For port 0 the system picks a port.
  virtual Result<Handle> Listen(const ip::Endpoint& local,
                                const ListenOptions& options) = 0;
  // Connects to a TCP endpoint. Blocks until connected, unless
  // options.nonblock.
  virtual Result<Handle> Connect(const ip::Endpoint& remote,
                                 const ConnectOptions& options) = 0;
  // Accepts the next connection of a listener.
  virtual Result<Handle> Accept(Handle listener,
                                const AcceptOptions& options) = 0;

  // Returns the peer's endpoint, or nullopt if the API reports that the socket
  // has no peer.
  virtual Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) = 0;
  // Returns the local endpoint. Only cases about the local address need it:
  // see ReportedEndpoint().
  virtual Result<ip::Endpoint> LocalAddr(Handle socket) {
    static_cast<void>(socket);
    return Unsupported{"has no way to ask for the local address"};
  }

  // Sends some of `data` and returns the number of bytes sent.
  virtual Result<size_t> Send(Handle socket, absl::string_view data) = 0;
  // Receives into `buffer` and returns the number of bytes received; 0 at the
  // end of the stream.
  virtual Result<size_t> Recv(Handle socket, absl::Span<char> buffer) = 0;

  // Shuts down one or both directions. `how` is SHUT_RD, SHUT_WR, SHUT_RDWR or,
  // in cases about it, an unknown value.
  virtual Result<Done> Shutdown(Handle socket, int how) = 0;
  // Returns the result of a non-blocking Connect, once the socket is writable.
  virtual Result<Done> PendingError(Handle socket) = 0;
  // Closes the socket. The handle is invalid afterwards, even if Close fails.
  virtual Result<Done> Close(Handle socket) = 0;

  // Returns a handle for any descriptor of the process, which the
  // implementation then owns. Cases use it to test operations on a descriptor
  // that is closed or is not a socket.
  virtual Result<Handle> Adopt(int fd) {
    static_cast<void>(fd);
    return Unsupported{"cannot adopt a descriptor"};
  }

  // Adopts `fd`, a descriptor of `sys`, and closes it without the
  // implementation's knowledge, so that each operation on the handle fails with
  // EBADF.
  virtual Result<Handle> AdoptThenClose(int fd, Syscalls& sys);

  // Returns the endpoint of a listener as Listen reported it: the requested
  // address and the reported port. Returns nullopt if Listen reports no port.
  // The suite calls this if NativeHandle() returns nullopt.
  virtual std::optional<ip::Endpoint> ReportedEndpoint(Handle listener) {
    static_cast<void>(listener);
    return std::nullopt;
  }

  // Returns the descriptor of a handle, for the witness, or nullopt if it is
  // not known.
  virtual std::optional<int> NativeHandle(Handle socket) {
    static_cast<void>(socket);
    return std::nullopt;
  }

  // Returns the extension for an API that takes its options as a list (see
  // option_lists.h), or null if the API has no such lists.
  virtual OptionListExtension* option_lists() { return nullptr; }

  // Returns why the API cannot take `parts` of an option list, for reports. For
  // nullopt, the suite uses a reason of its own. Called only if option_lists()
  // returns null.
  virtual std::optional<std::string> WhyNoOptionList(
      const ListOnly& parts) const {
    static_cast<void>(parts);
    return std::nullopt;
  }

  // Makes the implementation use `sys` for all further system calls, so that
  // faults can be injected. `sys` outlives the implementation. Returns false if
  // the implementation cannot do that.
  virtual bool UseSyscalls(Syscalls& sys) {
    static_cast<void>(sys);
    return false;
  }
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_IMPLEMENTATION_H_

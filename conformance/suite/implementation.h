#ifndef CONFORMANCE_SUITE_IMPLEMENTATION_H_
#define CONFORMANCE_SUITE_IMPLEMENTATION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

// A socket of the implementation under test. The number is the
// implementation's own affair.
enum class Handle : uint64_t {};

struct ListenOptions {
  bool nonblock = false;    // the listener does not block
  bool no_cloexec = false;  // its descriptor survives exec
  bool keepalive = false;   // SO_KEEPALIVE
  bool reuseaddr = false;   // SO_REUSEADDR
  bool reuseport = false;   // SO_REUSEPORT
  // Given to the implementation one after the other; none: its default.
  std::vector<uint32_t> backlog;
  // Where the port is told, on success only. A null pointer is passed on; an
  // implementation whose API has no pointers there claims Unsupported for it.
  std::vector<uint16_t*> port_assignments;
  // Each of the booleans is given this many times, where the API takes lists.
  int times = 1;
  // A bit to add to the API's flags, one that neither Linux nor the API has a
  // meaning for (see PROTOCOL.md, `unknown_flag`); Unsupported where the API
  // has no flags.
  std::optional<uint32_t> unknown_flag;
};

struct ConnectOptions {
  bool nonblock = false;
  bool no_cloexec = false;
  bool keepalive = false;
  int times = 1;
  std::optional<uint32_t> unknown_flag;
};

struct AcceptOptions {
  bool nonblock = false;
  bool no_cloexec = false;
  std::optional<uint32_t> unknown_flag;
};

// What the suite judges: a TCP socket layer. Derive from it, make each method
// the shortest possible call of your API, and answer what the API answers:
// failures as Error, with the errno if the API tells it; what the API has no
// way to say as Unsupported, with the reason.
//
// Methods block as the real thing does. They take no deadline and need no
// timeout of their own: time belongs to the runner, which ends a late case and
// its process.
//
// Thread-safety: methods are called from any thread, concurrently on different
// handles. On one handle Accept runs concurrently with itself, Send with Recv,
// and Shutdown with all three, which it is to wake. Close has its handle to
// itself.
class Implementation {
 public:
  virtual ~Implementation() = default;

  // Listens on a TCP endpoint; port 0: the system picks one.
  virtual Result<Handle> Listen(const ip::Endpoint& local,
                                const ListenOptions& options) = 0;
  // Connects to a TCP endpoint, and waits unless options.nonblock.
  virtual Result<Handle> Connect(const ip::Endpoint& remote,
                                 const ConnectOptions& options) = 0;
  // Takes the next connection of a listener.
  virtual Result<Handle> Accept(Handle listener,
                                const AcceptOptions& options) = 0;

  // The remote end; nullopt if the API says that there is none.
  virtual Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) = 0;
  // The local end. Only the cases about it need it: see ReportedEndpoint().
  virtual Result<ip::Endpoint> LocalAddr(Handle socket) {
    static_cast<void>(socket);
    return Unsupported{"has no way to ask for the local address"};
  }

  // Sends some bytes, and says how many; receives some, 0 at the end.
  virtual Result<size_t> Send(Handle socket, absl::string_view data) = 0;
  virtual Result<size_t> Recv(Handle socket, absl::Span<char> buffer) = 0;

  // `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
  virtual Result<Done> Shutdown(Handle socket, int how) = 0;
  // The outcome of a non-blocking Connect, once the socket is writable.
  virtual Result<Done> PendingError(Handle socket) = 0;
  // Closes the socket and forgets the handle, whatever it answers.
  virtual Result<Done> Close(Handle socket) = 0;

  // A handle for a descriptor of the process, whatever it is, which the
  // implementation then owns: shows what the API does with a descriptor that is
  // closed, or not a socket.
  virtual Result<Handle> Adopt(int fd) {
    static_cast<void>(fd);
    return Unsupported{"cannot adopt a descriptor"};
  }

  // The same for a descriptor that is closed behind the implementation's back
  // right after it was adopted: each operation on the handle fails with EBADF.
  // `fd` is a descriptor of `sys`.
  virtual Result<Handle> AdoptThenClose(int fd, Syscalls& sys) {
    Result<Handle> adopted = Adopt(fd);
    if (adopted.ok()) static_cast<void>(sys.Close(fd));
    return adopted;
  }

  // The endpoint that a listener has according to the result of Listen: the
  // address that was asked for and the port that was reported. Nullopt if
  // Listen reports no port. The suite asks where NativeHandle() cannot tell.
  virtual std::optional<ip::Endpoint> ReportedEndpoint(Handle listener) {
    static_cast<void>(listener);
    return std::nullopt;
  }

  // The descriptor behind a handle, for the witness; nullopt: cannot tell.
  virtual std::optional<int> NativeHandle(Handle socket) {
    static_cast<void>(socket);
    return std::nullopt;
  }

  // From now on the implementation reaches the kernel through `sys`, which
  // outlives it, so that faults can be injected. False: it has no such seam.
  virtual bool UseSyscalls(Syscalls& sys) {
    static_cast<void>(sys);
    return false;
  }
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_IMPLEMENTATION_H_

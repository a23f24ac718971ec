#ifndef CONFORMANCE_SUITE_ADAPTER_H_
#define CONFORMANCE_SUITE_ADAPTER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "syscalls/errors/error.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Converts the return values of a library's functions into Results.
template <typename T>
Result<T> ToResult(Result<T> result) {
  return result;
}
inline Result<Done> ToResult(const absl::Status& status) {
  if (status.ok()) return Done{};
  const int error_number = net::ErrnoOf(status);
  return Error{.kind = *net::KindOf(status),
               .error_number = error_number == 0 ? std::nullopt
                                                 : std::optional(error_number),
               .text = std::string(status.message())};
}
template <typename T>
Result<T> ToResult(absl::StatusOr<T> result) {
  if (!result.ok()) return ToResult(result.status()).template As<T>();
  return *std::move(result);
}
inline Result<std::optional<ip::Endpoint>> ToResult(
    std::optional<ip::Endpoint> endpoint) {
  return endpoint;
}

// Returns the Error of a system call that failed with `error_number`.
inline Error ErrorFromErrno(int error_number, std::string text = "") {
  return {.kind = KindOfErrno(error_number),
          .error_number = error_number,
          .text = std::move(text)};
}

// Return whether no option is set. A library without options supports only
// this.
inline bool IsPlain(const AcceptOptions& options) {
  return !options.nonblock && !options.no_cloexec;
}
inline bool IsPlain(const ConnectOptions& options) {
  return !options.nonblock && !options.no_cloexec && !options.keepalive;
}
inline bool IsPlain(const ListenOptions& options) {
  return !options.nonblock && !options.no_cloexec && !options.keepalive &&
         !options.reuseaddr && !options.reuseport &&
         !options.backlog.has_value() && options.port == nullptr;
}

// A socket library that Adapter can turn into an Implementation. It has
//
//   using Socket = ...;  // movable
//   Listen (const ip::Endpoint& local,  const ListenOptions&)  -> Socket
//   Connect(const ip::Endpoint& remote, const ConnectOptions&) -> Socket
//   Accept (Socket& listener,           const AcceptOptions&)  -> Socket
//   PeerAddr(Socket&)       -> std::optional<ip::Endpoint>
//
// and its Socket has
//
//   Send(absl::string_view) -> size_t
//   Recv(absl::Span<char>)  -> size_t
//   Shutdown(int how), Close()
//
// where `-> T` means Result<T> or absl::StatusOr<T> (for PeerAddr also plain
// T), and no arrow means Result<Done> or absl::Status. The comments of the
// methods of Implementation apply to these functions. A library may also have:
//
//   Socket::LocalAddr()     -> ip::Endpoint
//   Socket::PendingError(), int Socket::fd()
//   Socket Adopt(int fd), void UseSyscalls(Syscalls&)
template <typename Library>
concept SocketLibrary = std::movable<typename Library::Socket> &&
    requires(Library library, typename Library::Socket socket,
             ip::Endpoint endpoint, ListenOptions listen,
             ConnectOptions connect, AcceptOptions accept,
             absl::string_view data, absl::Span<char> buffer, int how) {
  {
    ToResult(library.Listen(endpoint, listen))
    } -> std::same_as<Result<typename Library::Socket>>;
  {
    ToResult(library.Connect(endpoint, connect))
    } -> std::same_as<Result<typename Library::Socket>>;
  {
    ToResult(library.Accept(socket, accept))
    } -> std::same_as<Result<typename Library::Socket>>;
  {
    ToResult(library.PeerAddr(socket))
    } -> std::same_as<Result<std::optional<ip::Endpoint>>>;
  { ToResult(socket.Send(data)) } -> std::same_as<Result<size_t>>;
  { ToResult(socket.Recv(buffer)) } -> std::same_as<Result<size_t>>;
  { ToResult(socket.Shutdown(how)) } -> std::same_as<Result<Done>>;
  { ToResult(socket.Close()) } -> std::same_as<Result<Done>>;
};

// An Implementation made of a SocketLibrary. Owns the library's sockets and
// returns the library's results. Is as thread-safe as the library's sockets.
// Methods throw std::out_of_range for an unknown handle.
template <SocketLibrary Library>
class Adapter : public Implementation {
 public:
  explicit Adapter(Library library = {}) : library_(std::move(library)) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return Keep(ToResult(library_.Listen(local, options)));
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return Keep(ToResult(library_.Connect(remote, options)));
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return Keep(ToResult(library_.Accept(Find(listener), options)));
  }
  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    return ToResult(library_.PeerAddr(Find(socket)));
  }
  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    if constexpr (requires(Socket s) { s.LocalAddr(); }) {
      return ToResult(Find(socket).LocalAddr());
    }
    return Implementation::LocalAddr(socket);
  }
  Result<size_t> Send(Handle socket, absl::string_view data) override {
    return ToResult(Find(socket).Send(data));
  }
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    return ToResult(Find(socket).Recv(buffer));
  }
  Result<Done> Shutdown(Handle socket, int how) override {
    return ToResult(Find(socket).Shutdown(how));
  }
  Result<Done> PendingError(Handle socket) override {
    if constexpr (requires(Socket s) { s.PendingError(); }) {
      return ToResult(Find(socket).PendingError());
    }
    return Unsupported{
        "has no way to ask for the outcome of a non-blocking connect"};
  }
  Result<Done> Close(Handle socket) override {
    return ToResult(Take(socket).Close());
  }

  Result<Handle> Adopt(int fd) override {
    if constexpr (requires(Library library) { library.Adopt(fd); }) {
      return Keep(Result<Socket>(library_.Adopt(fd)));
    }
    return Implementation::Adopt(fd);
  }
  std::optional<int> NativeHandle(Handle socket) override {
    if constexpr (requires(Socket s) { s.fd(); }) return Find(socket).fd();
    return std::nullopt;
  }
  bool UseSyscalls(Syscalls& sys) override {
    if constexpr (requires(Library library) { library.UseSyscalls(sys); }) {
      library_.UseSyscalls(sys);
      return true;
    }
    return false;
  }

 protected:
  // For derived classes that add an extension, such as option_lists.h.
  using Socket = typename Library::Socket;

  Library& library() { return library_; }

  Result<Handle> Keep(Result<Socket> socket) {
    if (!socket.ok()) return socket.template As<Handle>();
    const MutexLock lock(mutex_);
    const Handle handle{next_++};
    sockets_.emplace(handle, *std::move(socket));
    return handle;
  }

  // Returns the socket. The reference stays valid until the socket is closed.
  Socket& Find(Handle handle) {
    const MutexLock lock(mutex_);
    return sockets_.at(handle);
  }

 private:
  Socket Take(Handle handle) {
    const MutexLock lock(mutex_);
    Socket socket = std::move(sockets_.at(handle));
    sockets_.erase(handle);
    return socket;
  }

  Library library_;
  Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, Socket> sockets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_ADAPTER_H_

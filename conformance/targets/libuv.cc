#include "conformance/targets/libuv.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "conformance/targets/libuv_loop.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"
#include "uv.h"

namespace net::conformance {
namespace {

// uv_listen() and uv_tcp_keepalive() have no defaults. These values are those
// of the examples in libuv's guide and of Node.js.
constexpr int kBacklog = 128;
constexpr unsigned kKeepAliveSeconds = 60;

// A Recv in progress.
struct Reading {
  absl::Span<char> buffer;
  std::optional<ssize_t> result;
};

// A handle, and the results of its callbacks.
struct Tcp {
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&handle); }

  uv_tcp_t handle;
  bool blocking = true;
  bool listening = false;
  std::deque<int> accept_errors;
  std::optional<uv_connect_t> connect;  // set by the first Connect
  std::optional<int> connected;
  Reading* reading = nullptr;
};

// Returns the Tcp of a handle or a request.
template <typename T>
Tcp& TcpOf(T* uv) {
  return *static_cast<Tcp*>(uv->data);
}

// The next call of uv_accept() takes the connection. Only errors are recorded.
void OnConnection(uv_stream_t* server, int status) {
  if (status < 0) TcpOf(server).accept_errors.push_back(status);
}

void OnConnected(uv_connect_t* request, int status) {
  TcpOf(request).connected = status;
}

void OnAlloc(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  const absl::Span<char> room = TcpOf(handle).reading->buffer;
  *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
}

void OnRead(uv_stream_t* stream, ssize_t count, const uv_buf_t*) {
  if (count == 0) return;  // uv_read_cb: not the end, but EAGAIN
  TcpOf(stream).reading->result = count;
  uv_read_stop(stream);
}

// For requests whose `data` is a std::optional<int> for the status.
template <typename Request>
void OnStatus(Request* request, int status) {
  *static_cast<std::optional<int>*>(request->data) = status;
}

// libuv's errors are negative errnos. Values from -3000 down are errors of its
// own.
Error ToError(ssize_t code) {
  const int error = static_cast<int>(-code);
  const std::string text = uv_strerror(-error);
  if (error >= 3000) return Error{.kind = ErrorKind::kOpaque, .text = text};
  return Error{.kind = KindOfErrno(error), .error_number = error, .text = text};
}

Result<Done> ToResult(int code) {
  if (code < 0) return ToError(code);
  return Done{};
}

Result<size_t> ToCount(ssize_t code) {
  if (code < 0) return ToError(code);
  return static_cast<size_t>(code);
}

// Calls uv_tcp_getsockname() or uv_tcp_getpeername(). Nullopt if the address is
// not an IP address.
template <typename GetName>
Result<std::optional<ip::Endpoint>> AddressOf(Tcp& tcp, GetName get_name) {
  sockaddr_storage storage = {};
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  int size = sizeof(storage);
  const int error = get_name(&tcp.handle, address, &size);
  if (error < 0) return ToError(error);
  return ip::EndpointFromSockaddr(address, static_cast<socklen_t>(size));
}

// Returns a claim of `unsupported` for what all three structs have and libuv
// lacks.
template <typename Options>
std::optional<Unsupported> Unsayable(const Options& options) {
  if (options.no_cloexec) {
    return Unsupported{"makes all descriptors close-on-exec"};
  }
  return std::nullopt;
}

// libuv never blocks; its callers wait. So a blocking operation here waits for
// the result. A non-blocking one runs the loop as far as it goes without
// waiting, and returns the result so far.
//
// Thread-safe through the loop.
class Libuv final : public Implementation {
 public:
  explicit Libuv(void (*call_through)(Syscalls&))
      : call_through_(call_through) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    if (options.reuseport) {
      return Unsupported{"has no SO_REUSEPORT before 1.49"};
    }
    if (auto claim = Unsayable(options)) return *claim;
    const auto tcp = std::make_shared<Tcp>();
    tcp->blocking = !options.nonblock;
    int error = 0;
    loop_.Run([&] { error = StartListening(*tcp, local, options); });
    if (error < 0) return Discard(*tcp, ToError(error));
    if (options.port != nullptr) {
      const Result<ip::Endpoint> bound = LocalAddrOf(*tcp);
      if (!bound.ok()) return Discard(*tcp, *bound.error());
      *options.port = bound->port;
    }
    return Keep(tcp);
  }

  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    if (auto claim = Unsayable(options)) return *claim;
    const auto tcp = std::make_shared<Tcp>();
    tcp->blocking = !options.nonblock;
    int error = 0;
    loop_.Run([&] { error = StartConnecting(*tcp, remote, options); },
              [&] { return error < 0 || !tcp->blocking || tcp->connected; });
    if (error == 0 && tcp->blocking) error = *tcp->connected;
    if (error < 0) return Discard(*tcp, ToError(error));
    return Keep(tcp);
  }

  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    if (auto claim = Unsayable(options)) return *claim;
    const std::shared_ptr<Tcp> server = Find(listener);
    const auto client = std::make_shared<Tcp>();
    client->blocking = !options.nonblock;
    // If the socket does not listen, no callback would end the wait.
    const bool waits = server->blocking && server->listening;
    int error = 0;
    loop_.Run(
        [&] {
          Init(*client);
          if (!waits) loop_.Turn();
        },
        [&] {
          error = TakeNext(*server, *client);
          return error != UV_EAGAIN || !waits;
        });
    if (error < 0) return Discard(*client, ToError(error));
    return Keep(client);
  }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    Result<std::optional<ip::Endpoint>> peer = {std::nullopt};
    loop_.Run([&] { peer = AddressOf(*tcp, &uv_tcp_getpeername); });
    if (ErrnoOf(peer) == ENOTCONN) return {std::nullopt};
    return peer;
  }

  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    return LocalAddrOf(*Find(socket));
  }

  Result<size_t> Send(Handle socket, absl::string_view data) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    // libuv does not write to the buffer.
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(data.data()),
                                        static_cast<unsigned>(data.size()));
    return tcp->blocking ? Write(*tcp, buffer) : TryWrite(*tcp, buffer);
  }

  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    Reading reading = {.buffer = buffer};
    loop_.Run(
        [&] {
          if (!tcp->blocking) loop_.Turn();
          StartReading(*tcp, reading);
          if (tcp->blocking || reading.result) return;
          loop_.Turn();
          if (reading.result) return;
          uv_read_stop(tcp->stream());
          reading.result = UV_EAGAIN;
        },
        [&] { return reading.result.has_value(); });
    if (reading.result == UV_EOF) return size_t{0};
    return ToCount(*reading.result);
  }

  Result<Done> Shutdown(Handle socket, int how) override {
    if (how != SHUT_WR) {
      return Unsupported{"shuts down the sending direction only"};
    }
    const std::shared_ptr<Tcp> tcp = Find(socket);
    std::optional<int> status;
    uv_shutdown_t request = {};
    request.data = &status;
    loop_.Run(
        [&] {
          const int error =
              uv_shutdown(&request, tcp->stream(), &OnStatus<uv_shutdown_t>);
          if (error < 0) status = error;
        },
        [&] { return status.has_value(); });
    return ToResult(*status);
  }

  // The callback of uv_tcp_connect() reports the error once. A blocking Connect
  // has already used it.
  Result<Done> PendingError(Handle socket) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    if (!tcp->connect || tcp->blocking) {
      return Unsupported{"has no call that reads SO_ERROR"};
    }
    int status = 0;
    loop_.Run([&] {
      loop_.Turn();
      if (tcp->connected) status = std::exchange(*tcp->connected, 0);
    });
    return ToResult(status);
  }

  Result<Done> Close(Handle socket) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    Forget(socket);
    loop_.Close(tcp->handle);
    return Done{};
  }

  Result<Handle> Adopt(int fd) override {
    const auto tcp = std::make_shared<Tcp>();
    int error = 0;
    loop_.Run([&] {
      Init(*tcp);
      error = uv_tcp_open(&tcp->handle, fd);
    });
    if (error < 0) return Discard(*tcp, ToError(error));
    return Keep(tcp);
  }

  std::optional<int> NativeHandle(Handle socket) override {
    const std::shared_ptr<Tcp> tcp = Find(socket);
    uv_os_fd_t fd = -1;
    int error = 0;
    loop_.Run([&] {
      error = uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp->handle), &fd);
    });
    if (error < 0) return std::nullopt;
    return fd;
  }

  std::optional<std::string> WhyNoOptionList(
      const ListOnly& parts) const override {
    if (parts.repeated_options) return "takes no list of options";
    // uv_tcp_bind() takes flags of libuv's own.
    if (parts.unknown_flag) return "has no such flags";
    return std::nullopt;
  }

  bool UseSyscalls(Syscalls& sys) override {
    if (call_through_ == nullptr) return false;
    call_through_(sys);
    return true;
  }

 private:
  // These are called inside LibuvLoop::Run().

  void Init(Tcp& tcp) {
    uv_tcp_init(loop_.get(), &tcp.handle);
    tcp.handle.data = &tcp;
  }

  int StartListening(Tcp& tcp, const ip::Endpoint& local,
                     const ListenOptions& options) {
    Init(tcp);
    const ip::SockAddr address(local);
    int error = uv_tcp_bind(&tcp.handle, address.get(), 0);
    if (error == 0 && options.keepalive) {
      error = uv_tcp_keepalive(&tcp.handle, 1, kKeepAliveSeconds);
    }
    const int backlog = options.backlog.value_or(kBacklog);
    if (error == 0) error = uv_listen(tcp.stream(), backlog, &OnConnection);
    tcp.listening = error == 0;
    return error;
  }

  int StartConnecting(Tcp& tcp, const ip::Endpoint& remote,
                      const ConnectOptions& options) {
    Init(tcp);
    const ip::SockAddr address(remote);
    tcp.connect.emplace().data = &tcp;
    const int error =
        uv_tcp_connect(&*tcp.connect, &tcp.handle, address.get(), &OnConnected);
    if (error < 0 || !options.keepalive) return error;
    return uv_tcp_keepalive(&tcp.handle, 1, kKeepAliveSeconds);
  }

  static int TakeNext(Tcp& server, Tcp& client) {
    if (server.accept_errors.empty()) {
      return uv_accept(server.stream(), client.stream());
    }
    const int error = server.accept_errors.front();
    server.accept_errors.pop_front();
    return error;
  }

  static void StartReading(Tcp& tcp, Reading& reading) {
    tcp.reading = &reading;
    const int error = uv_read_start(tcp.stream(), &OnAlloc, &OnRead);
    if (error < 0) reading.result = error;
  }

  // These call LibuvLoop::Run() themselves.

  Result<ip::Endpoint> LocalAddrOf(Tcp& tcp) {
    Result<std::optional<ip::Endpoint>> local = {std::nullopt};
    loop_.Run([&] { local = AddressOf(tcp, &uv_tcp_getsockname); });
    if (!local.ok()) return local.As<ip::Endpoint>();
    if (!local->has_value()) return Error{.text = "not of IP"};
    return **local;
  }

  // Returns the size once everything is written, or the error.
  Result<size_t> Write(Tcp& tcp, const uv_buf_t& buffer) {
    std::optional<int> status;
    uv_write_t request = {};
    request.data = &status;
    loop_.Run(
        [&] {
          const int error = uv_write(&request, tcp.stream(), &buffer, 1,
                                     &OnStatus<uv_write_t>);
          if (error < 0) status = error;
        },
        [&] { return status.has_value(); });
    if (*status < 0) return ToError(*status);
    return buffer.len;
  }

  // Writes as much as the socket takes without waiting.
  Result<size_t> TryWrite(Tcp& tcp, const uv_buf_t& buffer) {
    int written = 0;
    loop_.Run([&] {
      loop_.Turn();
      written = uv_try_write(tcp.stream(), &buffer, 1);
    });
    return ToCount(written);
  }

  Error Discard(Tcp& tcp, Error error) {
    loop_.Close(tcp.handle);
    return error;
  }

  Handle Keep(std::shared_ptr<Tcp> tcp) {
    const MutexLock lock(mutex_);
    const Handle handle{next_++};
    sockets_[handle] = std::move(tcp);
    return handle;
  }

  std::shared_ptr<Tcp> Find(Handle handle) {
    const MutexLock lock(mutex_);
    return sockets_.at(handle);
  }

  void Forget(Handle handle) {
    const MutexLock lock(mutex_);
    sockets_.erase(handle);
  }

  void (*const call_through_)(Syscalls&);
  LibuvLoop loop_;
  Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, std::shared_ptr<Tcp>> sockets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Implementation> MakeLibuv(void (*call_through)(Syscalls&)) {
  return std::make_unique<Libuv>(call_through);
}

std::string LibuvVersion() { return uv_version_string(); }

}  // namespace net::conformance

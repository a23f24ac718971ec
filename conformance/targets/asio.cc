#include "conformance/targets/asio.h"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#define ASIO_STANDALONE 1  // without Boost
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "asio.hpp"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using asio::error_code;
using asio::ip::tcp;

// Options without a name in Asio, defined as its users define them.
using ReusePort =
    asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
using PendingErrorOption =
    asio::detail::socket_option::integer<SOL_SOCKET, SO_ERROR>;

// Errors of the system category are errnos. Asio also has errors of its own.
Error ToError(const error_code& ec) {
  if (ec.category() != asio::error::get_system_category()) {
    return Error{.kind = ErrorKind::kOpaque, .text = ec.message()};
  }
  return Error{.kind = KindOfErrno(ec.value()),
               .error_number = ec.value(),
               .text = ec.message()};
}

Result<Done> ToResult(const error_code& ec) {
  if (ec) return ToError(ec);
  return Done{};
}

tcp::endpoint ToAsio(const ip::Endpoint& endpoint) {
  const ip::SockAddr address(endpoint);
  tcp::endpoint result;
  result.resize(address.size());
  std::memcpy(result.data(), address.get(), address.size());
  return result;
}

// Uses Asio's accessors rather than the bytes, because they are judged, too.
ip::Endpoint FromAsio(const tcp::endpoint& endpoint) {
  const asio::ip::address address = endpoint.address();
  if (address.is_v4()) {
    return {ip::Addr::V4(address.to_v4().to_bytes()), endpoint.port()};
  }
  const asio::ip::address_v6 v6 = address.to_v6();
  return {ip::Addr::V6(v6.to_bytes(), static_cast<uint32_t>(v6.scope_id())),
          endpoint.port()};
}

// Sets an option unless an earlier call failed.
template <typename Socket, typename Option>
void Set(Socket& socket, const Option& option, error_code& ec) {
  if (!ec) socket.set_option(option, ec);
}

void SetOptions(tcp::acceptor& acceptor, const ListenOptions& options,
                error_code& ec) {
  if (options.nonblock && !ec) acceptor.non_blocking(true, ec);
  if (options.keepalive) Set(acceptor, tcp::acceptor::keep_alive(true), ec);
  if (options.reuseaddr) Set(acceptor, tcp::acceptor::reuse_address(true), ec);
  if (options.reuseport) Set(acceptor, ReusePort(true), ec);
}

// A socket is of one of two classes with different operations.
using AnySocket = std::variant<tcp::socket, tcp::acceptor>;

// Thread-safe as Implementation requires: the synchronous operations of one
// socket or acceptor may run concurrently; Close has exclusive access to its
// handle.
class Asio final : public Implementation {
 public:
  explicit Asio(void (*call_through)(Syscalls&)) : call_through_(call_through) {
    // The first socket creates the reactor, whose descriptors live as long as
    // the io_context. Create it here, so that no case seems to leak them.
    const tcp::socket first(io_);
  }

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    const tcp::endpoint endpoint = ToAsio(local);
    error_code ec;
    tcp::acceptor acceptor(io_);
    acceptor.open(endpoint.protocol(), ec);
    SetOptions(acceptor, options, ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(options.backlog.value_or(kDefaultBacklog), ec);
    uint16_t port = 0;
    if (!ec && options.port != nullptr) {
      port = acceptor.local_endpoint(ec).port();
    }
    if (ec) return ToError(ec);
    if (options.port != nullptr) *options.port = port;
    return Keep(std::move(acceptor));
  }

  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    const tcp::endpoint endpoint = ToAsio(remote);
    error_code ec;
    tcp::socket socket(io_);
    socket.open(endpoint.protocol(), ec);
    if (options.nonblock && !ec) socket.non_blocking(true, ec);
    if (options.keepalive) Set(socket, tcp::socket::keep_alive(true), ec);
    if (!ec) socket.connect(endpoint, ec);
    if (ec == asio::error::would_block) ec.clear();  // The attempt goes on.
    if (ec) return ToError(ec);
    return Keep(std::move(socket));
  }

  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    const std::shared_ptr<AnySocket> found = FindToAccept(listener);
    auto* acceptor = std::get_if<tcp::acceptor>(found.get());
    if (acceptor == nullptr) return Unsupported{"a socket cannot accept"};
    error_code ec;
    tcp::socket socket = acceptor->accept(ec);
    if (options.nonblock && !ec) socket.non_blocking(true, ec);
    if (ec) return ToError(ec);
    return Keep(std::move(socket));
  }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle handle) override {
    const std::shared_ptr<AnySocket> found = Find(handle);
    const auto* socket = std::get_if<tcp::socket>(found.get());
    if (socket == nullptr)
      return Unsupported{"an acceptor has no peer address"};
    error_code ec;
    const tcp::endpoint peer = socket->remote_endpoint(ec);
    if (ec == asio::error::not_connected) return {std::nullopt};
    if (ec) return ToError(ec);
    return {FromAsio(peer)};
  }

  Result<ip::Endpoint> LocalAddr(Handle handle) override {
    error_code ec;
    const tcp::endpoint local = std::visit(
        [&](auto& socket) { return socket.local_endpoint(ec); }, *Find(handle));
    if (ec) return ToError(ec);
    return FromAsio(local);
  }

  Result<size_t> Send(Handle handle, absl::string_view data) override {
    const std::shared_ptr<AnySocket> found = Find(handle);
    auto* socket = std::get_if<tcp::socket>(found.get());
    if (socket == nullptr) return Unsupported{"an acceptor cannot send"};
    error_code ec;
    const size_t sent =
        socket->write_some(asio::buffer(data.data(), data.size()), ec);
    if (ec) return ToError(ec);
    return sent;
  }

  Result<size_t> Recv(Handle handle, absl::Span<char> buffer) override {
    const std::shared_ptr<AnySocket> found = Find(handle);
    auto* socket = std::get_if<tcp::socket>(found.get());
    if (socket == nullptr) return Unsupported{"an acceptor cannot receive"};
    error_code ec;
    const size_t received =
        socket->read_some(asio::buffer(buffer.data(), buffer.size()), ec);
    if (ec == asio::error::eof) return size_t{0};
    if (ec) return ToError(ec);
    return received;
  }

  Result<Done> Shutdown(Handle handle, int how) override {
    const std::shared_ptr<AnySocket> found = Find(handle);
    auto* socket = std::get_if<tcp::socket>(found.get());
    if (socket == nullptr) {
      return Unsupported{"an acceptor cannot be shut down"};
    }
    error_code ec;
    socket->shutdown(static_cast<tcp::socket::shutdown_type>(how), ec);
    return ToResult(ec);
  }

  Result<Done> PendingError(Handle handle) override {
    error_code ec;
    PendingErrorOption pending;
    std::visit([&](auto& socket) { socket.get_option(pending, ec); },
               *Find(handle));
    if (!ec) ec.assign(pending.value(), asio::error::get_system_category());
    return ToResult(ec);
  }

  Result<Done> Close(Handle handle) override {
    const std::shared_ptr<AnySocket> found = Find(handle);
    Forget(handle);
    error_code ec;
    std::visit([&](auto& socket) { socket.close(ec); }, *found);
    return ToResult(ec);
  }

  Result<Handle> Adopt(int fd) override {
    error_code ec;
    tcp::socket socket(io_);
    socket.assign(kAdoptedProtocol, fd, ec);
    if (ec) return ToError(ec);
    const Handle handle = Keep(std::move(socket));
    const MutexLock lock(mutex_);
    undecided_.insert({handle, fd});
    return handle;
  }

  std::optional<int> NativeHandle(Handle handle) override {
    return std::visit([](auto& socket) { return socket.native_handle(); },
                      *Find(handle));
  }

  bool UseSyscalls(Syscalls& sys) override {
    if (call_through_ == nullptr) return false;
    call_through_(sys);
    return true;
  }

 private:
  static constexpr int kDefaultBacklog =
      asio::socket_base::max_listen_connections;
  // Asio does not use it once the socket is open.
  inline static const tcp kAdoptedProtocol = tcp::v4();

  Handle Keep(AnySocket socket) {
    const MutexLock lock(mutex_);
    const Handle handle{next_++};
    sockets_[handle] = std::make_shared<AnySocket>(std::move(socket));
    return handle;
  }

  std::shared_ptr<AnySocket> Find(Handle handle) {
    const MutexLock lock(mutex_);
    return sockets_.at(handle);
  }

  // Asio's user has to say whether an adopted descriptor is a socket or an
  // acceptor. It is a socket until the first Accept, and then an acceptor.
  std::shared_ptr<AnySocket> FindToAccept(Handle handle) {
    const MutexLock lock(mutex_);
    std::shared_ptr<AnySocket> found = sockets_.at(handle);
    const auto adopted = undecided_.extract(handle);
    if (adopted.empty()) return found;
    error_code ec;
    std::get<tcp::socket>(*found).release(ec);
    found->emplace<tcp::acceptor>(io_).assign(kAdoptedProtocol,
                                              adopted.mapped(), ec);
    return found;
  }

  void Forget(Handle handle) {
    const MutexLock lock(mutex_);
    sockets_.erase(handle);
    undecided_.erase(handle);
  }

  void (*const call_through_)(Syscalls&);
  asio::io_context io_;
  Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, std::shared_ptr<AnySocket>> sockets_ ABSL_GUARDED_BY(mutex_);
  // Adopted descriptors that may still become acceptors.
  std::map<Handle, int> undecided_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Implementation> MakeAsio(void (*call_through)(Syscalls&)) {
  return std::make_unique<Asio>(call_through);
}

std::string AsioVersion() {
  return absl::StrCat(ASIO_VERSION / 100000, ".", ASIO_VERSION / 100 % 1000,
                      ".", ASIO_VERSION % 100);
}

}  // namespace net::conformance

// A library of sockets (here the system calls themselves), adapted for the
// suite.
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/suite/adapter.h"
#include "conformance/suite/factory.h"
#include "syscalls/net/socket_names.h"

namespace net::conformance {

template <typename T>
Result<T> Answer(ssize_t result, T value) {
  return result < 0 ? Result<T>(ErrorFromErrno(errno)) : value;
}
Result<size_t> Size(ssize_t n) { return Answer(n, static_cast<size_t>(n)); }

struct MySocket {
  int number;
  int fd() const { return number; }
  auto LocalAddr() const { return LocalEndpoint(DefaultSyscalls(), number); }
  auto Send(absl::string_view data) const {
    return Size(send(number, data.data(), data.size(), MSG_NOSIGNAL));
  }
  auto Recv(absl::Span<char> buffer) const {
    return Size(recv(number, buffer.data(), buffer.size(), 0));
  }
  auto Shutdown(int how) const { return Answer(shutdown(number, how), Done()); }
  auto Close() const { return Answer(close(number), Done()); }
};

struct MySockets {
  using Socket = MySocket;

  Result<Socket> Open(ip::Endpoint end, bool plain, auto use) {
    if (!plain) return Unsupported{"has no options"};
    const ip::SockAddr name(end);
    const int fd = socket(end.addr.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return ErrorFromErrno(errno);
    auto made = Answer(use(fd, name.get(), name.size()), Socket{fd});
    if (!made.ok()) close(fd);
    return made;
  }
  auto Listen(ip::Endpoint local, const ListenOptions& options) {
    return Open(local, IsPlain(options), [](int fd, auto... name) {
      return bind(fd, name...) < 0 ? -1 : listen(fd, 10);
    });
  }
  auto Connect(ip::Endpoint remote, const ConnectOptions& options) {
    return Open(remote, IsPlain(options), connect);
  }
  static Result<Socket> Accept(Socket& listener, const AcceptOptions& options) {
    if (!IsPlain(options)) return Unsupported{"has no options"};
    const int fd = accept4(listener.number, nullptr, nullptr, SOCK_CLOEXEC);
    return Answer(fd, Socket{fd});
  }
  static std::optional<ip::Endpoint> PeerAddr(Socket& socket) {
    const auto peer = PeerEndpoint(DefaultSyscalls(), socket.number);
    return peer.ok() ? std::optional(*peer) : std::nullopt;
  }
};

std::unique_ptr<Implementation> MakeImplementation(Syscalls&) {
  return std::make_unique<Adapter<MySockets>>();
}

}  // namespace net::conformance

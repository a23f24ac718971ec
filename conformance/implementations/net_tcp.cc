#include "conformance/implementations/net_tcp.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/implementation.h"
#include "conformance/result.h"
#include "syscalls/endpoint.h"
#include "syscalls/error.h"
#include "syscalls/mutex.h"
#include "syscalls/syscalls.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net::conformance {
namespace {

// A bit that no SockFlags has.
constexpr auto kUnknownFlag = static_cast<SockFlags>(1U << 30);

Error ToError(const absl::Status& status) {
  return Error{.kind = *net::KindOf(status),
               .error_number = net::ErrnoOf(status),
               .text = std::string(status.message())};
}

Result<Done> ToResult(const absl::Status& status) {
  if (!status.ok()) return ToError(status);
  return Done{};
}

template <typename T>
Result<T> ToResult(const absl::StatusOr<T>& result) {
  if (!result.ok()) return ToError(result.status());
  return *result;
}

// The flags that the three option structs have in common.
template <typename Options>
std::vector<SockFlags> ToFlags(const Options& options) {
  std::vector<SockFlags> flags;
  if (options.nonblock) flags.push_back(SockFlags::kNonblock);
  if (options.no_cloexec) flags.push_back(SockFlags::kNoCloexec);
  if (options.unknown_flag) flags.push_back(kUnknownFlag);
  return flags;
}

// In one value, as Accept takes them. Listen and Connect take a list, and get
// each flag as an option of its own: they must or them.
SockFlags Union(const std::vector<SockFlags>& flags) {
  SockFlags all = SockFlags::kNone;
  for (const SockFlags flag : flags) all = all | flag;
  return all;
}

std::vector<tcp::ListenOption> ToNetTcp(const ListenOptions& options) {
  std::vector<tcp::ListenOption> list;
  for (int i = 0; i < options.times; ++i) {
    for (const SockFlags flag : ToFlags(options)) list.emplace_back(flag);
    if (options.keepalive) list.emplace_back(tcp::KeepAlive{});
    if (options.reuseaddr) list.emplace_back(tcp::ReuseAddr{});
    if (options.reuseport) list.emplace_back(tcp::ReusePort{});
  }
  for (uint32_t value : options.backlog) {
    list.emplace_back(tcp::Backlog{value});
  }
  for (uint16_t* port : options.port_assignments) {
    list.emplace_back(tcp::PortAssignment{port});
  }
  return list;
}

std::vector<tcp::ConnectOption> ToNetTcp(const ConnectOptions& options) {
  std::vector<tcp::ConnectOption> list;
  for (int i = 0; i < options.times; ++i) {
    for (const SockFlags flag : ToFlags(options)) list.emplace_back(flag);
    if (options.keepalive) list.emplace_back(tcp::KeepAlive{});
  }
  return list;
}

class NetTcp final : public Implementation {
 public:
  explicit NetTcp(Syscalls& sys) : sys_(&sys) {}

  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return Keep(tcp::Listen(local.addr, local.port, ToNetTcp(options), *sys_));
  }

  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return Keep(
        tcp::Connect(remote.addr, remote.port, ToNetTcp(options), *sys_));
  }

  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return Keep(tcp::Accept(*Find(listener), Union(ToFlags(options))));
  }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    return tcp::PeerAddr(*Find(socket));
  }

  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    return ToResult(Find(socket)->LocalAddr());
  }

  Result<size_t> Send(Handle socket, absl::string_view data) override {
    return ToResult(Find(socket)->Send(data));
  }

  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    return ToResult(Find(socket)->Recv(buffer));
  }

  Result<Done> Shutdown(Handle socket, int how) override {
    return ToResult(Find(socket)->Shutdown(how));
  }

  Result<Done> PendingError(Handle socket) override {
    return ToResult(Find(socket)->PendingError());
  }

  Result<Done> Close(Handle socket) override {
    const std::shared_ptr<Socket> closing = Find(socket);
    const MutexLock lock(mutex_);
    sockets_.erase(socket);
    return ToResult(closing->Close());
  }

  Result<Handle> Adopt(int fd) override { return Keep(Socket(fd, *sys_)); }

  std::optional<int> NativeHandle(Handle socket) override {
    return Find(socket)->fd();
  }

  bool UseSyscalls(Syscalls& sys) override {
    sys_ = &sys;
    return true;
  }

 private:
  Result<Handle> Keep(absl::StatusOr<Socket> socket) {
    if (!socket.ok()) return ToError(socket.status());
    const MutexLock lock(mutex_);
    const Handle handle{next_++};
    sockets_[handle] = std::make_shared<Socket>(*std::move(socket));
    return handle;
  }

  std::shared_ptr<Socket> Find(Handle handle) {
    const MutexLock lock(mutex_);
    return sockets_.at(handle);
  }

  Syscalls* sys_;
  Mutex mutex_;
  uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<Handle, std::shared_ptr<Socket>> sockets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Implementation> MakeNetTcp(Syscalls& sys) {
  return std::make_unique<NetTcp>(sys);
}

}  // namespace net::conformance

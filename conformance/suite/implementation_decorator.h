#ifndef CONFORMANCE_SUITE_IMPLEMENTATION_DECORATOR_H_
#define CONFORMANCE_SUITE_IMPLEMENTATION_DECORATOR_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// An Implementation that passes each operation to another Implementation. The
// base of implementations that observe or change some of the operations.
class ImplementationDecorator : public Implementation {
 public:
  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return target().Listen(local, options);
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return target().Connect(remote, options);
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return target().Accept(listener, options);
  }
  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    return target().PeerAddr(socket);
  }
  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    return target().LocalAddr(socket);
  }
  Result<size_t> Send(Handle socket, absl::string_view data) override {
    return target().Send(socket, data);
  }
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    return target().Recv(socket, buffer);
  }
  Result<Done> Shutdown(Handle socket, int how) override {
    return target().Shutdown(socket, how);
  }
  Result<Done> PendingError(Handle socket) override {
    return target().PendingError(socket);
  }
  Result<Done> Close(Handle socket) override { return target().Close(socket); }
  Result<Handle> Adopt(int fd) override { return target().Adopt(fd); }
  Result<Handle> AdoptThenClose(int fd, Syscalls& sys) override {
    return target().AdoptThenClose(fd, sys);
  }
  std::optional<ip::Endpoint> ReportedEndpoint(Handle listener) override {
    return target().ReportedEndpoint(listener);
  }
  std::optional<int> NativeHandle(Handle socket) override {
    return target().NativeHandle(socket);
  }
  OptionListExtension* option_lists() override {
    return target().option_lists();
  }
  std::optional<std::string> WhyNoOptionList(
      const ListOnly& parts) const override {
    return target().WhyNoOptionList(parts);
  }
  bool UseSyscalls(Syscalls& sys) override { return target().UseSyscalls(sys); }

 protected:
  // Returns the other implementation.
  virtual Implementation& target() const = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_SUITE_IMPLEMENTATION_DECORATOR_H_

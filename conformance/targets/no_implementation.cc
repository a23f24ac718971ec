#include "conformance/targets/no_implementation.h"

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

class NoImplementation final : public Implementation {
 public:
  Result<Handle> Listen(const ip::Endpoint&, const ListenOptions&) override {
    return NoneHere();
  }
  Result<Handle> Connect(const ip::Endpoint&, const ConnectOptions&) override {
    return NoneHere();
  }
  Result<Handle> Accept(Handle, const AcceptOptions&) override {
    return NoneHere();
  }
  Result<std::optional<ip::Endpoint>> PeerAddr(Handle) override {
    return NoneHere();
  }
  Result<ip::Endpoint> LocalAddr(Handle) override { return NoneHere(); }
  Result<size_t> Send(Handle, absl::string_view) override { return NoneHere(); }
  Result<size_t> Recv(Handle, absl::Span<char>) override { return NoneHere(); }
  Result<Done> Shutdown(Handle, int) override { return NoneHere(); }
  Result<Done> PendingError(Handle) override { return NoneHere(); }
  Result<Done> Close(Handle) override { return NoneHere(); }

 private:
  static Unsupported NoneHere() {
    return {"a kernel is judged here, not an implementation"};
  }
};

}  // namespace

std::unique_ptr<Implementation> MakeNoImplementation(Syscalls&) {
  return std::make_unique<NoImplementation>();
}

}  // namespace net::conformance

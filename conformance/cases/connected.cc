#include "conformance/cases/connected.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

Error ToError(const absl::Status& status) {
  return Error{.kind = *net::KindOf(status),
               .error_number = net::ErrnoOf(status),
               .text = std::string(status.message())};
}

}  // namespace

Result<Connected> ConnectToPeer(Context& c, const ConnectOptions& options,
                                const loopback::ListenConfig& peer) {
  const absl::StatusOr<loopback::Listener> listener =
      loopback::ListenAnywhere(c.sys(), c.family(), peer);
  if (!listener.ok()) return ToError(listener.status());
  Result<Sock> sock = c.Connect(listener->endpoint(), options);
  if (!sock.ok()) return sock.As<Connected>();
  absl::StatusOr<loopback::RawSocket> accepted = listener->Accept();
  if (!accepted.ok()) return ToError(accepted.status());
  return Connected{*std::move(sock), *std::move(accepted)};
}

Result<Connected> AcceptPeer(Context& c, const AcceptOptions& options,
                             const loopback::ConnectConfig& peer) {
  const Result<Sock> listener = c.Listen();
  if (!listener.ok()) return listener.As<Connected>();
  const Result<ip::Endpoint> endpoint = listener->LocalEndpoint();
  if (!endpoint.ok()) return endpoint.As<Connected>();
  absl::StatusOr<loopback::RawSocket> client =
      loopback::ConnectTo(c.sys(), *endpoint, peer);
  if (!client.ok()) return ToError(client.status());
  Result<Sock> sock = listener->Accept(options);
  if (!sock.ok()) return sock.As<Connected>();
  return Connected{*std::move(sock), *std::move(client)};
}

Result<Sock> AdoptRaw(Context& c, loopback::RawSocket socket) {
  Result<Sock> adopted = c.Adopt(socket.fd());
  if (adopted.ok()) static_cast<void>(socket.Release());
  return adopted;
}

std::optional<Sock> AdoptPipe(Context& c) {
  std::array<int, 2> ends = {};
  EXPECT_THAT(c.sys().Pipe2(ends.data(), O_CLOEXEC), IsOk());
  const loopback::RawSocket write_end(ends[1], c.sys());
  Result<Sock> adopted = AdoptRaw(c, loopback::RawSocket(ends[0], c.sys()));
  if (adopted.ok()) return *std::move(adopted);
  if (testing::Value(adopted, Fails(ENOTSOCK))) {
    c.Variation("refused_when_adopted");
  } else {
    ADD_FAILURE() << "Adopt must succeed on a pipe, or fail with ENOTSOCK.\n"
                     "  Actual: "
                  << adopted;
  }
  return std::nullopt;
}

Result<Sock> AdoptClosed(Context& c, loopback::RawSocket socket) {
  Result<Sock> adopted = c.AdoptThenClose(socket.fd());
  if (adopted.ok()) static_cast<void>(socket.Release());
  return adopted;
}

Result<Done> WaitFor(Context& c, const Sock& socket, int16_t events) {
  const Result<Witness> witness = socket.Inspect();
  if (!witness.ok()) return witness.As<Done>();
  // The implementation has closed the descriptor. poll(2) ignores a negative
  // number and would block forever.
  if (witness->fd() < 0) return Done{};
  // Released below, because the implementation owns the descriptor.
  loopback::RawSocket view(witness->fd(), c.sys());
  const SysResult ready = view.Wait(events);
  static_cast<void>(view.Release());
  if (!ready.ok()) return ToError(ErrnoError(ready.error(), "poll"));
  return Done{};
}

Result<std::string> RecvOnce(const Sock& socket, size_t room) {
  std::string data(room, '\0');
  const Result<size_t> received = socket.Recv(absl::MakeSpan(data));
  if (!received.ok()) return received.As<std::string>();
  data.resize(*received);
  return data;
}

}  // namespace net::conformance

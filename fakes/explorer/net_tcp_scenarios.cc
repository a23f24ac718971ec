#include "fakes/explorer/net_tcp_scenarios.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/explorer/declaration.h"
#include "fakes/explorer/out_parameter.h"
#include "syscalls/errors/error.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"
#include "tcp/tcp.h"

namespace net {
namespace {

constexpr absl::string_view kMessage = "a message";

// A listener and both ends of a connection.
struct Sockets {
  Socket listener;
  Socket client;
  Socket server;
};

absl::StatusOr<Sockets> Open(const ip::Addr& addr, Syscalls& sys) {
  Sockets sockets;
  OutParameter<uint16_t> port(sys);
  absl::StatusOr<Socket> listener =
      tcp::Listen(addr, 0, {tcp::PortAssignment{port.pointer()}}, sys);
  if (!listener.ok()) return listener.status();
  sockets.listener = *std::move(listener);
  absl::StatusOr<Socket> client = tcp::Connect(addr, port.value(), {}, sys);
  if (!client.ok()) return client.status();
  sockets.client = *std::move(client);
  absl::StatusOr<Socket> server = tcp::Accept(sockets.listener);
  if (!server.ok()) return server.status();
  sockets.server = *std::move(server);
  return sockets;
}

// Closes all. Returns the first error.
absl::Status Close(Sockets& sockets) {
  absl::Status status = sockets.server.Close();
  status.Update(sockets.client.Close());
  status.Update(sockets.listener.Close());
  return status;
}

// Receives as many bytes as the message has.
absl::Status RecvMessage(const Socket& socket) {
  std::array<char, kMessage.size()> data;
  for (size_t had = 0; had < data.size();) {
    const absl::StatusOr<size_t> received =
        socket.Recv(absl::MakeSpan(data).subspan(had));
    if (ErrnoOf(received) == EINTR) continue;
    if (!received.ok()) return received.status();
    if (*received == 0) return absl::DataLossError("the stream ends early");
    had += *received;
  }
  if (absl::string_view(data.data(), data.size()) != kMessage) {
    return absl::DataLossError("another message");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ListenConnectAccept(const ip::Addr& addr, Syscalls& sys) {
  absl::StatusOr<Sockets> sockets = Open(addr, sys);
  if (!sockets.ok()) return sockets.status();
  const absl::StatusOr<ip::Endpoint> peer = sockets->server.PeerAddr();
  if (!peer.ok()) return peer.status();
  return Close(*sockets);
}

absl::Status Echo(const ip::Addr& addr, Syscalls& sys) {
  absl::StatusOr<Sockets> sockets = Open(addr, sys);
  if (!sockets.ok()) return sockets.status();
  absl::Status status = sockets->client.SendAll(kMessage).status;
  if (status.ok()) status = RecvMessage(sockets->server);
  if (status.ok()) status = sockets->server.SendAll(kMessage).status;
  if (status.ok()) status = RecvMessage(sockets->client);
  if (!status.ok()) return status;
  return Close(*sockets);
}

std::vector<Declaration> NetTcpDeclarations() {
  return {Retries(Call::kAccept4, ECONNABORTED)};
}

}  // namespace net

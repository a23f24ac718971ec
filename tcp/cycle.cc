#include "tcp/cycle.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/status/statusor.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

constexpr linger kReset = {.l_onoff = 1, .l_linger = 0};

// Closes both and returns whether both calls succeeded.
bool CloseBoth(int one, int other) {
  const bool closed = ::close(one) == 0;
  return ::close(other) == 0 && closed;
}

}  // namespace

bool RawCycle(int listener, const sockaddr_in& address) {
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client < 0) return false;
  if (::connect(client, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) != 0) {
    ::close(client);
    return false;
  }
  const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (server < 0) {
    ::close(client);
    return false;
  }
  const bool set =
      ::setsockopt(client, SOL_SOCKET, SO_LINGER, &kReset, sizeof(kReset)) == 0;
  return CloseBoth(client, server) && set;
}

bool NetTcpCycle(const Socket& listener, const ip::Endpoint& endpoint) {
  absl::StatusOr<Socket> client = tcp::Connect(endpoint.addr, endpoint.port);
  if (!client.ok()) return false;
  absl::StatusOr<Socket> server = tcp::Accept(listener);
  if (!server.ok()) return false;
  const SysResult set = client->syscalls().SetSockOpt(
      client->fd(), SOL_SOCKET, SO_LINGER, &kReset, sizeof(kReset));
  const bool closed = client->Close().ok();
  return server->Close().ok() && closed && set.ok();
}

}  // namespace net

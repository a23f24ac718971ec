#ifndef FAKES_FAKE_KERNEL_TEST_SOCKETS_H_
#define FAKES_FAKE_KERNEL_TEST_SOCKETS_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "fakes/fake_process.h"
#include "syscalls/net/ip_addr.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

// Sockets for tests of the FakeKernel. Each function throws an exception with
// the text of an error, if a call fails (absl::StatusOr::value()).

namespace net {

inline constexpr uint16_t kPort = 8080;

inline Socket ListenLocally(FakeProcess& process, uint16_t port = kPort) {
  return tcp::Listen(ip::kLocalV4, port, {}, process).value();
}

inline Socket ConnectLocally(FakeProcess& process, uint16_t port = kPort) {
  return tcp::Connect(ip::kLocalV4, port, {}, process).value();
}

// A connection and the listener that accepted it.
struct Connected {
  Socket listener;
  Socket client;
  Socket server;
};

inline Connected ConnectProcesses(FakeProcess& client, FakeProcess& server,
                                  uint16_t port = kPort) {
  Connected all;
  all.listener = ListenLocally(server, port);
  all.client = ConnectLocally(client, port);
  all.server = tcp::Accept(all.listener).value();
  return all;
}

}  // namespace net

#endif  // FAKES_FAKE_KERNEL_TEST_SOCKETS_H_

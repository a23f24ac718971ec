#include "app/greeter.h"

#include "absl/status/statusor.h"

absl::Status GreetOne(net::Socket& listener) {
  absl::StatusOr<net::Socket> client = net::tcp::Accept(listener);
  if (!client.ok()) return client.status();
  return client->SendAll("hello").status;
}

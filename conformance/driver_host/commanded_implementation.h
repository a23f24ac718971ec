#ifndef CONFORMANCE_DRIVER_HOST_COMMANDED_IMPLEMENTATION_H_
#define CONFORMANCE_DRIVER_HOST_COMMANDED_IMPLEMENTATION_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/net/endpoint.h"

namespace net::conformance {

// An implementation that sends commands of the driver protocol
// (conformance/drivers/PROTOCOL.md). Converts operations on a socket to
// commands, and answers to results. A derived class makes the sockets. Methods
// throw DriverError if an answer violates the protocol.
class CommandedImplementation : public Implementation,
                                public OptionListExtension {
 public:
  Result<Handle> Listen(const ip::Endpoint& local,
                        const ListenOptions& options) override {
    return ListenWithList(local, {.options = options});
  }
  Result<Handle> Connect(const ip::Endpoint& remote,
                         const ConnectOptions& options) override {
    return ConnectWithList(remote, {.options = options});
  }
  Result<Handle> Accept(Handle listener,
                        const AcceptOptions& options) override {
    return AcceptWithList(listener, {.options = options});
  }

  // Returns this object: the driver receives option lists, too, and answers
  // `unsupported` to what its API lacks.
  OptionListExtension* option_lists() override { return this; }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override;
  Result<ip::Endpoint> LocalAddr(Handle socket) override;
  Result<size_t> Send(Handle socket, absl::string_view data) override;
  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override;
  Result<Done> Shutdown(Handle socket, int how) override;
  Result<Done> PendingError(Handle socket) override;

 protected:
  using Json = nlohmann::json;

  // Return the commands, without a socket.
  static Result<Json> ListenCommand(const ip::Endpoint& local,
                                    const ListenOptionList& list);
  static Json ConnectCommand(const ip::Endpoint& remote,
                             const ConnectOptionList& list);
  static Json AcceptCommand(const AcceptOptionList& list);

  // Fills the out-parameters of a list from the `ok` of `listen`.
  static void FillPorts(const ListenOptionList& list, const Json& ok);
  static Result<Done> DoneOf(const Result<Json>& ok);

 private:
  // Adds the socket to the command, and carries it out. Returns the `ok`.
  // `blocks_in` is the operation in which the command may block; nullopt if it
  // does not block.
  virtual Result<Json> Do(Handle socket, Json command,
                          std::optional<SocketOperation> blocks_in) = 0;
  // Returns the maximum number of bytes of a `send` or `recv`.
  virtual size_t MostData(Handle socket) = 0;
  // See DriverSockets.
  virtual size_t Offer(Handle socket, size_t size) = 0;
  virtual void NoteSent(Handle socket, size_t offered, size_t taken) = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_COMMANDED_IMPLEMENTATION_H_

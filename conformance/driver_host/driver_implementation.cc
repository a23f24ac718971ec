#include "conformance/driver_host/driver_implementation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/blocked_driver.h"
#include "conformance/driver_host/commanded_implementation.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/operations.h"
#include "conformance/driver_host/passing.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "conformance/suite/witness.h"
#include "nlohmann/json.hpp"
#include "syscalls/net/endpoint.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;
using enum SocketOperation;

// Returns the capabilities (PROTOCOL.md, hello) that a command needs.
std::vector<std::string> CapabilitiesFor(const Json& command) {
  std::vector<std::string> names;
  const std::string name = command.at("command").get<std::string>();
  if (name == "shutdown") {
    names.emplace_back(command.at("how") == "read" ? "shutdown_read"
                                                   : "shutdown");
  }
  if (name == "pending_error" || name == "localaddr" || name == "adopt") {
    names.push_back(name);
  }
  if (const auto options = command.find("options"); options != command.end()) {
    for (const auto& [option, value] : options->items()) {
      names.push_back(option);
    }
  }
  return names;
}

bool MakesSockets(absl::string_view command) {
  return command == "listen" || command == "connect" || command == "accept";
}

// Returns the descriptor's number in the driver, if known.
std::optional<int> NumberOf(const DriverSockets::Entry& entry) {
  if (!entry.descriptor.has_value()) return std::nullopt;
  return entry.descriptor->fd;
}

class DriverImplementation final : public CommandedImplementation {
 public:
  DriverImplementation(std::shared_ptr<DriverSockets> sockets,
                       std::function<void()> abandon)
      : sockets_(std::move(sockets)), abandon_(std::move(abandon)) {}

  Result<Handle> ListenWithList(const ip::Endpoint& local,
                                const ListenOptionList& list) override {
    const Result<Json> command = ListenCommand(local, list);
    if (!command.ok()) return command.As<Handle>();
    const std::shared_ptr<Driver> driver = sockets_->driver();
    const Result<Json> ok = Do(*driver, *command);
    if (!ok.ok()) return ok.As<Handle>();
    const uint16_t port = PortIn(*ok, "port");
    const Handle handle =
        Keep(driver, *command, *ok, ip::Endpoint{local.addr, port});
    if (Result<Done> checked = CheckPort(handle, port); !checked.ok()) {
      static_cast<void>(Close(handle));
      return checked.As<Handle>();
    }
    FillPorts(list, *ok);
    return handle;
  }

  Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                 const ConnectOptionList& list) override {
    const Json command = ConnectCommand(remote, list);
    const std::shared_ptr<Driver> driver = sockets_->driver();
    const Result<Json> ok = Do(*driver, command, {kConnect, std::nullopt});
    if (!ok.ok()) return ok.As<Handle>();
    return Keep(driver, command, *ok);
  }

  Result<Handle> AcceptWithList(Handle listener,
                                const AcceptOptionList& list) override {
    const DriverSockets::Entry entry = sockets_->Find(listener);
    Json command = AcceptCommand(list);
    command["socket"] = entry.number;
    const Result<Json> ok =
        Do(*entry.driver, command, {kAccept, NumberOf(entry)});
    if (!ok.ok()) return ok.As<Handle>();
    return Keep(entry.driver, command, *ok);
  }

  Result<Done> Close(Handle socket) override {
    const DriverSockets::Entry entry = sockets_->Find(socket);
    sockets_->Remove(socket);
    return DoneOf(
        Do(*entry.driver, {{"command", "close"}, {"socket", entry.number}}));
  }

  Result<Handle> Adopt(int fd) override {
    return AdoptWith(fd, Json::object());
  }

  Result<Handle> AdoptThenClose(int fd, Syscalls& sys) override {
    static_cast<void>(sys);  // The descriptor to close is the driver's.
    return AdoptWith(fd, {{"closed", true}});
  }

  std::optional<ip::Endpoint> ReportedEndpoint(Handle listener) override {
    return sockets_->Find(listener).reported;
  }

  std::optional<int> NativeHandle(Handle socket) override {
    const std::optional<int> duplicate = sockets_->Duplicate(socket);
    if (duplicate.has_value()) return duplicate;
    // The driver reported a descriptor, and has closed it meanwhile.
    if (sockets_->Find(socket).descriptor.has_value()) return -1;
    return std::nullopt;
  }

 private:
  Result<Handle> AdoptWith(int fd, Json options) {
    const std::shared_ptr<Driver> driver = sockets_->driver();
    const Passing* const passing = driver->session().channel().passing;
    if (passing == nullptr) {
      return Unsupported{
          "no descriptor can be passed to a driver that the user started"};
    }
    const Json command = {{"command", "adopt"},
                          {"options", std::move(options)}};
    passing->Pass(fd);
    const Result<Json> ok = Do(*driver, command);
    passing->TakeBack();
    if (!ok.ok()) return ok.As<Handle>();
    close(fd);  // The driver's implementation owns it now.
    return Keep(driver, command, *ok);
  }

  size_t MostData(Handle socket) override {
    return sockets_->Find(socket).driver->hello().data;
  }
  size_t Offer(Handle socket, size_t size) override {
    return sockets_->Offer(socket, size);
  }
  void NoteSent(Handle socket, size_t offered, size_t taken) override {
    sockets_->NoteSent(socket, offered, taken);
  }

  Result<Json> Do(Handle socket, Json command,
                  std::optional<SocketOperation> blocks_in) override {
    const DriverSockets::Entry entry = sockets_->Find(socket);
    command["socket"] = entry.number;
    return Do(*entry.driver, std::move(command), {blocks_in, NumberOf(entry)});
  }

  // Sends a command, and compares the answer with the capabilities in hello.
  Result<Json> Do(Driver& driver, Json command,
                  const Operation& operation = {}) {
    const Place place(driver, *sockets_, operation, abandon_);
    const std::vector<std::string> names = CapabilitiesFor(command);
    const bool makes_sockets =
        MakesSockets(command.at("command").get<std::string>());
    const auto says_no = [&driver](const std::string& name) {
      const auto& all = driver.hello().capabilities;
      const auto found = all.find(name);
      return found != all.end() && found->second == Hello::Capability::kNo;
    };
    const std::string text = command.dump();
    Answer answer = driver.session().Call(std::move(command));
    if (makes_sockets) sockets_->AscribeNew(driver, text);
    if (const auto* error = std::get_if<Error>(&answer.content)) return *error;
    if (const auto* claim = std::get_if<Unsupported>(&answer.content)) {
      return *claim;
    }
    const auto no = std::find_if(names.begin(), names.end(), says_no);
    if (no != names.end()) {
      return Error{
          .text = absl::StrCat(
              "its hello answers \"no\" to a capability that the driver has: ",
              *no)};
    }
    return std::get<Json>(std::move(answer.content));
  }

  Handle Keep(const std::shared_ptr<Driver>& driver, const Json& command,
              const Json& ok,
              std::optional<ip::Endpoint> reported = std::nullopt) {
    DriverSockets::Entry entry{.driver = driver,
                               .number = NumberIn(ok, "socket"),
                               .reported = reported};
    std::optional<int> descriptor;
    if (ok.contains("descriptor")) {
      descriptor = IntIn(ok, "descriptor", 0);
    }
    // An adopted descriptor may be of any kind.
    if (command.at("command") != "adopt") {
      driver->CheckSocket(descriptor,
                          /*listens=*/command.at("command") == "listen");
    }
    if (descriptor.has_value()) {
      entry.descriptor = driver->view().Identify(*descriptor);
    } else {
      entry.descriptor = sockets_->FindNew(*driver);
    }
    return sockets_->Add(std::move(entry), command.dump());
  }

  // Checks that the reported port is the socket's port.
  Result<Done> CheckPort(Handle listener, uint16_t reported) {
    const std::optional<int> fd = sockets_->Duplicate(listener);
    if (!fd.has_value()) return Done{};
    const auto actual = Witness(DefaultSyscalls(), *fd).LocalEndpoint();
    if (!actual.ok() || actual->port == reported) return Done{};
    return Error{.text = absl::StrCat("the driver reports port ", reported,
                                      ", but its socket listens on ",
                                      actual->ToString())};
  }

  const std::shared_ptr<DriverSockets> sockets_;
  const std::function<void()> abandon_;
};

}  // namespace

std::unique_ptr<Implementation> MakeDriverImplementation(
    std::shared_ptr<DriverSockets> sockets, std::function<void()> abandon) {
  return std::make_unique<DriverImplementation>(std::move(sockets),
                                                std::move(abandon));
}

}  // namespace net::conformance

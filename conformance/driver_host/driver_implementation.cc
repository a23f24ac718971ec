#include "conformance/driver_host/driver_implementation.h"

#include <sys/socket.h>

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

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/blocked_driver.h"
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

template <typename List>
Json CommonOptions(const List& list) {
  Json json = Json::object();
  if (list.options.nonblock) json["nonblock"] = true;
  if (list.options.no_cloexec) json["no_cloexec"] = true;
  if (list.unknown_flag) json["unknown_flag"] = *list.unknown_flag;
  return json;
}

Json ToJson(const AcceptOptionList& list) { return CommonOptions(list); }

Json ToJson(const ConnectOptionList& list) {
  Json json = CommonOptions(list);
  if (list.options.keepalive) json["keepalive"] = true;
  if (list.times > 1) json["times"] = list.times;
  return json;
}

Json ToJson(const ListenOptionList& list) {
  Json json = CommonOptions(list);
  if (list.options.keepalive) json["keepalive"] = true;
  if (list.options.reuseaddr) json["reuseaddr"] = true;
  if (list.options.reuseport) json["reuseport"] = true;
  if (list.times > 1) json["times"] = list.times;
  const std::vector<uint32_t> backlogs = BacklogsOf(list);
  if (backlogs.size() == 1) json["backlog"] = backlogs[0];
  if (backlogs.size() > 1) json["backlogs"] = backlogs;
  // A single port is the answer's member `port`, in any language.
  const size_t ports = PortsOf(list).size();
  if (ports > 1) json["ports"] = ports;
  return json;
}

const char* HowName(int how) {
  if (how == SHUT_RD) return "read";
  return how == SHUT_WR ? "write" : "both";
}

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

class DriverImplementation final : public Implementation,
                                   public OptionListExtension {
 public:
  DriverImplementation(std::shared_ptr<DriverSockets> sockets,
                       std::function<void()> abandon)
      : sockets_(std::move(sockets)), abandon_(std::move(abandon)) {}

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

  // The driver gets option lists, too, and answers for its API.
  OptionListExtension* option_lists() override { return this; }

  Result<Handle> ListenWithList(const ip::Endpoint& local,
                                const ListenOptionList& list) override {
    if (ListOnlyPartsOf(list).null_port) {
      return Unsupported{"the protocol has no null pointers"};
    }
    const Json command = {{"command", "listen"},
                          {"address", local.addr.ToString()},
                          {"port", local.port},
                          {"options", ToJson(list)}};
    const std::shared_ptr<Driver> driver = sockets_->driver();
    const Result<Json> ok = Do(*driver, command);
    if (!ok.ok()) return ok.As<Handle>();
    const uint16_t port = PortIn(*ok, "port");
    const Handle handle =
        Keep(driver, command, *ok, ip::Endpoint{local.addr, port});
    if (Result<Done> checked = CheckPort(handle, port); !checked.ok()) {
      static_cast<void>(Close(handle));
      return checked.As<Handle>();
    }
    return FillPorts(PortsOf(list), *ok, handle);
  }

  Result<Handle> ConnectWithList(const ip::Endpoint& remote,
                                 const ConnectOptionList& list) override {
    const Json command = {{"command", "connect"},
                          {"address", remote.addr.ToString()},
                          {"port", remote.port},
                          {"options", ToJson(list)}};
    const std::shared_ptr<Driver> driver = sockets_->driver();
    const Result<Json> ok = Do(*driver, command, {kConnect, std::nullopt});
    if (!ok.ok()) return ok.As<Handle>();
    return Keep(driver, command, *ok);
  }

  Result<Handle> AcceptWithList(Handle listener,
                                const AcceptOptionList& list) override {
    const DriverSockets::Entry entry = sockets_->Find(listener);
    const Json command = {{"command", "accept"},
                          {"socket", entry.number},
                          {"options", ToJson(list)}};
    const Result<Json> ok =
        Do(*entry.driver, command, {kAccept, NumberOf(entry)});
    if (!ok.ok()) return ok.As<Handle>();
    return Keep(entry.driver, command, *ok);
  }

  Result<std::optional<ip::Endpoint>> PeerAddr(Handle socket) override {
    const Result<Json> ok = Do(socket, {{"command", "peeraddr"}});
    if (!ok.ok()) return ok.As<std::optional<ip::Endpoint>>();
    const auto endpoint = ok->find("endpoint");
    if (endpoint == ok->end()) {
      throw DriverError("the driver answered peeraddr without `endpoint`");
    }
    if (endpoint->is_null()) return std::optional<ip::Endpoint>();
    return std::optional<ip::Endpoint>(EndpointFrom(*endpoint));
  }

  Result<ip::Endpoint> LocalAddr(Handle socket) override {
    const Result<Json> ok = Do(socket, {{"command", "localaddr"}});
    if (!ok.ok()) return ok.As<ip::Endpoint>();
    return EndpointFrom(ok->value("endpoint", Json()));
  }

  Result<size_t> Send(Handle socket, absl::string_view data) override {
    data = data.substr(0, sockets_->Offer(socket, data.size()));
    const Result<Json> ok =
        Do(socket, {{"command", "send"}, {"data", absl::Base64Escape(data)}},
           kSend);
    if (!ok.ok()) return ok.As<size_t>();
    const uint64_t sent = NumberIn(*ok, "sent");
    if (sent > data.size()) {
      throw DriverError(absl::StrCat("the driver answered that it sent ", sent,
                                     " bytes of ", data.size()));
    }
    sockets_->NoteSent(socket, data.size(), sent);
    return sent;
  }

  Result<size_t> Recv(Handle socket, absl::Span<char> buffer) override {
    const size_t most =
        std::min(buffer.size(), sockets_->Find(socket).driver->hello().data);
    const Result<Json> ok =
        Do(socket, {{"command", "recv"}, {"size", most}}, kReceive);
    if (!ok.ok()) return ok.As<size_t>();
    std::string data;
    if (!absl::Base64Unescape(TextIn(*ok, "data"), &data)) {
      throw DriverError(
          "the driver answered recv with `data` that is not Base64");
    }
    if (data.size() > most) {
      throw DriverError(absl::StrCat("the driver answered recv with ",
                                     data.size(), " bytes; at most ", most,
                                     " were asked for"));
    }
    std::copy(data.begin(), data.end(), buffer.begin());
    return data.size();
  }

  Result<Done> Shutdown(Handle socket, int how) override {
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
      return Unsupported{"the protocol shuts down read, write or both"};
    }
    return DoneOf(Do(socket, {{"command", "shutdown"}, {"how", HowName(how)}}));
  }

  Result<Done> PendingError(Handle socket) override {
    return DoneOf(Do(socket, {{"command", "pending_error"}}));
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

  static Result<Done> DoneOf(const Result<Json>& ok) {
    if (!ok.ok()) return ok.As<Done>();
    return Done{};
  }

  Result<Json> Do(Handle socket, Json command,
                  std::optional<SocketOperation> blocks_in = std::nullopt) {
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

  // Fills the out-parameters that were given.
  static Result<Handle> FillPorts(const std::vector<uint16_t*>& wanted,
                                  const Json& ok, Handle listener) {
    if (wanted.size() == 1) *wanted[0] = PortIn(ok, "port");
    if (wanted.size() > 1) {
      const std::vector<uint16_t> ports = PortsIn(ok, "ports", wanted.size());
      for (size_t i = 0; i < wanted.size(); ++i) *wanted[i] = ports[i];
    }
    return listener;
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

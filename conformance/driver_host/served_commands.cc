#include "conformance/driver_host/served_commands.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/mutex.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/net/socket_names.h"
#include "syscalls/syscalls.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// Returns the options of a command, or a claim if it has one that is not in
// `known`.
Result<Json> OptionsOf(const Json& command,
                       std::initializer_list<absl::string_view> known) {
  Json options = command.value("options", Json::object());
  for (const auto& [name, value] : options.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Unsupported{absl::StrCat(command.at("command").get<std::string>(),
                                      " has no option `", name,
                                      "` in version 1 of the protocol")};
    }
  }
  return options;
}

// Fills the parts that the three lists share.
template <typename List>
List ListFrom(const Json& options) {
  List list;
  list.options.nonblock = options.value("nonblock", false);
  list.options.no_cloexec = options.value("no_cloexec", false);
  if (options.contains("unknown_flag")) {
    list.unknown_flag = options.at("unknown_flag").get<uint32_t>();
  }
  if constexpr (!std::is_same_v<List, AcceptOptionList>) {
    list.options.keepalive = options.value("keepalive", false);
    list.times = options.value("times", 1);
  }
  return list;
}

ListenOptionList ListenListFrom(const Json& options) {
  auto list = ListFrom<ListenOptionList>(options);
  list.options.reuseaddr = options.value("reuseaddr", false);
  list.options.reuseport = options.value("reuseport", false);
  list.backlogs = options.value("backlogs", std::vector<uint32_t>());
  if (options.contains("backlog")) {
    const auto backlog = options.at("backlog").get<uint32_t>();
    if (backlog <= INT_MAX) {
      list.options.backlog = static_cast<int>(backlog);
    } else {
      list.backlogs.push_back(backlog);
    }
  }
  return list;
}

ip::Endpoint EndpointOf(const Json& command) {
  const auto text = command.at("address").get<std::string>();
  const std::optional<ip::Addr> addr = ip::Addr::Parse(text);
  if (!addr.has_value()) {
    throw std::invalid_argument(absl::StrCat("not an IP address: ", text));
  }
  return {*addr, command.at("port").get<uint16_t>()};
}

Json ToJson(const std::optional<ip::Endpoint>& endpoint) {
  if (!endpoint.has_value()) return {{"endpoint", nullptr}};
  return {{"endpoint",
           {{"address", endpoint->addr.ToString()}, {"port", endpoint->port}}}};
}

// The members of the `ok` of an operation that returns nothing.
Result<Json> ToJson(const Result<Done>& done) {
  if (!done.ok()) return done.As<Json>();
  return Json::object();
}

Json ToJson(const Error& error) {
  Json json = {{"text", error.text}, {"kind", KindName(error.kind)}};
  if (error.error_number.has_value()) {
    json["errno"] = ErrnoSymbol(*error.error_number);
    json.erase("kind");
  }
  return json;
}

// Receives the descriptor that the runner passed (unix(7), SCM_RIGHTS). Fails
// if the user has started this driver.
Result<int> ReceiveDescriptor() {
  const char* const from = std::getenv("CONFORMANCE_ADOPT_FD");
  if (from == nullptr) return Unsupported{"CONFORMANCE_ADOPT_FD is not set"};
  char byte = 0;
  iovec data = {.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got =
      recvmsg(std::atoi(from), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* const item = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (item == nullptr) throw std::runtime_error("no descriptor was passed");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(item), sizeof(fd));
  return fd;
}

int HowFrom(const std::string& how) {
  if (how == "read") return SHUT_RD;
  if (how == "write") return SHUT_WR;
  if (how == "both") return SHUT_RDWR;
  throw std::invalid_argument(absl::StrCat("unknown `how`: ", how));
}

}  // namespace

class ServedCommands::Operation {
 public:
  // Throws std::out_of_range if there is no such socket.
  Operation(ServedCommands& commands, uint64_t number)
      : commands_(commands), number_(number) {
    const MutexLock lock(commands_.mutex_);
    Socket& socket = commands_.sockets_.at(number);
    ++socket.operations;
    handle_ = socket.handle;
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() {
    const MutexLock lock(commands_.mutex_);
    --commands_.sockets_[number_].operations;
    commands_.operation_ended_.NotifyAll();
  }

  Handle handle() const { return handle_; }

 private:
  ServedCommands& commands_;
  const uint64_t number_;
  Handle handle_;
};

Json ServedCommands::Answer(const Json& command) {
  Json answer = {{"id", command.at("id")}};
  try {
    const Result<Json> result =
        Run(command.at("command").get<std::string>(), command);
    if (const Unsupported* claim = result.unsupported()) {
      answer["unsupported"] = {{"reason", claim->reason}};
    } else if (const Error* error = result.error()) {
      answer["error"] = ToJson(*error);
    } else {
      answer["ok"] = *result;
    }
  } catch (const std::exception& fault) {
    answer["internal"] = {{"text", fault.what()}};
  } catch (...) {
    answer["internal"] = {{"text",
                           "the implementation threw something that is no "
                           "std::exception"}};
  }
  return answer;
}

Result<Json> ServedCommands::Run(const std::string& name, const Json& command) {
  if (name == "hello") return Hello(command);
  if (name == "listen") return Listen(command);
  if (name == "connect") return Connect(command);
  if (name == "adopt") return Adopt(command);
  if (name == "reset") return Reset();
  if (name == "bye") return Json::object();
  if (!command.contains("socket")) {
    return Unsupported{absl::StrCat("no command `", name, "`")};
  }
  const auto number = command.at("socket").get<uint64_t>();
  if (name == "close") return Close(number);
  const Operation operation(*this, number);
  if (name == "accept") return Accept(operation.handle(), command);
  return OnSocket(name, operation.handle(), command);
}

Result<Json> ServedCommands::Hello(const Json& command) const {
  const auto versions = command.at("versions").get<std::vector<int>>();
  if (std::find(versions.begin(), versions.end(), 1) == versions.end()) {
    return Unsupported{"speaks version 1"};
  }
  return Json{{"version", 1},
              {"name", name_},
              {"implementation_version", version_},
              {"language", "C++"},
              {"pid", getpid()},
              {"signal", "SIGUSR2"}};
}

Result<Json> ServedCommands::Listen(const Json& command) {
  Result<Json> options = OptionsOf(
      command, {"nonblock", "no_cloexec", "keepalive", "reuseaddr", "reuseport",
                "backlog", "times", "backlogs", "ports", "unknown_flag"});
  if (!options.ok()) return options;
  ListenOptionList list = ListenListFrom(*options);
  const ListOnly parts = ListOnlyPartsOf(list);
  std::vector<uint16_t> ports(options->value("ports", size_t{1}));
  const bool is_plain = !parts.unknown_flag && !parts.repeated_options &&
                        list.backlogs.empty() && ports.size() == 1;
  if (is_plain) {
    list.options.port = ports.data();
  } else {
    for (uint16_t& port : ports) list.ports.push_back(&port);
  }
  const ip::Endpoint local = EndpointOf(command);
  Result<Handle> listener =
      is_plain ? implementation_->Listen(local, list.options)
               : conformance::ListenWithList(*implementation_, local, list);
  if (is_plain && listener.unsupported() != nullptr) {
    // Perhaps it is the port that Listen does not report.
    list.options.port = nullptr;
    listener = implementation_->Listen(local, list.options);
    const Result<uint16_t> port = PortOf(listener, local.port);
    if (!port.ok()) {
      if (listener.ok()) static_cast<void>(implementation_->Close(*listener));
      return port.As<Json>();
    }
    ports.at(0) = *port;
  }
  Result<Json> ok = Keep(listener);
  if (!ok.ok()) return ok;
  (*ok)["port"] = ports.at(0);
  (*ok)["ports"] = ports;
  return ok;
}

Result<uint16_t> ServedCommands::PortOf(const Result<Handle>& listener,
                                        uint16_t requested) {
  if (!listener.ok()) return listener.As<uint16_t>();
  const std::optional<int> fd = implementation_->NativeHandle(*listener);
  if (!fd.has_value()) return requested;
  const auto local = LocalEndpoint(DefaultSyscalls(), *fd);
  if (local.ok()) return local->port;
  return Error{.kind = *net::KindOf(local.status()),
               .error_number = net::ErrnoOf(local.status()),
               .text = std::string(local.status().message())};
}

Result<Json> ServedCommands::Connect(const Json& command) {
  Result<Json> options = OptionsOf(
      command,
      {"nonblock", "no_cloexec", "keepalive", "times", "unknown_flag"});
  if (!options.ok()) return options;
  const auto list = ListFrom<ConnectOptionList>(*options);
  const ListOnly parts = ListOnlyPartsOf(list);
  const ip::Endpoint remote = EndpointOf(command);
  if (!parts.unknown_flag && !parts.repeated_options) {
    return Keep(implementation_->Connect(remote, list.options));
  }
  return Keep(conformance::ConnectWithList(*implementation_, remote, list));
}

Result<Json> ServedCommands::Accept(Handle listener, const Json& command) {
  Result<Json> options =
      OptionsOf(command, {"nonblock", "no_cloexec", "unknown_flag"});
  if (!options.ok()) return options;
  const auto list = ListFrom<AcceptOptionList>(*options);
  if (!list.unknown_flag.has_value()) {
    return Keep(implementation_->Accept(listener, list.options));
  }
  return Keep(conformance::AcceptWithList(*implementation_, listener, list));
}

Result<Json> ServedCommands::Adopt(const Json& command) {
  Result<Json> options = OptionsOf(command, {"closed"});
  if (!options.ok()) return options;
  const Result<int> fd = ReceiveDescriptor();
  if (!fd.ok()) return fd.As<Json>();
  const bool closed = options->value("closed", false);
  const Result<Handle> adopted =
      closed ? implementation_->AdoptThenClose(*fd, DefaultSyscalls())
             : implementation_->Adopt(*fd);
  if (!adopted.ok()) close(*fd);
  return Keep(adopted);
}

Result<Json> ServedCommands::OnSocket(const std::string& name, Handle socket,
                                      const Json& command) {
  Result<Json> options = OptionsOf(command, {});
  if (!options.ok()) return options;
  if (name == "peeraddr") {
    const auto peer = implementation_->PeerAddr(socket);
    if (!peer.ok()) return peer.As<Json>();
    return ToJson(*peer);
  }
  if (name == "localaddr") {
    const auto local = implementation_->LocalAddr(socket);
    if (!local.ok()) return local.As<Json>();
    return ToJson(std::optional(*local));
  }
  if (name == "send") {
    std::string data;
    if (!absl::Base64Unescape(command.at("data").get<std::string>(), &data)) {
      throw std::invalid_argument("`data` is not Base64");
    }
    const Result<size_t> sent = implementation_->Send(socket, data);
    if (!sent.ok()) return sent.As<Json>();
    return Json{{"sent", *sent}};
  }
  if (name == "recv") {
    std::string data(command.at("size").get<size_t>(), '\0');
    const Result<size_t> received =
        implementation_->Recv(socket, absl::MakeSpan(data.data(), data.size()));
    if (!received.ok()) return received.As<Json>();
    data.resize(*received);
    return Json{{"data", absl::Base64Escape(data)}};
  }
  if (name == "shutdown") {
    return ToJson(implementation_->Shutdown(
        socket, HowFrom(command.at("how").get<std::string>())));
  }
  if (name == "pending_error") {
    return ToJson(implementation_->PendingError(socket));
  }
  return Unsupported{absl::StrCat("no command `", name, "`")};
}

Result<Json> ServedCommands::Close(uint64_t number) {
  return ToJson(implementation_->Close(Take(number)));
}

Result<Json> ServedCommands::Reset() {
  std::map<uint64_t, Socket> open;
  {
    const MutexLock lock(mutex_);
    open = sockets_;
  }
  Json closed = Json::array();
  for (const auto& [number, socket] : open) {
    closed.push_back(number);
    // Wakes the threads that are blocked in the socket. It need not succeed.
    if (socket.operations > 0) {
      static_cast<void>(implementation_->Shutdown(socket.handle, SHUT_RDWR));
    }
    static_cast<void>(implementation_->Close(Take(number)));
  }
  return Json{{"closed", std::move(closed)}};
}

Result<Json> ServedCommands::Keep(const Result<Handle>& handle) {
  if (!handle.ok()) return handle.As<Json>();
  Json ok = Json::object();
  if (const auto fd = implementation_->NativeHandle(*handle)) {
    ok["descriptor"] = *fd;
  }
  const MutexLock lock(mutex_);
  sockets_[++last_] = {.handle = *handle};
  ok["socket"] = last_;
  return ok;
}

Handle ServedCommands::Take(uint64_t number) {
  const MutexLock lock(mutex_);
  Socket& socket = sockets_.at(number);
  while (socket.operations > 0) operation_ended_.Wait(mutex_);
  const Handle handle = socket.handle;
  sockets_.erase(number);
  return handle;
}

}  // namespace net::conformance

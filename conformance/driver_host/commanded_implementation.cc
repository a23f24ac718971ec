#include "conformance/driver_host/commanded_implementation.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/driver_host/answer.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/option_lists.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

template <typename List>
Json CommonOptions(const List& list) {
  Json json = Json::object();
  if (list.options.nonblock) json["nonblock"] = true;
  if (list.options.no_cloexec) json["no_cloexec"] = true;
  if (list.unknown_flag) json["unknown_flag"] = *list.unknown_flag;
  return json;
}

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

}  // namespace

Result<Json> CommandedImplementation::ListenCommand(
    const ip::Endpoint& local, const ListenOptionList& list) {
  if (ListOnlyPartsOf(list).null_port) {
    return Unsupported{"the protocol has no null pointers"};
  }
  return Json{{"command", "listen"},
              {"address", local.addr.ToString()},
              {"port", local.port},
              {"options", ToJson(list)}};
}

Json CommandedImplementation::ConnectCommand(const ip::Endpoint& remote,
                                             const ConnectOptionList& list) {
  return {{"command", "connect"},
          {"address", remote.addr.ToString()},
          {"port", remote.port},
          {"options", ToJson(list)}};
}

Json CommandedImplementation::AcceptCommand(const AcceptOptionList& list) {
  return {{"command", "accept"}, {"options", CommonOptions(list)}};
}

void CommandedImplementation::FillPorts(const ListenOptionList& list,
                                        const Json& ok) {
  const std::vector<uint16_t*> wanted = PortsOf(list);
  if (wanted.size() == 1) *wanted[0] = PortIn(ok, "port");
  if (wanted.size() > 1) {
    const std::vector<uint16_t> ports = PortsIn(ok, "ports", wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) *wanted[i] = ports[i];
  }
}

Result<Done> CommandedImplementation::DoneOf(const Result<Json>& ok) {
  if (!ok.ok()) return ok.As<Done>();
  return Done{};
}

Result<std::optional<ip::Endpoint>> CommandedImplementation::PeerAddr(
    Handle socket) {
  const Result<Json> ok = Do(socket, {{"command", "peeraddr"}}, std::nullopt);
  if (!ok.ok()) return ok.As<std::optional<ip::Endpoint>>();
  const auto endpoint = ok->find("endpoint");
  if (endpoint == ok->end()) {
    throw DriverError("the driver answered peeraddr without `endpoint`");
  }
  if (endpoint->is_null()) return std::optional<ip::Endpoint>();
  return std::optional<ip::Endpoint>(EndpointFrom(*endpoint));
}

Result<ip::Endpoint> CommandedImplementation::LocalAddr(Handle socket) {
  const Result<Json> ok = Do(socket, {{"command", "localaddr"}}, std::nullopt);
  if (!ok.ok()) return ok.As<ip::Endpoint>();
  return EndpointFrom(ok->value("endpoint", Json()));
}

Result<size_t> CommandedImplementation::Send(Handle socket,
                                             absl::string_view data) {
  data = data.substr(0, Offer(socket, data.size()));
  const Result<Json> ok =
      Do(socket, {{"command", "send"}, {"data", absl::Base64Escape(data)}},
         SocketOperation::kSend);
  if (!ok.ok()) return ok.As<size_t>();
  const uint64_t sent = NumberIn(*ok, "sent");
  if (sent > data.size()) {
    throw DriverError(absl::StrCat("the driver answered that it sent ", sent,
                                   " bytes of ", data.size()));
  }
  NoteSent(socket, data.size(), sent);
  return sent;
}

Result<size_t> CommandedImplementation::Recv(Handle socket,
                                             absl::Span<char> buffer) {
  const size_t most = std::min(buffer.size(), MostData(socket));
  const Result<Json> ok = Do(socket, {{"command", "recv"}, {"size", most}},
                             SocketOperation::kReceive);
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

Result<Done> CommandedImplementation::Shutdown(Handle socket, int how) {
  if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR) {
    return Unsupported{"the protocol shuts down read, write or both"};
  }
  return DoneOf(Do(socket, {{"command", "shutdown"}, {"how", HowName(how)}},
                   std::nullopt));
}

Result<Done> CommandedImplementation::PendingError(Handle socket) {
  return DoneOf(Do(socket, {{"command", "pending_error"}}, std::nullopt));
}

}  // namespace net::conformance

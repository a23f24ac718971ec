#include "conformance/driver_host/unrepeatable.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

constexpr absl::string_view kNeedsPeer = "needs a peer of the runner";

// Returns the number with this name; 0 if there is none.
int NumberOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int>()
                                                             : 0;
}

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>()
                                                     : "";
}

// Returns the members of `ok`; null for another answer.
Json OkOf(const Json& answer) {
  const auto found = answer.find("ok");
  return found != answer.end() && found->is_object() ? *found : Json();
}

std::string ErrnoIn(const Json& answer) {
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_object()) return "";
  const std::string symbol = TextOf(*error, "errno");
  return symbol.empty() ? TextOf(*error, "kind") : symbol;
}

// Returns the port in "connect(3, {AF_INET, 127.0.0.1:80}, 16) = 0"; 0 if there
// is none.
int PortIn(absl::string_view call) {
  call = call.substr(0, call.find('}'));
  const size_t colon = call.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos ||
      !absl::SimpleAtoi(call.substr(colon + 1), &port)) {
    return 0;
  }
  return port;
}

// A command with its answer.
// (nlohmann::json's move constructor is noexcept but contains assertions.)
// NOLINTNEXTLINE(bugprone-exception-escape)
struct Exchange {
  Json command;
  Json answer;             // null if there was none
  std::string changed_by;  // the runner's first change before the answer
};

// The listeners and connections of a session.
class Connections {
 public:
  explicit Connections(absl::Span<const RecordedLine> lines) {
    std::string changed_by;
    for (const RecordedLine& line : lines) Add(line, changed_by);
    // Counted after all lines, because an answer may come long after its
    // command. A connect that was never answered counts as a connection.
    for (auto& [id, exchange] : exchanges_) Count(exchange);
  }

  std::map<int, std::string> FindUnrepeatable() const {
    std::map<int, std::string> reasons;
    // In the order of ids, so a command that makes a socket comes before those
    // that name it.
    std::set<int> lost;
    for (const auto& [id, exchange] : exchanges_) {
      const std::string reason = ReasonOf(exchange, lost);
      if (reason.empty()) continue;
      reasons[id] = reason;
      const Json ok = OkOf(exchange.answer);
      if (const int made = NumberOf(ok, "socket"); made != 0) lost.insert(made);
    }
    return reasons;
  }

 private:
  void Add(const RecordedLine& line, std::string& changed_by) {
    const int id = NumberOf(line.message, "id");
    switch (line.kind) {
      case RecordedLine::Kind::kCommand:
        exchanges_[id].command = line.message;
        break;
      case RecordedLine::Kind::kAnswer:
        exchanges_[id].answer = line.message;
        exchanges_[id].changed_by = changed_by;
        break;
      case RecordedLine::Kind::kPeer:
        if (absl::StartsWith(line.text, "connect(")) {
          of_peers_.insert(PortIn(line.text));
        }
        peer_has_bound_ =
            peer_has_bound_ || absl::StartsWith(line.text, "bind(");
        break;
      case RecordedLine::Kind::kChange:
        if (changed_by.empty()) changed_by = line.text;
        break;
    }
  }

  void Count(const Exchange& exchange) {
    const std::string name = TextOf(exchange.command, "command");
    const Json ok = OkOf(exchange.answer);
    if (name == "listen" && !ok.is_null()) {
      const int port = NumberOf(ok, "port");
      ports_[NumberOf(ok, "socket")] = port;
      ++listeners_[port];
    } else if (name == "connect" && ErrnoIn(exchange.answer).empty()) {
      ++connected_[NumberOf(exchange.command, "port")];
    } else if (name == "accept" && !ok.is_null()) {
      const auto port = ports_.find(NumberOf(exchange.command, "socket"));
      if (port != ports_.end()) ++accepted_[port->second];
    }
  }

  static int At(const std::map<int, int>& counts, int port) {
    const auto found = counts.find(port);
    return found == counts.end() ? 0 : found->second;
  }

  // Returns true if connections to the port may come from someone else than the
  // driver, or go to one of several listeners.
  bool IsShared(int port) const {
    return of_peers_.contains(port) || At(listeners_, port) > 1 ||
           At(accepted_, port) > At(connected_, port);
  }

  // Returns the reason why the command cannot be repeated; "" if it can. `lost`
  // are the sockets that will not exist.
  std::string ReasonOf(const Exchange& exchange,
                       const std::set<int>& lost) const {
    if (exchange.answer.is_null()) return "was never answered";
    if (!exchange.changed_by.empty()) {
      return absl::StrCat("needs the runner: ", exchange.changed_by);
    }
    const Json& command = exchange.command;
    const std::string name = TextOf(command, "command");
    const int socket = NumberOf(command, "socket");
    const int port = NumberOf(command, "port");
    if (name == "adopt") return "needs a descriptor of the runner";
    bool needs_peer = lost.contains(socket);
    if (name == "accept") {
      const auto own = ports_.find(socket);
      needs_peer = needs_peer || (own != ports_.end() && IsShared(own->second));
    } else if (name == "connect") {
      const std::string error = ErrnoIn(exchange.answer);
      const bool was_refused = error == "ECONNREFUSED" || error == "refused";
      needs_peer = At(listeners_, port) > 0 ? IsShared(port) : !was_refused;
    } else if (name == "listen") {
      needs_peer =
          port != 0 && peer_has_bound_ && OkOf(exchange.answer).is_null();
    }
    return needs_peer ? std::string(kNeedsPeer) : "";
  }

  std::map<int, Exchange> exchanges_;  // by id, so in order of the commands
  std::map<int, int> ports_;           // of listeners, by socket
  // By port: the numbers of listeners, of connections that the driver made, and
  // of connections that it accepted.
  std::map<int, int> listeners_;
  std::map<int, int> connected_;
  std::map<int, int> accepted_;
  std::set<int> of_peers_;  // ports to which peers connected
  bool peer_has_bound_ = false;
};

}  // namespace

std::map<int, std::string> FindUnrepeatable(
    absl::Span<const RecordedLine> session) {
  return Connections(session).FindUnrepeatable();
}

}  // namespace net::conformance

// net::tcp itself behind the driver protocol (../PROTOCOL.md).

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"
#include "syscalls/endpoint.h"
#include "syscalls/errno_symbol.h"
#include "syscalls/error.h"
#include "syscalls/ip_addr.h"
#include "tcp/options.h"
#include "tcp/sock_flags.h"
#include "tcp/socket.h"
#include "tcp/tcp.h"

namespace net {
namespace {

using Json = nlohmann::ordered_json;

// A bit that no SockFlags has.
constexpr auto kUnknownFlag = static_cast<SockFlags>(1U << 30);

constexpr char kHello[] = R"({"version": 1, "pid": %d,
    "name": "net_tcp", "implementation_version": "0.1.0", "language": "C++",
    "signal": "SIGUSR2", "capabilities": {"descriptors": "yes", "errno": "yes",
    "nonblock": "yes", "no_cloexec": "yes", "keepalive": "yes",
    "reuseaddr": "yes", "reuseport": "yes", "backlog": "yes", "shutdown": "yes",
    "shutdown_read": "yes", "pending_error": "yes"}})";

absl::string_view OptionsOf(const std::string& command) {
  if (command == "accept") return " nonblock no_cloexec unknown_flag ";
  if (command == "connect") {
    return " nonblock no_cloexec unknown_flag keepalive times ";
  }
  if (command != "listen") return "";
  return " nonblock no_cloexec unknown_flag keepalive times reuseaddr "
         "reuseport backlog backlogs ports ";
}

// Why a command is not `ok`: the answer's one member besides `id`.
struct Failure {
  Json answer;
};

Failure Unsupported(const std::string& reason) {
  return {{{"unsupported", {{"reason", reason}}}}};
}

// The empty `ok`, unless it failed.
Json Done(const absl::Status& status) {
  if (status.ok()) return Json::object();
  throw Failure{{{"error",
                  {{"errno", ErrnoSymbol(ErrnoOf(status))},
                   {"text", std::string(status.message())}}}}};
}

template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  Done(result.status());
  return *std::move(result);
}

Json ToJson(const ip::Endpoint& endpoint) {
  return {{"address", endpoint.addr.ToString()}, {"port", endpoint.port}};
}

SockFlags Flags(const Json& options) {
  SockFlags flags = SockFlags::kNone;
  if (options.contains("nonblock")) flags = flags | SockFlags::kNonblock;
  if (options.contains("no_cloexec")) flags = flags | SockFlags::kNoCloexec;
  if (options.contains("unknown_flag")) flags = flags | kUnknownFlag;
  return flags;
}

template <typename Option>
std::vector<Option> Options(const Json& options) {
  std::vector<Option> list;
  for (int i = 0; i < options.value("times", 1); ++i) {
    for (const auto& [name, value] : options.items()) {
      // Each flag on its own: the functions must or them.
      const SockFlags flag = Flags({{name, value}});
      if (flag != SockFlags::kNone) list.emplace_back(flag);
      if (name == "keepalive") list.emplace_back(tcp::KeepAlive{});
      if constexpr (std::is_same_v<Option, tcp::ListenOption>) {
        if (name == "reuseaddr") list.emplace_back(tcp::ReuseAddr{});
        if (name == "reuseport") list.emplace_back(tcp::ReusePort{});
      }
    }
  }
  return list;
}

ip::Addr Address(const Json& command) {
  return ip::Addr::Parse(command.at("address").get<std::string>()).value();
}

class Driver {
 public:
  explicit Driver(FILE* answers) : answers_(answers) {}

  // Answers a command, and tells whether the session goes on.
  bool Serve(const Json& command) {
    const std::string name = command.at("command");
    Json answer;
    try {
      answer["ok"] = Run(name, command);
    } catch (const Failure& failure) {
      answer = failure.answer;
    } catch (const std::exception& fault) {
      answer["internal"] = {{"text", fault.what()}};
    }
    answer["id"] = command.at("id");
    const std::string text = answer.dump();
    const std::lock_guard<std::mutex> lock(writing_);
    absl::FPrintF(answers_, "%d\n%s", text.size(), text);
    std::fflush(answers_);
    return name != "bye" && (name != "hello" || answer.contains("ok"));
  }

 private:
  // What is `ok`. Throws a Failure, or else what is the driver's own fault.
  Json Run(const std::string& name, const Json& command) {
    const Json options = command.value("options", Json::object());
    for (const auto& option : options.items()) {
      if (!absl::StrContains(OptionsOf(name), " " + option.key() + " ")) {
        throw Unsupported(name + " has no option `" + option.key() + "`");
      }
    }
    if (name == "hello") {
      for (const int version : command.at("versions")) {
        if (version == 1) return Json::parse(absl::StrFormat(kHello, getpid()));
      }
      throw Unsupported("speaks version 1");
    }
    if (name == "listen") return Listen(command, options);
    if (name == "connect") {
      return Keep(tcp::Connect(Address(command), command.at("port"),
                               Options<tcp::ConnectOption>(options)));
    }
    if (name == "reset") return Reset();
    if (name == "bye") return Json::object();
    if (!command.contains("socket")) throw Unsupported("no `" + name + "`");
    const uint64_t number = command.at("socket");
    const std::shared_ptr<Socket> socket = Find(number);
    if (name == "accept") return Keep(tcp::Accept(*socket, Flags(options)));
    if (name == "close") {
      const std::lock_guard<std::mutex> lock(mutex_);
      sockets_.erase(number);
      return Done(socket->Close());
    }
    if (name == "peeraddr") {
      const auto peer = tcp::PeerAddr(*socket);
      return {{"endpoint", peer ? ToJson(*peer) : Json()}};
    }
    if (name == "localaddr") {
      return {{"endpoint", ToJson(ValueOf(socket->LocalAddr()))}};
    }
    if (name == "send") {
      std::string data;
      absl::Base64Unescape(command.at("data").get<std::string>(), &data);
      return {{"sent", ValueOf(socket->Send(data))}};
    }
    if (name == "recv") {
      std::string data(command.at("size").get<size_t>(), 0);
      data.resize(ValueOf(socket->Recv(absl::MakeSpan(data))));
      return {{"data", absl::Base64Escape(data)}};
    }
    if (name == "shutdown") {
      const std::string how = command.at("how");
      return Done(socket->Shutdown(how == "read"    ? SHUT_RD
                                   : how == "write" ? SHUT_WR
                                                    : SHUT_RDWR));
    }
    if (name == "pending_error") return Done(socket->PendingError());
    throw Unsupported("no `" + name + "`");
  }

  Json Listen(const Json& command, const Json& options) {
    auto list = Options<tcp::ListenOption>(options);
    auto backlogs = options.value("backlogs", std::vector<uint32_t>());
    if (options.contains("backlog")) backlogs.push_back(options["backlog"]);
    for (const auto value : backlogs) list.emplace_back(tcp::Backlog{value});
    std::vector<uint16_t> ports(options.value("ports", size_t{1}));
    for (uint16_t& port : ports) list.emplace_back(tcp::PortAssignment{&port});
    Json ok = Keep(tcp::Listen(Address(command), command.at("port"), list));
    ok["port"] = ports.at(0);
    if (options.contains("ports")) ok["ports"] = ports;
    return ok;
  }

  Json Keep(absl::StatusOr<Socket> result) {
    Socket socket = ValueOf(std::move(result));
    const std::lock_guard<std::mutex> lock(mutex_);
    const int descriptor = socket.fd();
    sockets_[++last_] = std::make_shared<Socket>(std::move(socket));
    return {{"socket", last_}, {"descriptor", descriptor}};
  }

  std::shared_ptr<Socket> Find(uint64_t number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sockets_.at(number);
  }

  Json Reset() {
    const std::lock_guard<std::mutex> lock(mutex_);
    Json closed = Json::array();
    for (const auto& [number, socket] : sockets_) {
      closed.push_back(number);
      // Wakes the threads that are blocked in it; the last of them closes it.
      socket->Shutdown(SHUT_RDWR).IgnoreError();
    }
    sockets_.clear();
    return {{"closed", closed}};
  }

  std::mutex writing_;
  FILE* const answers_;
  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::shared_ptr<Socket>> sockets_;
};

FILE* Channel(const char* variable, int otherwise, const char* mode) {
  const char* number = std::getenv(variable);
  return fdopen(number == nullptr ? otherwise : std::atoi(number), mode);
}

// The signal interrupts the system calls of commands, and not the reading.
void BlockSignal(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(how, &signals, nullptr);
}

}  // namespace
}  // namespace net

// NOLINTNEXTLINE(bugprone-exception-escape): what is no message ends it
int main() {
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  sigaction(SIGUSR2, &nothing, nullptr);
  net::BlockSignal(SIG_BLOCK);
  FILE* const commands = net::Channel("CONFORMANCE_READ_FD", 0, "rb");
  net::Driver driver(net::Channel("CONFORMANCE_WRITE_FD", 1, "wb"));
  size_t size = 0;
  while (std::fscanf(commands, "%zu", &size) == 1) {
    std::string text(size + 1, 0);  // the newline, too
    if (std::fread(text.data(), 1, text.size(), commands) < text.size()) break;
    const net::Json command = net::Json::parse(text);
    const std::string name = command.at("command");
    if (name == "connect" || name == "accept" || name == "send" ||
        name == "recv") {
      std::thread([&driver, command] {
        net::BlockSignal(SIG_UNBLOCK);
        driver.Serve(command);
      }).detach();
    } else if (!driver.Serve(command)) {
      break;
    }
  }
  std::_Exit(0);  // whatever the other threads are blocked in
}

// net::tcp itself behind the driver protocol (../PROTOCOL.md).

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/errno_symbol.h"
#include "tcp/tcp.h"  // and the types of its interface: StatusOr, SHUT_RD...

namespace net {
namespace {

using Json = nlohmann::ordered_json;
constexpr char kHello[] = R"({"version": 1, "pid": %d, "signal": "SIGUSR2",
    "name": "net_tcp", "implementation_version": "0.1.0", "language": "C++",
    "capabilities": {"descriptors": "yes", "errno": "yes", "nonblock": "yes",
    "no_cloexec": "yes", "keepalive": "yes", "reuseaddr": "yes",
    "reuseport": "yes", "backlog": "yes", "shutdown": "yes",
    "shutdown_read": "yes", "pending_error": "yes"}})";

// Returns an empty `ok`. Throws if not OK, as absl::StatusOr::value() does.
Json Done(const absl::Status& status) {
  if (!status.ok()) throw absl::BadStatusOrAccess(status);
  return Json::object();
}

Json EndpointOf(const std::optional<ip::Endpoint>& at) {
  if (!at) return {{"endpoint", nullptr}};
  return {{"endpoint", {{"address", at->addr.ToString()}, {"port", at->port}}}};
}

// Receives the descriptor that the runner passed (unix(7), SCM_RIGHTS).
int ReceiveDescriptor() {
  char byte = 0;
  iovec data = {&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const char* const from = std::getenv("CONFORMANCE_ADOPT_FD");
  if (!from) Done(absl::UnimplementedError("no CONFORMANCE_ADOPT_FD"));
  const ssize_t got =
      recvmsg(std::atoi(from), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const cmsghdr* const item = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (!item) throw std::runtime_error("no descriptor was passed");
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(item), sizeof(fd));
  return fd;
}

template <typename Option>  // the variant of allowed options
std::vector<Option> Options(Json options) {
  std::vector<Option> list;
  const auto times = options.value("times", size_t{1});
  options.erase("times");
  const auto add = [&](const char* name, const auto& option) {
    if constexpr (requires { Option{option}; }) {
      if (options.erase(name) > 0) list.insert(list.end(), times, option);
    }
  };
  add("nonblock", SockFlags::kNonblock);
  add("no_cloexec", SockFlags::kNoCloexec);
  add("unknown_flag", SockFlags{options.value("unknown_flag", 0U)});
  add("keepalive", tcp::KeepAlive{});
  add("reuseaddr", tcp::ReuseAddr{});
  add("reuseport", tcp::ReusePort{});
  if (!options.empty()) Done(absl::UnimplementedError(options.begin().key()));
  return list;
}

struct Driver {
  // ReturnsErrno a command. The last one of a session ends the process.
  void Serve(const Json& command) {
    const std::string name = command.at("command");
    Json answer = {{"id", command.at("id")}};
    try {
      answer["ok"] = Run(name, command);
    } catch (const absl::BadStatusOrAccess& failure) {
      const std::string text(failure.status().message());
      if (const int error = ErrnoOf(failure.status()); error != 0) {
        answer["error"] = {{"errno", ErrnoSymbol(error)}, {"text", text}};
      } else {
        answer["unsupported"] = {{"reason", text + ": not in version 1"}};
      }
    } catch (const std::exception& fault) {
      answer["internal"] = {{"text", fault.what()}};
    }
    const std::string text = answer.dump();
    const std::lock_guard lock(mutex);
    dprintf(answers, "%zu\n%s", text.size(), text.c_str());
    if (name == "bye" || (name == "hello" && !answer.contains("ok"))) {
      std::_Exit(0);  // does not wait for threads that are blocked
    }
  }

  // Returns the members of `ok`. Each command has some of these members.
  Json Run(const std::string& name, const Json& command) {
    const auto versions = command.value("versions", std::set<int>());
    const auto addr = ip::Addr::Parse(command.value("address", ""));
    const uint16_t port = command.value("port", uint16_t{0});
    std::string data;
    absl::Base64Unescape(command.value("data", ""), &data);
    Json options = command.value("options", Json::object());
    std::shared_ptr<Socket> socket;
    if (command.contains("socket")) {
      const std::lock_guard lock(mutex);
      socket = sockets.at(command["socket"]);
      if (name == "close") sockets.erase(command["socket"]);
    }
    if (name == "listen") {
      std::vector<uint16_t> ports(options.value("ports", size_t{1}));
      auto backlogs = options.value("backlogs", std::vector<uint32_t>());
      if (options.contains("backlog")) backlogs.push_back(options["backlog"]);
      for (auto key : {"ports", "backlog", "backlogs"}) options.erase(key);
      auto list = Options<tcp::ListenOption>(options);
      for (uint16_t& to : ports) list.emplace_back(tcp::PortAssignment{&to});
      for (const uint32_t n : backlogs) list.emplace_back(tcp::Backlog{n});
      Json ok = Keep(tcp::Listen(addr.value(), port, list));
      ok.update({{"port", ports.at(0)}, {"ports", ports}});
      return ok;
    }
    if (name == "connect") {
      const auto list = Options<tcp::ConnectOption>(options);
      return Keep(tcp::Connect(addr.value(), port, list));
    }
    if (name == "accept" && socket != nullptr) {
      SockFlags flags = SockFlags::kNone;
      for (const auto flag : Options<SockFlags>(options)) flags = flags | flag;
      return Keep(tcp::Accept(*socket, flags));
    }
    if (name == "adopt") {
      const int fd = ReceiveDescriptor();
      const bool closed = options.erase("closed") > 0;
      if (closed) close(fd);
      return Keep(Socket(fd, DefaultSyscalls()));
    }
    if (!options.empty()) return Done(absl::UnimplementedError("options"));
    if (name == "hello" && versions.contains(1)) {
      return Json::parse(absl::StrFormat(kHello, getpid()));
    }
    if (name == "reset") {
      const std::lock_guard lock(mutex);
      Json closed = Json::array();
      for (const auto& [number, open] : sockets) {
        closed.push_back(number);
        // Wakes the threads that are blocked in it. The last one closes it.
        open->Shutdown(SHUT_RDWR).IgnoreError();
      }
      sockets.clear();
      return {{"closed", closed}};
    }
    if (name == "bye") return Json::object();
    if (socket == nullptr) return Done(absl::UnimplementedError(name));
    if (name == "close") return Done(socket->Close());
    if (name == "peeraddr") return EndpointOf(tcp::PeerAddr(*socket));
    if (name == "localaddr") return EndpointOf(socket->LocalAddr().value());
    if (name == "send") return {{"sent", socket->Send(data).value()}};
    if (name == "recv") {
      data.resize(command.at("size").get<size_t>());
      data.resize(socket->Recv({data.data(), data.size()}).value());
      return {{"data", absl::Base64Escape(data)}};
    }
    if (name == "shutdown") {
      const std::string how = command.at("how");
      if (how == "both") return Done(socket->Shutdown(SHUT_RDWR));
      return Done(socket->Shutdown(how == "read" ? SHUT_RD : SHUT_WR));
    }
    if (name == "pending_error") return Done(socket->PendingError());
    return Done(absl::UnimplementedError(name));
  }

  Json Keep(absl::StatusOr<Socket> result) {
    auto socket = std::make_shared<Socket>(std::move(result).value());
    const std::lock_guard lock(mutex);
    sockets[++last] = socket;
    return {{"socket", last}, {"descriptor", socket->fd()}};
  }

  const int answers;  // the descriptor for answers
  std::mutex mutex;
  uint64_t last = 0;
  std::map<uint64_t, std::shared_ptr<Socket>> sockets;
};

}  // namespace
}  // namespace net

// NOLINTNEXTLINE(bugprone-exception-escape): a malformed message ends it
int main() {
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  sigaddset(&nothing.sa_mask, SIGUSR2);
  sigaction(SIGUSR2, &nothing, nullptr);
  // It interrupts the system calls of commands, but not reading the channel.
  pthread_sigmask(SIG_BLOCK, &nothing.sa_mask, nullptr);
  const char* const from = std::getenv("CONFORMANCE_READ_FD");
  const char* const to = std::getenv("CONFORMANCE_WRITE_FD");
  if (!from || !to) return EXIT_FAILURE;  // not started by a runner
  FILE* const commands = fdopen(std::atoi(from), "rb");
  net::Driver driver{.answers = std::atoi(to)};
  for (size_t size = 0; std::fscanf(commands, "%zu", &size) == 1;) {
    std::string text(size + 1, 0);  // includes the newline
    if (std::fread(text.data(), 1, text.size(), commands) < text.size()) break;
    // A thread for each command, because any of them may block.
    std::thread([&driver, &nothing, command = net::Json::parse(text)] {
      pthread_sigmask(SIG_UNBLOCK, &nothing.sa_mask, nullptr);
      driver.Serve(command);
    }).detach();
  }
  std::_Exit(0);
}

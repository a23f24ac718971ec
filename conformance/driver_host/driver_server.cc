#include "conformance/driver_host/driver_server.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/frame.h"
#include "conformance/driver_host/served_commands.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// Ends the process. Does not wait for threads that are blocked.
[[noreturn]] void End(int status) {
  std::fflush(nullptr);
  _exit(status);
}

// Returns a descriptor from the environment, or ends the process.
int DescriptorFrom(const char* variable) {
  const char* const text = std::getenv(variable);
  int fd = -1;
  if (text == nullptr || !absl::SimpleAtoi(text, &fd)) {
    std::fprintf(stderr, "%s is not set: no runner has started this driver\n",
                 variable);
    End(EXIT_FAILURE);
  }
  return fd;
}

sigset_t OnlySigusr2() {
  sigset_t signals = {};
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
  return signals;
}

// Gives SIGUSR2 a handler that does nothing, and blocks the signal in this
// thread, which reads the channel.
void HandleSignal() {
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  sigaction(SIGUSR2, &nothing, nullptr);
  const sigset_t signals = OnlySigusr2();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// The end of the channel to which answers are written.
class Answers {
 public:
  explicit Answers(int fd) : fd_(fd) {}

  // The runner may be gone; then the commands end, too.
  void Write(const Json& answer) {
    const std::string frame = EncodeFrame(answer.dump());
    absl::string_view rest = frame;
    const MutexLock lock(mutex_);
    while (!rest.empty()) {
      const ssize_t written = write(fd_, rest.data(), rest.size());
      if (written <= 0) return;
      rest.remove_prefix(static_cast<size_t>(written));
    }
  }

 private:
  const int fd_;
  Mutex mutex_;
};

// Carries out a command, in a thread of its own.
void Serve(const Json& command, ServedCommands& commands, Answers& answers) {
  const sigset_t signals = OnlySigusr2();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  const Json answer = commands.Answer(command);
  // A signal that comes now would interrupt the writing of the answer.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  answers.Write(answer);
  const std::string name = command.at("command").get<std::string>();
  if (name == "bye") End(EXIT_SUCCESS);
  if (name == "hello" && !answer.contains("ok")) End(EXIT_SUCCESS);
}

// Reads the next command. Ends the process at the end of the channel and at
// bytes that are not a frame.
Json ReadCommand(int fd, FrameReader& frames) {
  while (true) {
    const auto message = frames.Next();
    if (!message.ok()) {
      std::fprintf(stderr, "%s\n", message.status().ToString().c_str());
      End(EXIT_FAILURE);
    }
    if (message->has_value()) return Json::parse(**message);
    char buffer[65536];
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got <= 0) End(EXIT_SUCCESS);
    frames.Append({buffer, static_cast<size_t>(got)});
  }
}

}  // namespace

void ServeDriver(const Served& served) {
  const int from = DescriptorFrom("CONFORMANCE_READ_FD");
  Answers answers(DescriptorFrom("CONFORMANCE_WRITE_FD"));
  HandleSignal();
  ServedCommands commands(served.name, served.version, served.make());
  FrameReader frames;
  while (true) {
    std::thread([command = ReadCommand(from, frames), &commands, &answers] {
      Serve(command, commands, answers);
    }).detach();
  }
}

}  // namespace net::conformance

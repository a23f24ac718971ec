#include "conformance/driver_host/recording.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/driver_host/probe.h"
#include "conformance/engine/files.h"
#include "conformance/harness_error.h"
#include "nlohmann/json.hpp"
#include "syscalls/error.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kPatience = absl::Seconds(5);

// One message of a recording.
struct Line {
  bool to_driver = false;
  Json message;
};

// The messages of each trial, in the order of the trials.
using Recording = std::vector<std::pair<std::string, std::vector<Line>>>;

absl::StatusOr<Recording> ReadRecording(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  Recording recording;
  std::map<std::string, size_t> places;
  int number = 0;
  for (const absl::string_view line :
       absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    ++number;
    const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
    if (!json.is_object() || !json.contains("trial") ||
        !json.contains("message")) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": this is no recorded message"));
    }
    const std::string trial = json.value("trial", "");
    const auto [place, is_new] = places.emplace(trial, recording.size());
    if (is_new) recording.emplace_back(trial, std::vector<Line>());
    recording[place->second].second.push_back(
        {.to_driver = json.value("to", "") == "driver",
         .message = json.at("message")});
  }
  return recording;
}

// Replays one trial.
class ReplayedTrial {
 public:
  ReplayedTrial(const DriverCommand& command, std::ostream& out)
      : out_(out), probe_(command, kPatience) {}

  // True if all was answered as then.
  bool Run(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      if (line.to_driver) {
        probe_.SayFrame(Translated(line.message));
      } else if (!Expect(line.message)) {
        return false;
      }
    }
    return same_;
  }

 private:
  // A command with the ports and the sockets of now.
  Json Translated(Json command) const {
    for (const auto& [name, numbers] : numbers_) {
      const auto number = command.find(name);
      if (number == command.end() || !number->is_number_integer()) continue;
      const auto known = numbers.find(number->get<int>());
      if (known != numbers.end()) *number = known->second;
    }
    return command;
  }

  // Hears the answer that was recorded; other answers may come before it. False
  // if there is no point in going on.
  bool Expect(const Json& then) {
    const int id = then.value("id", 0);
    while (!heard_.contains(id)) {
      const absl::StatusOr<std::string> message = probe_.Hear();
      if (!message.ok()) {
        out_ << "  to command " << id << " it answered then: " << then.dump()
             << "\n  now: " << message.status().message() << "\n"
             << probe_.Describe() << "\n";
        return false;
      }
      const Json now = Json::parse(*message, nullptr, false);
      if (!now.is_object()) {
        out_ << "  it answers what is no JSON object: " << *message << "\n";
        return false;
      }
      heard_[now.value("id", 0)] = now;
    }
    Compare(then, heard_[id]);
    return true;
  }

  void Compare(const Json& then, const Json& now) {
    const std::string kind = KindOf(then);
    bool same = kind == KindOf(now);
    if (same && kind == "ok") {
      const Json& old_ok = then.at("ok");
      const Json& new_ok = now.at("ok");
      // Numbers are the driver's own affair.
      for (const char* name : {"port", "socket"}) {
        if (!old_ok.contains(name) || !new_ok.contains(name)) continue;
        numbers_[name][old_ok.value(name, 0)] = new_ok.value(name, 0);
      }
      same = old_ok.value("data", "") == new_ok.value("data", "");
    } else if (same && kind == "error") {
      same = then.at("error").value("errno", "") ==
             now.at("error").value("errno", "");
    }
    if (same) return;
    same_ = false;
    out_ << "  then: " << then.dump() << "\n  now:  " << now.dump() << "\n";
  }

  // Which of the four an answer is; "" if none.
  static std::string KindOf(const Json& answer) {
    for (const char* kind : {"ok", "error", "unsupported", "internal"}) {
      const auto found = answer.find(kind);
      if (found != answer.end() && found->is_object()) return kind;
    }
    return "";
  }

  std::ostream& out_;
  Probe probe_;
  // By the member's name: those of then, to those of now.
  std::map<std::string, std::map<int, int>> numbers_;
  std::map<int, Json> heard_;
  bool same_ = true;
};

}  // namespace

absl::Status StartRecording(const std::string& path,
                            DriverSubjectOptions& options) {
  const int fd = open(
      path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return ErrnoError(errno, absl::StrCat("writing '", path, "'"));
  options.on_frame = [fd](absl::string_view trial, bool sent,
                          absl::string_view message) {
    const Json parsed =
        Json::parse(message.begin(), message.end(), nullptr, false);
    const std::string line =
        Json({{"trial", std::string(trial)},
              {"to", sent ? "driver" : "runner"},
              {"message",
               parsed.is_discarded() ? Json(std::string(message)) : parsed}})
            .dump() +
        "\n";
    // Whole, for trials run at the same time: that is what O_APPEND is for.
    if (write(fd, line.data(), line.size()) !=
        static_cast<ssize_t>(line.size())) {
      throw HarnessError("--record-session: cannot write");
    }
  };
  return absl::OkStatus();
}

absl::StatusOr<bool> Replay(const std::string& path,
                            const DriverCommand& command, std::ostream& out) {
  std::signal(SIGPIPE, SIG_IGN);  // A driver may end while it is spoken to.
  const absl::StatusOr<Recording> recording = ReadRecording(path);
  if (!recording.ok()) return recording.status();
  int different = 0;
  for (const auto& [trial, lines] : *recording) {
    out << trial << std::endl;
    if (!ReplayedTrial(command, out).Run(lines)) ++different;
  }
  out << recording->size() << " sessions, " << different
      << " answered otherwise\n";
  return different == 0;
}

}  // namespace net::conformance

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
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/driver_host/probe.h"
#include "conformance/driver_host/unrepeatable.h"
#include "conformance/engine/files.h"
#include "conformance/suite/harness_error.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/error.h"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// A session with a driver. A trial has one, or more if it was repeated.
struct RecordedSession {
  std::string trial;
  std::vector<RecordedLine> lines;
};

// Returns nullopt if the line is not one of a recording.
std::optional<RecordedLine> LineFrom(const Json& json) {
  if (!json.is_object() || !json.contains("trial")) return std::nullopt;
  if (json.contains("message")) {
    return RecordedLine{.kind = json.value("to", "") == "driver"
                                    ? RecordedLine::Kind::kCommand
                                    : RecordedLine::Kind::kAnswer,
                        .message = json.at("message")};
  }
  for (const auto& [name, kind] :
       {std::pair("peer", RecordedLine::Kind::kPeer),
        std::pair("world", RecordedLine::Kind::kChange)}) {
    const auto text = json.find(name);
    if (text != json.end() && text->is_string()) {
      return RecordedLine{.kind = kind, .message = {}, .text = *text};
    }
  }
  return std::nullopt;
}

bool IsHello(const RecordedLine& line) {
  return line.kind == RecordedLine::Kind::kCommand &&
         line.message.is_object() &&
         line.message.value("command", "") == "hello";
}

// Reads the sessions, in the order in which they began.
absl::StatusOr<std::vector<RecordedSession>> ReadRecording(
    const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  std::vector<RecordedSession> sessions;
  std::map<std::string, size_t> places;
  int number = 0;
  for (const absl::string_view line :
       absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    ++number;
    const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
    std::optional<RecordedLine> recorded = LineFrom(json);
    if (!recorded.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ":", number, ": not a recorded message"));
    }
    const std::string trial = json.value("trial", "");
    if (IsHello(*recorded) || !places.contains(trial)) {
      places[trial] = sessions.size();
      sessions.push_back({.trial = trial, .lines = {}});
    }
    sessions[places[trial]].lines.push_back(*std::move(recorded));
  }
  return sessions;
}

// Replays one trial.
class ReplayedTrial {
 public:
  ReplayedTrial(const DriverCommand& command, std::ostream& out)
      : out_(out), probe_(command) {}

  // Returns true if all compared answers are equal to the recorded ones.
  bool Run(const std::vector<RecordedLine>& lines) {
    const std::map<int, std::string> skipped = FindUnrepeatable(lines);
    PrintSkipped(lines, skipped);
    for (const RecordedLine& line : lines) {
      const bool is_command = line.kind == RecordedLine::Kind::kCommand;
      if (!is_command && line.kind != RecordedLine::Kind::kAnswer) continue;
      if (skipped.contains(IdOf(line.message))) continue;
      if (is_command) {
        probe_.SayFrame(Translated(line.message));
      } else if (!Expect(line.message)) {
        return false;
      } else {
        ++compared_;
      }
    }
    return same_;
  }

  int compared() const { return compared_; }
  int skipped() const { return skipped_; }

 private:
  static int IdOf(const Json& message) {
    return message.is_object() && message.contains("id") &&
                   message.at("id").is_number_integer()
               ? message.at("id").get<int>()
               : 0;
  }

  // Prints the commands that are not sent, by reason: "3 (accept), 4 (recv):
  // needs a peer of the runner; not compared".
  void PrintSkipped(const std::vector<RecordedLine>& lines,
                    const std::map<int, std::string>& skipped) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const RecordedLine& line : lines) {
      const auto found = skipped.find(IdOf(line.message));
      if (line.kind != RecordedLine::Kind::kCommand || found == skipped.end()) {
        continue;
      }
      ++skipped_;
      by_reason[found->second].push_back(absl::StrCat(
          found->first, " (", line.message.value("command", ""), ")"));
    }
    for (const auto& [reason, commands] : by_reason) {
      out_ << "  " << absl::StrJoin(commands, ", ") << ": " << reason
           << "; not compared\n";
    }
  }

  // Returns the command with the ports and sockets of this replay.
  Json Translated(Json command) const {
    for (const auto& [name, numbers] : numbers_) {
      const auto number = command.find(name);
      if (number == command.end() || !number->is_number_integer()) continue;
      const auto known = numbers.find(number->get<int>());
      if (known != numbers.end()) *number = known->second;
    }
    return command;
  }

  // Waits for the answer to the command of a recorded answer, and compares the
  // two. Other answers may arrive before it. Returns false if the replay cannot
  // continue.
  bool Expect(const Json& then) {
    const int id = then.value("id", 0);
    while (!heard_.contains(id)) {
      const absl::StatusOr<std::string> message = probe_.Receive();
      if (!message.ok()) {
        out_ << "  then: " << then.dump()
             << "\n  now:  " << message.status().message() << "\n"
             << probe_.Describe() << "\n";
        return false;
      }
      const Json now = Json::parse(*message, nullptr, false);
      if (!now.is_object()) {
        out_ << "  its answer is not a JSON object: " << *message << "\n";
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
      // A driver may choose other ports and socket numbers.
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

  // Returns which of the four kinds an answer is, or "".
  static std::string KindOf(const Json& answer) {
    for (const char* kind : {"ok", "error", "unsupported", "internal"}) {
      const auto found = answer.find(kind);
      if (found != answer.end() && found->is_object()) return kind;
    }
    return "";
  }

  std::ostream& out_;
  Probe probe_;
  // By the member's name: recorded numbers, with those of this replay.
  std::map<std::string, std::map<int, int>> numbers_;
  std::map<int, Json> heard_;
  bool same_ = true;
  int compared_ = 0;
  int skipped_ = 0;
};

}  // namespace

absl::Status StartRecording(const std::string& path,
                            DriverSubjectOptions& options) {
  const int fd = open(
      path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return ErrnoError(errno, absl::StrCat("writing '", path, "'"));
  const auto write_line = [fd](const Json& json) {
    const std::string line =
        json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    // One write(2), with O_APPEND, because trials run at the same time.
    if (write(fd, line.data(), line.size()) !=
        static_cast<ssize_t>(line.size())) {
      throw HarnessError("--record-session: cannot write");
    }
  };
  options.on_frame = [write_line](absl::string_view trial, bool sent,
                                  absl::string_view message) {
    const Json parsed =
        Json::parse(message.begin(), message.end(), nullptr, false);
    write_line({{"trial", std::string(trial)},
                {"to", sent ? "driver" : "runner"},
                {"message",
                 parsed.is_discarded() ? Json(std::string(message)) : parsed}});
  };
  options.on_action = [write_line](absl::string_view trial,
                                   absl::string_view kind,
                                   absl::string_view text) {
    write_line({{"trial", std::string(trial)},
                {std::string(kind), std::string(text)}});
  };
  return absl::OkStatus();
}

absl::StatusOr<bool> Replay(const std::string& path,
                            const DriverCommand& command, std::ostream& out) {
  std::signal(SIGPIPE, SIG_IGN);  // A driver may end during a write(2).
  const auto recording = ReadRecording(path);
  if (!recording.ok()) return recording.status();
  int different = 0;
  int compared = 0;
  int skipped = 0;
  for (const RecordedSession& session : *recording) {
    out << session.trial << std::endl;
    ReplayedTrial trial(command, out);
    if (!trial.Run(session.lines)) ++different;
    compared += trial.compared();
    skipped += trial.skipped();
  }
  out << recording->size() << " sessions, " << different
      << " answered differently; " << compared << " answers compared, "
      << skipped << " not compared\n";
  return different == 0;
}

}  // namespace net::conformance

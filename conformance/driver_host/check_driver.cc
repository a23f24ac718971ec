#include "conformance/driver_host/check_driver.h"

#include <algorithm>
#include <csignal>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/claimed_process.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/frame.h"
#include "conformance/driver_host/probe.h"
#include "conformance/suite/result.h"
#include "conformance/suite/subject_error.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

using Json = nlohmann::json;

// Returns the next answer.
absl::StatusOr<Answer> HearAnswer(Probe& probe) {
  const absl::StatusOr<std::string> message = probe.Receive();
  if (!message.ok()) return message.status();
  return ParseAnswer(*message);
}

// Sends a command and returns its answer.
absl::StatusOr<Answer> Ask(Probe& probe, const Json& command) {
  probe.SayFrame(command);
  absl::StatusOr<Answer> answer = HearAnswer(probe);
  if (answer.ok() && answer->id != command.at("id").get<uint64_t>()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it answered id ", answer->id, ", but the pending command is id ",
        command.at("id").dump(), " (", command.at("command").get<std::string>(),
        ")"));
  }
  return answer;
}

// Sends a command and returns the members of its `ok`.
absl::StatusOr<Json> AskOk(Probe& probe, const Json& command) {
  absl::StatusOr<Answer> answer = Ask(probe, command);
  if (!answer.ok()) return answer.status();
  if (const auto* ok = std::get_if<Json>(&answer->content)) return *ok;
  return absl::InvalidArgumentError("it did not answer `ok`");
}

const Json kHello = {
    {"id", 1}, {"command", "hello"}, {"versions", {1}}, {"suite", "check"}};

template <typename Kind>
absl::Status Expect(const absl::StatusOr<Answer>& answer,
                    absl::string_view what) {
  if (!answer.ok()) return answer.status();
  if (std::holds_alternative<Kind>(answer->content)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("it did not answer ", what));
}

// Returns the process that an answer to hello names. Throws DriverError.
ClaimedProcess ClaimOf(const Probe& probe, const Json& hello) {
  return ClaimedProcess(HelloFrom(hello), probe.process().channel(),
                        &probe.process());
}

absl::Status Greets(Probe& probe) {
  const absl::StatusOr<Json> ok = AskOk(probe, kHello);
  if (!ok.ok()) return ok.status();
  static_cast<void>(ClaimOf(probe, *ok));
  return absl::OkStatus();
}

absl::Status RefusesOtherVersions(Probe& probe) {
  Json hello = kHello;
  hello["versions"] = {99};
  return Expect<Unsupported>(Ask(probe, hello), "`unsupported`");
}

absl::Status SaysGoodbye(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  const auto ok = AskOk(probe, {{"id", 2}, {"command", "bye"}});
  return ok.ok() ? probe.AwaitEnd() : ok.status();
}

absl::Status EndsWithTheChannel(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  probe.HangUp();
  const absl::Status ended = probe.AwaitEnd();
  // Any exit status is allowed.
  return absl::IsDeadlineExceeded(ended) ? ended : absl::OkStatus();
}

absl::Status KnowsNoOtherCommand(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  return Expect<Unsupported>(Ask(probe, {{"id", 2}, {"command", "teleport"}}),
                             "`unsupported`");
}

absl::Status KnowsNoOtherOption(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  return Expect<Unsupported>(Ask(probe, {{"id", 2},
                                         {"command", "listen"},
                                         {"address", "127.0.0.1"},
                                         {"port", 0},
                                         {"options", {{"colour", "blue"}}}}),
                             "`unsupported`");
}

absl::Status IgnoresOtherMembers(Probe& probe) {
  Json hello = kHello;
  hello["colour"] = {{"shade", "dark"}, {"list", {1, "two", nullptr, true}}};
  const auto ok = AskOk(probe, hello);
  return ok.status();
}

absl::Status KnowsItsSockets(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  return Expect<Internal>(
      Ask(probe, {{"id", 2}, {"command", "peeraddr"}, {"socket", 987654}}),
      "`internal`");
}

absl::Status ReadsLargeFrames(Probe& probe) {
  Json hello = kHello;
  hello["padding"] = std::string(kMaxFrame - 200, 'x');
  return AskOk(probe, hello).status();
}

absl::Status ReadsFramesInPieces(Probe& probe) {
  const std::string frame = EncodeFrame(kHello.dump());
  for (const char& byte : frame) probe.Say({&byte, 1});
  return Expect<Json>(HearAnswer(probe), "`ok`");
}

absl::Status ReadsFramesAtOnce(Probe& probe) {
  Json second = kHello;
  second["id"] = 2;
  probe.Say(EncodeFrame(kHello.dump()) + EncodeFrame(second.dump()));
  absl::Status first = Expect<Json>(HearAnswer(probe), "`ok`");
  if (!first.ok()) return first;
  return Expect<Json>(HearAnswer(probe), "`ok` to the second frame");
}

absl::Status DoesNotHangOnRubbish(Probe& probe) {
  probe.Say("this is no frame\n");
  probe.HangUp();
  const absl::Status ended = probe.AwaitEnd();
  return absl::IsDeadlineExceeded(ended) ? ended : absl::OkStatus();
}

// Asks for a listener and returns the `ok` of listen.
absl::StatusOr<Json> AskToListen(Probe& probe, int id) {
  return AskOk(probe, {{"id", id},
                       {"command", "listen"},
                       {"address", "127.0.0.1"},
                       {"port", 0},
                       {"options", Json::object()}});
}

absl::Status ServesWhileItWaits(Probe& probe) {
  const auto hello = AskOk(probe, kHello);
  if (!hello.ok()) return hello.status();
  if (HelloFrom(*hello).operations == 1U) return absl::OkStatus();
  const auto listener = AskToListen(probe, 2);
  if (!listener.ok()) return listener.status();
  probe.SayFrame({{"id", 3},
                  {"command", "accept"},
                  {"socket", NumberIn(*listener, "socket")},
                  {"options", Json::object()}});
  absl::Status served = AskToListen(probe, 4).status();
  if (served.ok()) return served;
  return absl::Status(served.code(),
                      absl::StrCat(served.message(),
                                   "\nA driver that can hold only one "
                                   "operation at a time must declare it in "
                                   "hello: \"limits\": {\"operations\": 1}"));
}

// Sends several connect commands at once, to listeners of the driver itself. A
// driver whose threads share the variable that holds the command answers one id
// twice.
absl::Status AnswersEachOfManyAtOnce(Probe& probe) {
  const auto hello = AskOk(probe, kHello);
  if (!hello.ok()) return hello.status();
  constexpr uint64_t kMany = 8;
  const uint64_t many = HelloFrom(*hello).operations.value_or(kMany);
  int id = 1;
  std::string frames;
  std::set<uint64_t> waiting;
  for (uint64_t i = 0; i < std::min(many, kMany); ++i) {
    const auto listener = AskToListen(probe, ++id);
    if (!listener.ok()) return listener.status();
    const int connect = 100 + id;
    waiting.insert(static_cast<uint64_t>(connect));
    frames += EncodeFrame(Json({{"id", connect},
                                {"command", "connect"},
                                {"address", "127.0.0.1"},
                                {"port", NumberIn(*listener, "port")},
                                {"options", Json::object()}})
                              .dump());
  }
  probe.Say(frames);
  while (!waiting.empty()) {
    const absl::StatusOr<Answer> answer = HearAnswer(probe);
    absl::Status is_ok = Expect<Json>(answer, "`ok` to connect");
    if (!is_ok.ok()) return is_ok;
    if (waiting.erase(answer->id) == 1) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "it answered id ", answer->id, ", which is not pending; pending: ",
        absl::StrJoin(waiting, ", "), " (do two threads share a variable?)"));
  }
  return absl::OkStatus();
}

absl::Status NamesTheProcessOfItsSockets(Probe& probe) {
  const auto hello = AskOk(probe, kHello);
  if (!hello.ok()) return hello.status();
  const auto listener = AskToListen(probe, 2);
  if (!listener.ok()) return listener.status();
  std::optional<int> descriptor;
  if (listener->contains("descriptor")) {
    descriptor = IntIn(*listener, "descriptor", 0);
  }
  ClaimOf(probe, *hello).CheckSocket(descriptor, /*listens=*/true);
  return absl::OkStatus();
}

absl::Status TellsWhatWasOpen(Probe& probe) {
  if (absl::Status greeted = Greets(probe); !greeted.ok()) return greeted;
  const auto listener = AskToListen(probe, 2);
  if (!listener.ok()) return listener.status();
  const auto reset = AskOk(probe, {{"id", 3}, {"command", "reset"}});
  if (!reset.ok()) return reset.status();
  if (reset->value("closed", Json()) == Json::array({listener->at("socket")})) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "it answered ", reset->dump(), " to reset, but `closed` must be [",
      listener->at("socket").dump(), "], the only open socket"));
}

constexpr struct {
  const char* requirement;
  absl::Status (*run)(Probe& probe);
} kChecks[] = {
    {"answers hello with all required members", Greets},
    {"gives in hello the pid of the process that owns its sockets",
     NamesTheProcessOfItsSockets},
    {"answers `unsupported` to an unknown version of the protocol",
     RefusesOtherVersions},
    {"exits with status 0 after bye", SaysGoodbye},
    {"exits at the end of the channel", EndsWithTheChannel},
    {"answers `unsupported` to an unknown command", KnowsNoOtherCommand},
    {"answers `unsupported` to an unknown option", KnowsNoOtherOption},
    {"ignores unknown members", IgnoresOtherMembers},
    {"answers `internal` to an unknown socket number", KnowsItsSockets},
    {"reads a frame of nearly 1 MiB", ReadsLargeFrames},
    {"reads a frame that arrives byte by byte", ReadsFramesInPieces},
    {"reads two frames that arrive together", ReadsFramesAtOnce},
    {"does not hang on bytes that are not a frame", DoesNotHangOnRubbish},
    {"serves other commands while accept blocks (or declares a limit of 1)",
     ServesWhileItWaits},
    {"answers each of several commands that arrive together",
     AnswersEachOfManyAtOnce},
    {"lists at reset the sockets that were still open", TellsWhatWasOpen},
};

absl::Status RunCheck(absl::Status (*run)(Probe& probe),
                      const DriverCommand& command) {
  Probe probe(command);
  absl::Status result;
  try {
    result = run(probe);
  } catch (const SubjectError& e) {
    result = absl::InvalidArgumentError(e.what());
  }
  if (result.ok()) return result;
  std::string text = absl::StrCat(result.message(), "\n", probe.LastExchange());
  const std::string ending = probe.Describe();
  if (!ending.empty()) absl::StrAppend(&text, "\n", ending);
  return absl::Status(result.code(), text);
}

}  // namespace

bool CheckDriver(const DriverCommand& command, std::ostream& out) {
  // The driver may end while a command is written.
  std::signal(SIGPIPE, SIG_IGN);
  int failed = 0;
  for (const auto& check : kChecks) {
    const absl::Status result = RunCheck(check.run, command);
    out << (result.ok() ? "ok    " : "FAIL  ") << check.requirement << "\n";
    if (result.ok()) continue;
    ++failed;
    out << "      "
        << absl::StrReplaceAll(result.message(), {{"\n", "\n      "}})
        << std::endl;
    if (check.run == Greets) {
      out << "the other checks need this one and were not run\n";
      return false;
    }
  }
  out << (std::size(kChecks) - static_cast<size_t>(failed)) << " ok, " << failed
      << " failed\n";
  return failed == 0;
}

}  // namespace net::conformance

#include "conformance/driver_host/greeting.h"

#include <chrono>
#include <csignal>
#include <ostream>
#include <string>
#include <variant>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/claimed_process.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/probe.h"
#include "conformance/engine/subject.h"
#include "conformance/suite/result.h"
#include "conformance/suite/subject_error.h"
#include "nlohmann/json.hpp"

namespace net::conformance {
namespace {

absl::StatusOr<Hello> ReadHello(Probe& probe) {
  const absl::StatusOr<std::string> message = probe.Receive();
  if (!message.ok()) return message.status();
  const absl::StatusOr<Answer> answer = ParseAnswer(*message);
  if (!answer.ok()) return answer.status();
  if (answer->id != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("it answered id ", answer->id,
                     ", but the pending command is id 1 (hello)"));
  }
  if (const auto* ok = std::get_if<nlohmann::json>(&answer->content)) {
    try {
      Hello hello = HelloFrom(*ok);
      // Throws if hello names a process that is not the driver's.
      const ClaimedProcess process(hello, probe.process().channel(),
                                   &probe.process());
      return hello;
    } catch (const SubjectError& e) {
      return absl::InvalidArgumentError(e.what());
    }
  }
  if (const auto* claim = std::get_if<Unsupported>(&answer->content)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "it does not speak version 1 of the protocol: ", claim->reason));
  }
  return absl::InvalidArgumentError("it answered with `error` or `internal`");
}

}  // namespace

absl::StatusOr<SubjectGreeting> GreetDriver(const DriverCommand& command,
                                            const DriverNetwork& network,
                                            std::ostream& hints) {
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  const absl::Cleanup restore = [handler] { std::signal(SIGPIPE, handler); };
  const auto start = std::chrono::steady_clock::now();
  Probe probe(command, network);
  probe.OnSlow([&](absl::string_view hint) {
    hints << "`hello`: " << hint << " Waiting up to "
          << absl::FormatDuration(Probe::kTimeout)
          << ", while the driver uses the processor." << std::endl;
  });
  probe.SayFrame({{"id", 1},
                  {"command", "hello"},
                  {"versions", {1}},
                  {"suite", "net_tcp"}});
  const absl::StatusOr<Hello> hello = ReadHello(probe);
  if (!hello.ok()) {
    std::string text = absl::StrCat("`hello`: ", hello.status().message(), "\n",
                                    probe.LastExchange());
    const std::string ending = probe.Describe();
    if (!ending.empty()) absl::StrAppend(&text, "\n", ending);
    return absl::Status(hello.status().code(), text);
  }
  return SubjectGreeting{
      .name = hello->name,
      .version = hello->implementation_version,
      .took = absl::FromChrono(std::chrono::steady_clock::now() - start)};
}

}  // namespace net::conformance

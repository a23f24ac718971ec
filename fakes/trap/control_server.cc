#include "fakes/trap/control_server.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fakes/faults/fault_plan.h"
#include "fakes/faults/syscall_id.h"
#include "fakes/trap/control_message.h"
#include "fakes/trap/syscall_trap.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/error.h"

namespace net::trap {
namespace {

using Json = nlohmann::json;

Json ErrorAnswer(absl::string_view error) {
  return {{"error", std::string(error)}};
}

Json Armed(SyscallTrap& trap, const std::string& text) {
  const absl::StatusOr<FaultPlan> plan = ParseFaultPlan(text);
  if (!plan.ok()) return ErrorAnswer(plan.status().message());
  if (absl::Status status = trap.CheckTrapped(*plan); !status.ok()) {
    return ErrorAnswer(status.message());
  }
  trap.Arm(*plan);
  return {{"ok", true}, {"unseen_faults", trap.UnseenFaults()}};
}

// Returns as many lines as fit in a message, from the first.
std::vector<std::string> LinesThatFit(std::vector<std::string> lines) {
  constexpr size_t kRoom = kLongestMessage / 2;  // JSON escapes make it longer.
  size_t size = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    size += lines[i].size();
    if (size > kRoom) {
      lines.resize(i);
      lines.emplace_back("...");
      break;
    }
  }
  return lines;
}

Json Report(const SyscallTrap& trap) {
  Json unmatched = Json::array();
  for (const FaultRule& rule : trap.Unmatched()) {
    unmatched.push_back(rule.ToString());
  }
  Json counts = Json::object();
  for (const SyscallId id : kAllSyscallIds) {
    const int count = trap.Count(id);
    if (count > 0) counts[std::string(SyscallName(id))] = count;
  }
  return {{"unmatched", unmatched},
          {"counts", counts},
          {"trace", LinesThatFit(trap.Trace())},
          {"open", trap.OpenDescriptors()},
          {"stray_closes", trap.StrayCloses()},
          {"phantom_eintr", trap.PhantomInterruptions()},
          {"failure", trap.failure()}};
}

}  // namespace

std::string AnswerRequest(SyscallTrap& trap, absl::string_view request) {
  const Json json = Json::parse(request.begin(), request.end(), nullptr,
                                /*allow_exceptions=*/false);
  Json answer;
  if (json.is_object() && json.contains("arm") && json["arm"].is_string()) {
    answer = Armed(trap, json["arm"].get<std::string>());
  } else if (json.is_object() && json.contains("report")) {
    answer = Report(trap);
  } else {
    answer =
        ErrorAnswer(R"(a request is {"arm": "a plan"} or {"report": true})");
  }
  // Arguments of system calls may be no UTF-8.
  return answer.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false,
                     Json::error_handler_t::replace);
}

absl::StatusOr<int> ServeControl(SyscallTrap& trap, int channel) {
  while (true) {
    std::array<pollfd, 2> events = {
        {{.fd = channel, .events = POLLIN, .revents = 0},
         {.fd = trap.pidfd(), .events = POLLIN, .revents = 0}}};
    if (poll(events.data(), events.size(), /*timeout=*/-1) < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "poll");
    }
    if (events[1].revents != 0) return trap.Wait();
    const auto request = ReceiveMessage(channel);
    if (!request.ok()) return request.status();
    if (!request->has_value()) return trap.Wait();
    absl::Status status = SendMessage(channel, AnswerRequest(trap, **request));
    // EPIPE: the other side is gone, which the next wait shows.
    if (!status.ok() && ErrnoOf(status) != EPIPE) return status;
  }
}

}  // namespace net::trap

#include "fakes/explorer/racing_scenarios.h"

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fakes/explorer/explore_schedules.h"
#include "fakes/explorer/finding_kind.h"
#include "fakes/explorer/scenario_kit.h"
#include "fakes/fake_kernel.h"
#include "fakes/run_tasks.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net {

void MakeCall(Syscalls& sys) {
  timespec now = {};
  static_cast<void>(sys.ClockGetTime(CLOCK_MONOTONIC, &now));
}

absl::Status LoseUpdate(Syscalls& sys, FakeKernel& kernel) {
  std::atomic<int> value = 0;
  const auto add = [&] {
    MakeCall(sys);
    const int before = value;
    MakeCall(sys);
    value = before + 1;
    for (int i = 0; i < 4; ++i) MakeCall(sys);
  };
  absl::Status status = RunTasks(kernel, {{"one", add}, {"two", add}});
  if (!status.ok()) return status;
  return value == 2 ? absl::OkStatus()
                    : absl::InternalError("an update was lost");
}

absl::Status HasTwoRaces(Syscalls& sys, FakeKernel& kernel) {
  const absl::Status lost = LoseUpdate(sys, kernel);
  std::atomic<bool> is_open = false;
  SysResult made = SysResult::Ok();
  const absl::Status status = RunTasks(kernel, {{"opens",
                                                 [&] {
                                                   MakeCall(sys);
                                                   made = kit::NewSocket(sys);
                                                   MakeCall(sys);
                                                   is_open = true;
                                                 }},
                                                {"closes", [&] {
                                                   MakeCall(sys);
                                                   if (!is_open) return;
                                                   kit::Discard(sys, made.fd());
                                                 }}});
  return lost.ok() ? status : lost;
}

absl::Status CloseOnError(void (*on_race)(), Syscalls& sys,
                          FakeKernel& kernel) {
  const SysResult made = kit::NewSocket(sys);
  if (!made.ok()) return kit::ToStatus(made, "socket");
  std::atomic<bool> has_failed = false;
  const auto listen = [&] {
    const SysResult listened = kit::StartListening(sys, made.fd());
    if (!listened.ok()) has_failed = true;
    return kit::ToStatus(listened, "listen");
  };
  const auto read_port = [&] {
    uint16_t port = 0;
    const SysResult read = kit::ReadPort(sys, made.fd(), &port);
    if (has_failed) on_race();
    return kit::ToStatus(read, "getsockname");
  };
  const absl::Status status =
      RunTasks(kernel, {{"reads", read_port}, {"listens", listen}});
  return kit::FirstError(status, kit::CloseIt(sys, made.fd()));
}

std::vector<std::string> TextsOf(const ScheduleResult& result) {
  std::vector<std::string> texts;
  for (const ScheduleFinding& finding : result.findings) {
    texts.push_back(absl::StrCat(KindText(finding.kind), " ", finding.text, " ",
                                 finding.schedule, " ", finding.schedules, "\n",
                                 finding.interleaving));
  }
  return texts;
}

}  // namespace net

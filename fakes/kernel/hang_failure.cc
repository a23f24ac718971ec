#include "fakes/kernel/hang_failure.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "fakes/kernel/hangs.h"

namespace net {
namespace {

std::atomic<HangHandler> handler_of_process = nullptr;

}  // namespace

HangHandler SetHangHandler(HangHandler handler) {
  return handler_of_process.exchange(handler);
}

namespace fake {

void PrintHang(absl::string_view report) {
  const std::string text = absl::StrCat("FakeKernel: ", report);
  std::cerr << text << std::flush;
}

void FailTest(absl::string_view what, absl::string_view report) {
  const HangHandler handler = handler_of_process.load();
  if (handler == nullptr) EndProcess(absl::StrCat(what, "\n"));
  handler(absl::StrCat(what, "\n", report));
}

void EndProcess(absl::string_view report) {
  PrintHang(report);
  const HangHandler handler = handler_of_process.load();
  if (handler != nullptr) handler(report);
  std::cout << std::flush;
  std::abort();
}

std::vector<ThreadOfProcess> ThreadsOfProcess() {
  std::vector<ThreadOfProcess> threads;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/self/task", error)) {
    ThreadOfProcess thread;
    std::ifstream comm(task.path() / "comm");
    // The thread may have ended meanwhile.
    if (!std::getline(comm, thread.name) ||
        !absl::SimpleAtoi(task.path().filename().string(), &thread.id)) {
      continue;
    }
    threads.push_back(std::move(thread));
  }
  return threads;
}

bool IsTraced() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "TracerPid:")) {
      return !absl::EndsWith(rest, "\t0");
    }
  }
  return false;
}

}  // namespace fake
}  // namespace net

#include "fakes/preload/syscall_stack.h"

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ios>
#include <iostream>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/fake_kernel.h"
#include "fakes/fake_process.h"
#include "fakes/preload/native_descriptors.h"
#include "fakes/preload/options.h"
#include "fakes/preload/placeholders.h"

namespace net::preload {
namespace {

// The program is not written for the FakeKernel. It may make many calls before
// another thread must run, and lock its mutexes as often as it likes.
constexpr int64_t kManyCalls = 10'000'000;
constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

}  // namespace

FakeKernelOptions KernelOptionsOf(const Options& options) {
  FakeKernelOptions result;
  result.seed = options.seed;
  result.hangs.real_time = options.stall_limit;
  result.hangs.calls_at_one_instant = kManyCalls;
  result.hangs.hooked_calls_at_one_instant = kNoLimit;
  for (const auto& [name, value] : options.sysctls) {
    result.sysctls.Set(name, value);
  }
  return result;
}

void SetLinks(const Options& options, FakeKernel& kernel) {
  for (const LinkRule& link : options.links) {
    // ParseLinks() has checked the values.
    static_cast<void>(kernel.SetLink(link.ends, link.options));
    if (link.cut) kernel.Cut(link.ends);
  }
}

FakeProcessOptions ProcessOptionsFor(absl::string_view name) {
  FakeProcessOptions result;
  result.name = std::string(name);
  result.uid = geteuid();
  if (result.uid == 0) result.capabilities = FakeCapabilities::All();
  result.standard_descriptors = false;  // They are native.
  return Placeholders::Behind(result);
}

absl::Status TraceFile::Open(const std::string& path) {
  is_open_ = !path.empty();
  if (!is_open_) return absl::OkStatus();
  if (path == "-") return absl::OkStatus();
  file_.open(path, std::ios::app);
  return file_.is_open()
             ? absl::OkStatus()
             : absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

void TraceFile::Write(absl::string_view line) {
  (file_.is_open() ? file_ : std::cerr) << line << "\n" << std::flush;
}

SyscallStack::SyscallStack(FakeKernel& kernel, FakeProcess& process,
                           NativeDescriptors& natives, const Options& options,
                           TraceFile& trace, absl::string_view name)
    : placeholders_(kernel, process, natives),
      below_trace_(&placeholders_),
      top_(&placeholders_),
      file_(trace) {
  if (!options.plan.rules.empty()) {
    faults_.emplace(placeholders_);
    faults_->Arm(options.plan);
    below_trace_ = top_ = &*faults_;
  }
  Rename(name);
}

void SyscallStack::Rename(absl::string_view name) {
  if (!file_.is_open()) return;
  traces_.emplace_back(
      *below_trace_, [this](absl::string_view line) { file_.Write(line); },
      name);
  top_ = &traces_.back();
}

}  // namespace net::preload

#include "conformance/coverage/observation_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "conformance/suite/checked.h"
#include "conformance/suite/harness_error.h"
#include "syscalls/mutex.h"

namespace net::conformance {

ObservationLog::ObservationLog()
    : fd_(CheckedFd(memfd_create("observations", MFD_CLOEXEC),
                    "memfd_create")) {
  // Each line then goes to the end of the file, whichever process writes it.
  Checked(fcntl(fd_, F_SETFL, O_APPEND), "fcntl");
}

ObservationLog::~ObservationLog() { close(fd_); }

void ObservationLog::Add(const Observation& observation) const {
  const std::string line =
      absl::StrCat(observation.trial, "\t", std::string(1, observation.account),
                   "\t", observation.cell, "\t", observation.detail, "\n");
  const ssize_t written = write(fd_, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    throw HarnessError("cannot write an observation");
  }
}

std::vector<Observation> ObservationLog::Read() const {
  std::string text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t got = pread(fd_, buffer.data(), buffer.size(),
                              static_cast<off_t>(text.size()));
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  std::vector<Observation> all;
  for (const absl::string_view line :
       absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
    size_t trial = 0;
    // The last line of a process that was killed may be incomplete.
    if (fields.size() != 4 || !absl::SimpleAtoi(fields[0], &trial)) continue;
    all.push_back({.trial = trial,
                   .account = fields[1].front(),
                   .cell = std::string(fields[2]),
                   .detail = std::string(fields[3])});
  }
  return all;
}

void TrialObservations::Add(char account, absl::string_view cell,
                            absl::string_view detail) {
  {
    const MutexLock lock(mutex_);
    const bool is_new =
        seen_.insert(absl::StrCat(std::string(1, account), cell, detail))
            .second;
    if (!is_new) return;
  }
  log_.Add({.trial = trial_,
            .account = account,
            .cell = std::string(cell),
            .detail = std::string(detail)});
}

}  // namespace net::conformance

#include "conformance/engine/progress.h"

#include <chrono>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "conformance/engine/outcome.h"
#include "conformance/engine/record.h"
#include "conformance/engine/trial.h"

namespace net::conformance {
namespace {

constexpr std::chrono::seconds kInterval(10);

}  // namespace

Progress::Progress(size_t total, bool is_terminal, std::ostream& out,
                   Clock clock)
    : total_(total),
      is_terminal_(is_terminal),
      out_(out),
      clock_(std::move(clock)),
      started_(clock_()),
      next_line_(started_ + kInterval) {}

void Progress::Count(const Record& record) {
  ++done_;
  if (!IsExpected(record.verdict)) ++unexpected_;
  if (is_terminal_) {
    out_ << absl::StrCat("\r\033[K[", done_, "/", total_, ", ", unexpected_,
                         " unexpected] ", TrialName(record.trial))
         << std::flush;
  }
  Tick();
}

void Progress::Tick() {
  const auto now = clock_();
  if (is_terminal_ || now < next_line_) return;
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now - started_).count();
  out_ << absl::StrCat("[", done_, "/", total_, " trials, ", unexpected_,
                       " unexpected, ", seconds, " s]")
       << std::endl;
  next_line_ = now + kInterval;
}

void Progress::Clear() const {
  if (is_terminal_) out_ << "\r\033[K" << std::flush;
}

}  // namespace net::conformance

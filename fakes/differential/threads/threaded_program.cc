#include "fakes/differential/threads/threaded_program.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fakes/differential/program.h"

namespace net::differential {

size_t ThreadedProgram::thread_calls() const {
  size_t sum = 0;
  for (const Program& thread : threads) sum += thread.size();
  return sum;
}

bool ThreadedProgram::overfills_buffers() const {
  return std::any_of(threads.begin(), threads.end(), [](const Program& thread) {
    return std::any_of(thread.begin(), thread.end(), [](const Step& step) {
      return step.size >= kOverfillingSize;
    });
  });
}

bool ThreadedAnswer::is_blocked() const {
  return std::any_of(threads.begin(), threads.end(), [](const auto& results) {
    return !results.empty() && results.back() == kBlocked;
  });
}

std::string ThreadedAnswer::ToText() const {
  std::string text;
  for (size_t i = 0; i < threads.size(); ++i) {
    absl::StrAppend(&text, "thread ", i + 1, ": ",
                    absl::StrJoin(threads[i], "; "), "\n");
  }
  if (!descriptors.empty()) {
    absl::StrAppend(&text, "at the end: ", absl::StrJoin(descriptors, "; "),
                    "\n");
  }
  return text;
}

}  // namespace net::differential

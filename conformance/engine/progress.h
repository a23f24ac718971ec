#ifndef CONFORMANCE_ENGINE_PROGRESS_H_
#define CONFORMANCE_ENGINE_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <ostream>

#include "conformance/engine/record.h"

namespace net::conformance {

// Prints the progress of a run. On a terminal it rewrites one line; elsewhere
// it prints a line every ten seconds, so a shorter run prints none.
class Progress {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  Progress(size_t total, bool is_terminal, std::ostream& out,
           Clock clock = &std::chrono::steady_clock::now);

  // Counts a trial. To be called when it has ended.
  void Count(const Record& record);
  // Prints the next line if it is due. To be called at least once a second
  // while trials run.
  void Tick();
  // Removes the line from a terminal, at the end of a run.
  void Clear() const;

 private:
  const size_t total_;
  const bool is_terminal_;
  std::ostream& out_;
  const Clock clock_;
  const std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point next_line_;
  size_t done_ = 0;
  size_t unexpected_ = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_PROGRESS_H_

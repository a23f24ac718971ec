#ifndef CONFORMANCE_ENGINE_PROGRESS_H_
#define CONFORMANCE_ENGINE_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <ostream>

#include "conformance/engine/record.h"

namespace net::conformance {

// Prints how far a run is: on a terminal one line that changes, else a line
// every ten seconds. A run of less than ten seconds prints none.
class Progress {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  Progress(size_t total, bool is_terminal, std::ostream& out,
           Clock clock = &std::chrono::steady_clock::now);

  // A trial has ended.
  void Count(const Record& record);
  // Time has passed.
  void Tick();
  // The run is over: removes the line of a terminal.
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

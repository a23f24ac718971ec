#ifndef CONFORMANCE_COVERAGE_OBSERVATION_LOG_H_
#define CONFORMANCE_COVERAGE_OBSERVATION_LOG_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "syscalls/mutex.h"

namespace net::conformance {

// A cell of an account that a trial has reached.
struct Observation {
  size_t trial = 0;  // its place among the trials of the run
  char account = 'a';
  std::string cell;
  // The observed outcome, for people: "allowed". May be empty.
  std::string detail;
};

// The observations of all trials of a run, in a file in memory that the process
// shares with the children that it forks.
class ObservationLog {
 public:
  // Throws HarnessError.
  ObservationLog();
  ObservationLog(const ObservationLog&) = delete;
  ObservationLog& operator=(const ObservationLog&) = delete;
  ~ObservationLog();

  // Adds an observation. Called by the processes of trials, concurrently.
  // Throws HarnessError.
  void Add(const Observation& observation) const;

  // Returns all observations, in the order of Add().
  std::vector<Observation> Read() const;

 private:
  int fd_;
};

// Adds the observations of one trial to a log, each only once. Thread-safe.
class TrialObservations {
 public:
  // `log` must outlive it.
  TrialObservations(ObservationLog& log, size_t trial)
      : log_(log), trial_(trial) {}

  void Add(char account, absl::string_view cell, absl::string_view detail = "");

 private:
  ObservationLog& log_;
  const size_t trial_;
  Mutex mutex_;
  std::set<std::string> seen_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_OBSERVATION_LOG_H_

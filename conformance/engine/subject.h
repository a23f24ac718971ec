#ifndef CONFORMANCE_ENGINE_SUBJECT_H_
#define CONFORMANCE_ENGINE_SUBJECT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/subject_error.h"

namespace net::conformance {

// How a subject presents itself when it is asked first.
struct SubjectGreeting {
  std::string name;
  std::string version;
  absl::Duration took;  // from its start
};

// What a column judges when that is not code of the trial's own process: a
// process that the runner starts, that serves one trial at a time, and that is
// kept for the next if it was left in order. Destroying it ends it.
class Subject {
 public:
  virtual ~Subject() = default;

  // For the runner.

  // Readable when it has printed something, for ReadOutput() to take; false
  // once there will be no more.
  virtual int output_fd() const = 0;
  virtual bool ReadOutput() = 0;
  // For people: how it ended, if it has, and what it printed in this trial.
  virtual std::string Describe() = 0;
  // For people: what it is doing, before it is killed.
  virtual std::string Snapshot() = 0;
  // A trial begins: "listen.backlog.default v4 python".
  virtual void Begin(absl::string_view trial_name) = 0;
  // For the process of a trial that is another subject's: closes its copies of
  // this one's descriptors. Nothing else is called after that.
  virtual void CloseInChild() = 0;

  // For the trial's process, which has inherited it. They throw SubjectError.

  // The world that the subject is in, and access to it. `abandon`: see Column.
  virtual std::unique_ptr<Environment> MakeEnvironment(
      std::function<void()> abandon) = 0;
  // Requires MakeEnvironment().
  virtual std::unique_ptr<Implementation> MakeImplementation() = 0;
  struct AfterReset {
    std::string left_open;   // what the case left open, a line each
    bool serves = false;     // the subject can serve another trial
    bool is_as_new = false;  // and is as it was before this one
  };
  // After a case: makes it as new, if that can be done.
  virtual AfterReset Reset() = 0;
  // False if only the user can start another one in its place.
  virtual bool IsReplaceable() const = 0;
  // Of the implementation, as it tells itself: "3.11.2"; "" before it has.
  virtual std::string Version() const = 0;

  // For both. For people: what was said to it and what it answered since
  // Begin(), even if the trial's process is dead.
  virtual std::string Transcript() const = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SUBJECT_H_

#ifndef CONFORMANCE_ENGINE_SUBJECT_H_
#define CONFORMANCE_ENGINE_SUBJECT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "conformance/suite/subject_error.h"

namespace net::conformance {

class Environment;     // conformance/suite/environment.h
class Implementation;  // conformance/suite/implementation.h

// A subject's description of itself.
struct SubjectGreeting {
  std::string name;
  std::string version;
  absl::Duration took;  // time from its start to this greeting
};

// The judged implementation, if it runs in a process of its own and not in the
// trial's. The runner starts the process. It serves one trial at a time, and
// another one after that if it was reset successfully. Destroying the Subject
// ends the process.
class Subject {
 public:
  virtual ~Subject() = default;

  // For the runner:

  // A descriptor that is readable when there is output for ReadOutput().
  // ReadOutput() returns false once the output has ended.
  virtual int output_fd() const = 0;
  virtual bool ReadOutput() = 0;
  // Describes for people how the process ended, if it has, and what it printed
  // in this trial.
  virtual std::string Describe() = 0;
  // Describes for people what the process is doing, before it is killed.
  virtual std::string Snapshot() = 0;
  // Begins a trial. `trial_name` is, for example, "listen.backlog.default v4
  // python".
  virtual void Begin(absl::string_view trial_name) = 0;
  // Closes the calling process's copies of this subject's descriptors. Called
  // in the process of a trial that uses another subject. No other method may be
  // called afterwards.
  virtual void CloseInChild() = 0;

  // For the trial's process, which has inherited the subject. These throw
  // SubjectError:

  // Makes the environment of the subject's process. `abandon`: see Target.
  virtual std::unique_ptr<Environment> MakeEnvironment(
      std::function<void()> abandon) = 0;
  // Requires MakeEnvironment().
  virtual std::unique_ptr<Implementation> MakeImplementation() = 0;
  struct AfterReset {
    std::string left_open;   // sockets that the case left open, a line each
    bool serves = false;     // the subject can serve another trial
    bool is_as_new = false;  // and is as it was before this trial
  };
  // Resets the subject after a case, if possible.
  virtual AfterReset Reset() = 0;
  // Returns whether the runner can start another subject. False if only the
  // user can.
  virtual bool IsReplaceable() const = 0;
  // Returns the version that the implementation reports: "3.11.2"; "" before it
  // has reported one.
  virtual std::string Version() const = 0;

  // For both. These work even if the trial's process is dead:

  // Returns the commands and answers since Begin(), for people.
  virtual std::string Transcript() const = 0;
  // Returns the number of commands and answers since Begin().
  virtual uint64_t MessageCount() const = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_SUBJECT_H_

#ifndef CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_
#define CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conformance/driver_host/session.h"

namespace net::conformance {

// Watches the processes at the other end of a channel through /proc, to
// distinguish two kinds of silence: a driver that is still starting uses the
// processor; a driver that forgot to flush its answer sleeps in read(2) on the
// channel. Not thread-safe.
class ChannelWatch {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // The channel must consist of pipes and must outlive this object.
  explicit ChannelWatch(Channel channel);

  // Takes a sample. To be called several times a second.
  //
  // The durations below begin at the first sample that shows the state, and end
  // at the last one. On a loaded machine seconds can pass between two samples,
  // and the driver's answer may have arrived meanwhile.
  void Inspect();

  // Returns for how long none of the processes has used the processor.
  Duration Idle() const { return inspected_ - idle_since_; }
  // Returns for how long, in addition, one of the threads has been in read(2)
  // on the channel while the channel was empty.
  Duration BlockedInRead() const {
    return reading_since_ ? inspected_ - *reading_since_ : Duration::zero();
  }
  // Returns the processor time that the processes have used between the first
  // sample and the last one. Unlike elapsed time it does not depend on what
  // else the machine does.
  Duration Used() const;

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Sample {
    bool runs = false;   // a thread is running or in uninterruptible sleep
    bool reads = false;  // a thread is in read(2) on the channel
    uint64_t ticks = 0;  // clock ticks of processor time used so far
  };

  std::vector<pid_t> Holders() const;
  void AddProcess(pid_t pid, Sample& sample) const;
  bool IsInRead(const std::string& task) const;

  const Channel channel_;
  const std::string commands_;  // the pipe's name in /proc/PID/fd
  uint64_t ticks_ = 0;
  std::optional<uint64_t> first_ticks_;
  TimePoint inspected_;
  TimePoint idle_since_;
  std::optional<TimePoint> reading_since_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_

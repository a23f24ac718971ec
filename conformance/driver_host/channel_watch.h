#ifndef CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_
#define CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "conformance/driver_host/session.h"

namespace net::conformance {

// Watches the processes at the other end of a channel, through /proc: a driver
// that is still starting uses the processor, one that has forgotten to flush
// its answer sleeps in read(2) on the channel. Not thread-safe.
class ChannelWatch {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // The channel must consist of pipes, and outlive it.
  explicit ChannelWatch(Channel channel);

  // Looks once. To be called several times a second.
  void Look();

  // For how long, as far as was seen, none of the processes has used the
  // processor.
  Duration Idle() const { return Since(idle_since_); }
  // The same, with one of the threads in read(2) on the channel, and nothing in
  // the channel that it could read.
  Duration BlockedInRead() const { return Since(reading_since_); }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Sample {
    bool runs = false;   // a thread runs, or waits for a page
    bool reads = false;  // a thread is in read(2) on the channel
    uint64_t ticks = 0;  // of the processor, used until now
  };

  static Duration Since(TimePoint start) {
    return std::chrono::steady_clock::now() - start;
  }
  std::vector<pid_t> Holders() const;
  void AddProcess(pid_t pid, Sample& sample) const;
  bool IsInRead(const std::string& task) const;

  const Channel channel_;
  const std::string commands_;  // the pipe, as /proc/PID/fd names it
  uint64_t ticks_ = 0;
  TimePoint idle_since_;
  TimePoint reading_since_;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_CHANNEL_WATCH_H_

#ifndef FAKES_DIFFERENTIAL_TIMED_TIMED_RUN_H_
#define FAKES_DIFFERENTIAL_TIMED_TIMED_RUN_H_

#include <array>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "fakes/differential/program.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// The resources that a kernel gives to a timed program.
struct TimedWorld {
  Syscalls& sys;
  ip::Addr server;
  ip::Addr client;
};

// Makes the calls of a timed program, on any kernel, and returns their results
// as text: everything that two kernels must agree on.
class TimedRun {
 public:
  explicit TimedRun(const TimedWorld& world);
  TimedRun(const TimedRun&) = delete;
  TimedRun& operator=(const TimedRun&) = delete;
  // Resets every connection that is left.
  ~TimedRun();

  std::string Make(const Step& step);

  // Returns how long Make() would block at most, by the socket's SO_RCVTIMEO or
  // SO_LINGER; infinite if neither is set.
  absl::Duration TimeoutOf(const Step& step) const;

 private:
  int At(int slot) const;
  std::string Made(const Step& step, SysResult result);
  std::string BindOrConnect(const Step& step) const;
  std::string SetSockOpt(const Step& step) const;
  std::string GetSockOpt(const Step& step) const;
  std::string TcpInfo(const Step& step) const;
  std::string Send(const Step& step);
  std::string Receive(const Step& step) const;
  std::string Poll(const Step& step) const;
  std::string Ioctl(const Step& step) const;
  std::string Close(const Step& step);

  const TimedWorld world_;
  std::array<int, kSlots> slots_;
  char letter_ = 'a';      // Of the next send(2).
  std::set<int> senders_;  // The slots on which send(2) was called.
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_TIMED_RUN_H_

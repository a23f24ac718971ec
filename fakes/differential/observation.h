#ifndef FAKES_DIFFERENTIAL_OBSERVATION_H_
#define FAKES_DIFFERENTIAL_OBSERVATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "syscalls/sys_result.h"

namespace net::differential {

// Result of one step of a program.
struct Observation {
  // The call's result, unchanged.
  SysResult result;
  // Everything that must be equal on two kernels: the result and every
  // out-parameter. Values that a kernel may choose are renamed (names.h).
  // Values that may differ are omitted (tolerances.h).
  std::string text;
  // The numbers that the call filled in, for readers: the events of poll(2),
  // the int of getsockopt(2) or ioctl(2).
  std::vector<int> numbers;
  // The socket's TCP state before the call, as in TCP_INFO. 0 if it has none or
  // it was not recorded.
  int tcp_state = 0;
  // The call was not made, because it might block or its result is
  // unpredictable. `text` has the reason.
  bool skipped = false;
};

// One observation for each step of a program.
using Trace = std::vector<Observation>;

// Returns the index of the first step for which the texts differ, or nullopt.
std::optional<size_t> FirstDifference(const Trace& left, const Trace& right);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_OBSERVATION_H_

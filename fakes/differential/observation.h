#ifndef FAKES_DIFFERENTIAL_OBSERVATION_H_
#define FAKES_DIFFERENTIAL_OBSERVATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "syscalls/sys_result.h"

namespace net::differential {

// What one step of a program was answered.
struct Observation {
  // The kernel's answer, as it is.
  SysResult result;
  // All that two kernels must agree on, with what they choose freely renamed
  // (names.h) and what may differ left out (tolerances.h): the answer and every
  // out-parameter.
  std::string text;
  // The numbers that the call filled in, for a reader: the events of poll(2),
  // the int of getsockopt(2) or ioctl(2).
  std::vector<int> numbers;
  // The socket's TCP state before the call, as TCP_INFO has it; 0 if there is
  // none, or nobody asked.
  int tcp_state = 0;
  // The call was not made, because it might block or its answer is anybody's
  // guess. That it was not is part of the text.
  bool skipped = false;
};

// One for each step of a program.
using Trace = std::vector<Observation>;

// The first step at which two traces of one program differ in their texts.
std::optional<size_t> FirstDifference(const Trace& left, const Trace& right);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_OBSERVATION_H_

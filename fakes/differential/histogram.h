#ifndef FAKES_DIFFERENTIAL_HISTOGRAM_H_
#define FAKES_DIFFERENTIAL_HISTOGRAM_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"

namespace net::differential {

// How often each call answered each errno in each state of its socket: whether
// the programs go where they should.
class Histogram {
 public:
  // Counts what a program was answered. The trace has the states.
  void Add(const Program& program, const Trace& trace);
  void Add(const Histogram& other);

  // In all states together; errno 0 is success.
  int64_t Count(Call call, int error) const;

  // A line for each combination: "connect ECONNREFUSED CLOSED 17". (A socket
  // that is new, bound or refused is in the state CLOSED; without TCP socket
  // the state is "-".) Parse() reads it back.
  std::string ToText() const;
  absl::Status Parse(absl::string_view text);

 private:
  using Key = std::tuple<Call, int, int>;  // errno, TCP_INFO's state
  std::map<Key, int64_t> counts_;
};

// An answer that every kernel can be brought to give without privileges and
// without waiting, and how often it was seen.
struct RequiredRow {
  Call call;
  int error;
  int64_t count;
};

// The rows of syscalls/testdata/errno_table.tsv that programs must reach: those
// of class U for bind, listen, accept4, connect, shutdown, send, recv,
// getsockname, getpeername, setsockopt and getsockopt. Not EINTR, for which a
// call would have to block, and not ETIMEDOUT, for which time would have to
// pass: programs do neither.
std::vector<RequiredRow> RequiredRows(const Histogram& histogram);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_HISTOGRAM_H_

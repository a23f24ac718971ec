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

// Counts of results: each call with each errno in each state of its socket.
// They show whether the programs reach the required results.
class Histogram {
 public:
  // Counts the results of a program. The trace must have the states.
  void Add(const Program& program, const Trace& trace);
  void Add(const Histogram& other);

  // Returns the count over all states. Errno 0 is success.
  int64_t Count(Call call, int error) const;

  // Returns one line for each combination, for example "connect ECONNREFUSED
  // CLOSED 17". A socket that is new, bound or refused has the state CLOSED.
  // Without a TCP socket, the state is "-". Parse() is the inverse.
  std::string ToText() const;
  absl::Status Parse(absl::string_view text);

 private:
  using Key = std::tuple<Call, int, int>;  // Call, errno and TCP_INFO's state.
  std::map<Key, int64_t> counts_;
};

// A result that every kernel can return without privileges and without
// blocking, and how often it was seen.
struct RequiredRow {
  Call call;
  int error;
  int64_t count;
};

// Returns the rows of syscalls/testdata/errno_table.tsv that programs must
// reach: those of class U for bind, listen, accept4, connect, shutdown, send,
// recv, getsockname, getpeername, setsockopt and getsockopt. EINTR is excluded,
// because calls do not block. ETIMEDOUT is excluded, because programs do not
// wait for it.
std::vector<RequiredRow> RequiredRows(const Histogram& histogram);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_HISTOGRAM_H_

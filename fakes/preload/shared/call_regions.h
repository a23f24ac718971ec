#ifndef FAKES_PRELOAD_SHARED_CALL_REGIONS_H_
#define FAKES_PRELOAD_SHARED_CALL_REGIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "fakes/invocation.h"

namespace net::preload {

// The largest buffer that is copied. Longer ones are read and written in part,
// as by a call that a signal interrupts.
inline constexpr size_t kLongestData = size_t{1} << 30;

// A part of the client's memory that a call reads or writes.
struct Region {
  // What of it the caller gets back.
  enum class Back : uint8_t {
    kNothing,
    kAll,     // The server knows all of it, and overwrites what it does not
              // change with the same bytes.
    kBytes,   // As many bytes as the call returns, over all such regions.
    kEvents,  // As many epoll_events as the call returns.
  };

  void* memory = nullptr;
  size_t size = 0;
  Back back = Back::kNothing;
  // Where the pointer to it is: the argument with this index, or the offset in
  // the region with the index `parent`.
  int parent = kArguments;
  size_t place = 0;

  static constexpr int kArguments = -1;

  bool is_sent() const { return back == Back::kNothing || back == Back::kAll; }
};

// Returns the parts of memory to which the arguments of a call point, each
// after the one that has the pointer to it. Shortens the sizes of data that are
// longer than kLongestData. Does not read data, but lengths and messages.
std::vector<Region> FindRegions(absl::InlinedVector<Argument, 6>& arguments);

}  // namespace net::preload

#endif  // FAKES_PRELOAD_SHARED_CALL_REGIONS_H_

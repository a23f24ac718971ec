#include "fakes/differential/tolerances.h"

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fakes/differential/streams.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/sys_result.h"

namespace net::differential {
namespace {

// Measured on Linux 6.18: with default buffers, 100,000 bytes arrive at the
// other end immediately; with the smallest buffers that can be set, 1024 bytes.
// Half of each is taken as certain.
constexpr int64_t kSure = int64_t{48} * 1024;
constexpr int64_t kSureWithSmallBuffers = 512;

constexpr int kRoom = POLLOUT | POLLWRNORM | POLLWRBAND;
constexpr int kEnd = POLLRDHUP | POLLHUP;
constexpr int kData = POLLIN | POLLRDNORM;

}  // namespace

bool SurelyFits(const Direction& direction, size_t size, bool small_buffers) {
  return direction.outstanding() + static_cast<int64_t>(size) <=
         (small_buffers ? kSureWithSmallBuffers : kSure);
}

std::string SendText(Given given, int64_t outstanding, size_t size,
                     SysResult result) {
  const bool room = given.null && result.error() == EFAULT;
  if (!result.ok() && (given.sure || (result.error() != EAGAIN && !room))) {
    return ErrnoSymbol(result.error());
  }
  if (given.sure) return absl::StrCat(result.value());
  if (!result.ok()) {
    return room || outstanding > 0 ? "as much as fits"
                                   : "EAGAIN, but nothing is in flight";
  }
  if (result.value() == 0) return "0";
  const bool too_much = result.value() > static_cast<int64_t>(size);
  return too_much ? "more than requested" : "as much as fits";
}

bool IsLossless(const End& end, SysResult last) {
  if (last.ok()) return !end.in().reset && !end.in().unwanted;
  return !end.in().reset && last.error() == EAGAIN;
}

std::string DrainedText(const End& end, SysResult last, bool small_buffers) {
  const std::string then =
      last.ok() ? "end of stream" : ErrnoSymbol(last.error());
  if (!IsLossless(end, last)) return absl::StrCat("any amount, then ", then);
  const bool all = end.in().outstanding() == 0;
  if (small_buffers && (all || !last.ok())) return "any amount";
  return absl::StrCat(all ? "all, then " : "not all, then ", then);
}

std::string EventsText(const End& end, Marks marks, int16_t events) {
  if (end.torn()) return "events";
  int compared = events;
  if (marks.low_water && marks.small_buffers) compared &= ~kData;
  if (end.known() && end.out().uncertain) compared &= ~kRoom;
  if (end.known() && end.in().uncertain) {
    compared &= ~kEnd;
    if (marks.low_water || marks.small_buffers) compared &= ~kData;
  }
  return absl::StrFormat("%#x", compared);
}

std::string InputSizeText(const End& end, int value) {
  if (!end.known() || !end.in().uncertain) return absl::StrCat(value);
  const bool possible = value >= 0 && value <= end.in().outstanding();
  return possible ? "any number" : "more than possible";
}

std::string OutputSizeText(const End& end, int tcp_state, int value) {
  if (end.unclear()) {
    return value >= 0 ? "any number (state uncertain)" : "negative";
  }
  const bool over = tcp_state == TCP_CLOSE;
  if (!end.known() || !end.out().uncertain) {
    return over ? "any number (CLOSED)" : absl::StrCat(value);
  }
  const bool possible =
      over || (value >= 0 && value <= end.out().outstanding() + 1);
  return possible ? "any number" : "more than possible";
}

std::string TcpInfoText(const End& end, const tcp_info& info) {
  if (end.doubtful()) return "any state";
  if (info.tcpi_state != TCP_LISTEN) {
    return absl::StrCat("state ", info.tcpi_state);
  }
  return absl::StrCat("listening, queued ", info.tcpi_unacked, " of ",
                      info.tcpi_sacked);
}

std::string TunedSizeText(bool tuned, int value) {
  if (!tuned) return absl::StrCat(value);
  return value > 0 ? "any size" : absl::StrCat("invalid size ", value);
}

}  // namespace net::differential

#include "fakes/mock_actions.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "fakes/argument_text.h"
#include "gmock/gmock.h"

namespace net {

PollsForAll::PollsForAll(const std::vector<PolledFor>& entries) {
  for (const PolledFor& entry : entries) {
    expected_.push_back({.fd = entry.fd,
                         .events = static_cast<int16_t>(entry.events),
                         .revents = 0});
  }
}

void PollsForAll::DescribeTo(std::ostream* os) const {
  *os << "polls for "
      << PollText(expected_.data(), expected_.size(), Show::kShown,
                  Detail::kComplete);
}

void PollsForAll::DescribeNegationTo(std::ostream* os) const {
  *os << "doesn't poll for "
      << PollText(expected_.data(), expected_.size(), Show::kShown,
                  Detail::kComplete);
}

bool PollsForAll::MatchesSet(const pollfd* fds, nfds_t count,
                             testing::MatchResultListener* listener) const {
  if (listener->IsInterested()) {
    *listener << "which polls for "
              << PollText(fds, count, Show::kShown, Detail::kComplete);
  }
  if (count != expected_.size()) return false;
  return std::equal(expected_.begin(), expected_.end(), fds,
                    [](const pollfd& a, const pollfd& b) {
                      return a.fd == b.fd && a.events == b.events;
                    });
}

}  // namespace net

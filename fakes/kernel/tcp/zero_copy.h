#ifndef FAKES_KERNEL_TCP_ZERO_COPY_H_
#define FAKES_KERNEL_TCP_ZERO_COPY_H_

#include <cstdint>
#include <deque>
#include <optional>

namespace net::fake {

// The sends with MSG_ZEROCOPY of a socket, and the notifications of their
// completion in its error queue (Documentation/networking/msg_zerocopy.rst of
// Linux). Over loopback, where Linux copies after all, a send is complete
// when its last byte is acknowledged. Sends are numbered from 0.
class ZeroCopySends {
 public:
  // A notification: the sends from `first` to `last` are complete.
  struct Range {
    uint32_t first;
    uint32_t last;
  };

  // Adds a send whose last byte is the one before `end` in the stream.
  void Add(uint64_t end) { pending_.push_back({next_++, end}); }

  // Completes the sends whose bytes are all before `acknowledged`. Adjacent
  // notifications that were not taken yet become one.
  void Complete(uint64_t acknowledged) {
    while (!pending_.empty() && pending_.front().end <= acknowledged) {
      const uint32_t number = pending_.front().number;
      pending_.pop_front();
      if (!done_.empty() && done_.back().last + 1 == number) {
        done_.back().last = number;
      } else {
        done_.push_back({number, number});
      }
    }
  }

  // Completes all sends, because the connection is over.
  void CompleteAll() { Complete(~uint64_t{0}); }

  // Returns whether there is a notification.
  bool ready() const { return !done_.empty(); }
  // Takes the first notification.
  std::optional<Range> Take() {
    if (done_.empty()) return std::nullopt;
    const Range first = done_.front();
    done_.pop_front();
    return first;
  }

 private:
  struct Send {
    uint32_t number;
    uint64_t end;
  };

  uint32_t next_ = 0;
  std::deque<Send> pending_;
  std::deque<Range> done_;
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_TCP_ZERO_COPY_H_

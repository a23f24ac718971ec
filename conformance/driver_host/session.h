#ifndef CONFORMANCE_DRIVER_HOST_SESSION_H_
#define CONFORMANCE_DRIVER_HOST_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/frame.h"
#include "conformance/driver_host/passing.h"
#include "conformance/driver_host/transcript.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net::conformance {

// How the runner speaks with a driver.
struct Channel {
  int read_fd = -1;   // the driver's answers
  int write_fd = -1;  // the commands
  // For descriptors; null if the driver was not started with it. Not owned.
  const Passing* passing = nullptr;
};

// A conversation with a driver: commands out, answers in, in whatever order
// they come. One after the other may use the same channel.
//
// Thread-safe. A thread that waits for an answer reads for all that wait. A
// driver that has ended raises no SIGPIPE.
class Session {
 public:
  // Does not own the channel. `on_frame`, if any, gets each message as it was
  // sent (true) or received (false). `transcript` gets them, too; null: one of
  // its own. Throws HarnessError.
  using OnFrame = std::function<void(bool sent, absl::string_view message)>;
  explicit Session(Channel channel, OnFrame on_frame = nullptr,
                   std::shared_ptr<Transcript> transcript = nullptr);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Sends a command (its id is given here) and waits for the answer. Throws
  // DriverError if the driver ends, breaks the protocol, or is at fault itself
  // (`internal`).
  Answer Call(nlohmann::json command);

  const Channel& channel() const { return channel_; }

  // No command waits for its answer, and nothing was broken.
  bool idle() const;

  // All commands have been read by the driver.
  bool HasReadAll() const;

  // How many commands the driver was sent, all of them, and has not answered.
  size_t Owed() const;

  // Which message is the next one, of either side: the same number again means
  // that nobody has said anything in between. Nullopt while an answer is there
  // that nobody has read.
  std::optional<uint64_t> NextMessage() const;

 private:
  void Send(absl::string_view message);
  [[noreturn]] void ThrowBroken() const;
  void Break(absl::string_view why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits, without the lock, until there is something to read, and takes it;
  // or until the session is broken.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasUnread() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(absl::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // For people: the ids of the commands that were not answered yet.
  std::string WaitingCalls() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Note(bool sent, absl::string_view message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Channel channel_;
  const OnFrame on_frame_;
  const std::shared_ptr<Transcript> transcript_;
  const int broken_event_;  // an eventfd(2): readable once `broken_` is set
  Mutex write_mutex_;       // frames go out whole
  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  FrameReader frames_ ABSL_GUARDED_BY(mutex_);
  struct Pending {
    std::string command;
    bool is_sent = false;
    std::optional<Answer> answer = std::nullopt;
  };
  // By the ids of the commands that were not answered yet, or whose answer was
  // not fetched yet.
  std::map<uint64_t, Pending> calls_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> broken_ ABSL_GUARDED_BY(mutex_);
  uint64_t messages_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_SESSION_H_

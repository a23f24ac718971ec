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

// The descriptors between the runner and a driver.
struct Channel {
  int read_fd = -1;   // the driver's answers
  int write_fd = -1;  // the commands
  // Passes descriptors to the driver. Null if the driver was started without
  // one. Not owned.
  const Passing* passing = nullptr;
};

// A session with a driver: sends commands and reads answers, which may arrive
// in any order. Several sessions may use a channel, one after the other.
//
// Thread-safe. One of the threads that wait for answers reads for all of them.
// A write to a driver that has ended raises no SIGPIPE.
class Session {
 public:
  // Does not own the channel. `on_frame`, if not null, is called with each
  // message that was sent or received. `transcript` records them; if it is
  // null, the session has one of its own. Throws HarnessError.
  using OnFrame = std::function<void(bool sent, absl::string_view message)>;
  explicit Session(Channel channel, OnFrame on_frame = nullptr,
                   std::shared_ptr<Transcript> transcript = nullptr);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Adds an id to the command, sends it, and waits for the answer. Throws
  // DriverError if the driver ends, breaks the protocol, or answers `internal`.
  Answer Call(nlohmann::json command);

  const Channel& channel() const { return channel_; }

  // Returns true if no command is pending and the session is not broken.
  bool idle() const;

  // Returns true if the driver has read all commands.
  bool HasReadAll() const;

  // Returns the number of commands that were sent completely and have no answer
  // yet.
  size_t Owed() const;

  // Returns the number of the next message of either side. If two calls return
  // the same number, no message was sent or received in between. Returns
  // nullopt while an answer has arrived that was not read yet.
  std::optional<uint64_t> NextMessage() const;

 private:
  void Send(absl::string_view message);
  [[noreturn]] void ThrowBroken() const;
  void Break(absl::string_view why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Waits, without the lock, until bytes have arrived or the session is broken;
  // then processes the bytes.
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasUnread() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(absl::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Returns the ids of the pending commands, for messages.
  std::string WaitingCalls() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Note(bool sent, absl::string_view message)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Channel channel_;
  const OnFrame on_frame_;
  const std::shared_ptr<Transcript> transcript_;
  const int broken_event_;  // eventfd(2): readable once `broken_` is set
  Mutex write_mutex_;       // held while a whole frame is written
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
  // The pending commands, and those whose answer was not fetched yet, by id.
  std::map<uint64_t, Pending> calls_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> broken_ ABSL_GUARDED_BY(mutex_);
  uint64_t messages_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_HOST_SESSION_H_

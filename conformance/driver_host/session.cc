#include "conformance/driver_host/session.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/frame.h"
#include "conformance/driver_host/no_sigpipe.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/suite/checked.h"
#include "nlohmann/json.hpp"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/mutex.h"

namespace net::conformance {

Session::Session(Channel channel, OnFrame on_frame,
                 std::shared_ptr<Transcript> transcript)
    : channel_(channel),
      on_frame_(std::move(on_frame)),
      transcript_(transcript != nullptr ? std::move(transcript)
                                        : std::make_shared<Transcript>()),
      broken_event_(CheckedFd(eventfd(0, EFD_CLOEXEC), "eventfd")) {}

Session::~Session() { close(broken_event_); }

Answer Session::Call(nlohmann::json command) {
  std::string message;
  uint64_t id = 0;
  {
    const MutexLock lock(mutex_);
    if (broken_.has_value()) throw DriverError(*broken_);
    id = next_id_++;
    command["id"] = id;
    message = command.dump();
    calls_[id] = {.command = command.value("command", "")};
    Note(/*sent=*/true, message);
  }
  Send(message);
  const MutexLock lock(mutex_);
  Pending& call = calls_[id];
  call.is_sent = true;
  while (!call.answer.has_value() && !broken_.has_value()) {
    if (reading_) {
      changed_.Wait(mutex_);
    } else {
      Read();
    }
  }
  // Even if the answer has arrived, because a fault that arrived with it must
  // be reported.
  if (broken_.has_value()) throw DriverError(*broken_);
  Answer answer = *std::move(call.answer);
  calls_.erase(id);
  if (const auto* fault = std::get_if<Internal>(&answer.content)) {
    Break(absl::StrCat("the driver answered `internal`, a fault of its own: ",
                       fault->text));
    throw DriverError(*broken_);
  }
  return answer;
}

bool Session::idle() const {
  const MutexLock lock(mutex_);
  return calls_.empty() && !broken_.has_value() && frames_.rest().empty();
}

bool Session::HasReadAll() const {
  int unread = 0;
  return ioctl(channel_.write_fd, FIONREAD, &unread) == 0 && unread == 0;
}

size_t Session::Owed() const {
  const MutexLock lock(mutex_);
  return static_cast<size_t>(
      std::count_if(calls_.begin(), calls_.end(), [](const auto& call) {
        return call.second.is_sent && !call.second.answer.has_value();
      }));
}

std::optional<uint64_t> Session::NextMessage() const {
  const MutexLock lock(mutex_);
  if (HasUnread()) return std::nullopt;
  return messages_;
}

bool Session::HasUnread() const {
  int unread = 0;
  return ioctl(channel_.read_fd, FIONREAD, &unread) != 0 || unread > 0;
}

void Session::Send(absl::string_view message) {
  const std::string frame = EncodeFrame(message);
  absl::string_view rest = frame;
  const MutexLock write_lock(write_mutex_);
  const NoSigpipe no_sigpipe;
  while (!rest.empty()) {
    pollfd events[] = {
        {.fd = channel_.write_fd, .events = POLLOUT, .revents = 0},
        {.fd = broken_event_, .events = POLLIN, .revents = 0}};
    poll(events, std::size(events), -1);
    if (events[1].revents != 0) ThrowBroken();
    if (events[0].revents == 0) continue;
    // After poll(2), which can be interrupted, a write of this size does not
    // block.
    const absl::string_view piece = rest.substr(0, PIPE_BUF);
    const ssize_t written =
        write(channel_.write_fd, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      {
        const MutexLock lock(mutex_);
        Break(absl::StrCat("the driver no longer reads commands: ",
                           ErrnoSymbol(error)));
      }
      ThrowBroken();
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

void Session::ThrowBroken() const {
  const MutexLock lock(mutex_);
  throw DriverError(*broken_);
}

void Session::Break(absl::string_view why) {
  if (!broken_.has_value()) broken_ = std::string(why);
  const uint64_t one = 1;
  // Wakes the thread that reads. Fails only if the counter overflows, after
  // 2^64 calls.
  [[maybe_unused]] const ssize_t woken =
      write(broken_event_, &one, sizeof(one));
  changed_.NotifyAll();
}

void Session::Read() {
  reading_ = true;
  mutex_.unlock();
  // Only poll(2) runs without the lock. Otherwise another thread could see an
  // empty channel before the bytes that were in it are processed.
  pollfd events[] = {{.fd = channel_.read_fd, .events = POLLIN, .revents = 0},
                     {.fd = broken_event_, .events = POLLIN, .revents = 0}};
  poll(events, std::size(events), -1);
  mutex_.lock();
  reading_ = false;
  // Interrupted by a signal, or another thread broke the session.
  if (events[0].revents == 0) return changed_.NotifyAll();
  std::array<char, 65536> buffer;
  const ssize_t got = read(channel_.read_fd, buffer.data(), buffer.size());
  const int error = errno;
  if (got > 0) {
    Take({buffer.data(), static_cast<size_t>(got)});
  } else if (got == 0) {
    Break(frames_.rest().empty()
              ? "the driver ended"
              : absl::StrCat("the driver ended in the middle of a frame: ",
                             frames_.DescribeRest(), ": '",
                             absl::CHexEscape(frames_.rest().substr(0, 60)),
                             "'"));
  } else if (error != EINTR) {
    Break(absl::StrCat("reading from the driver: ", ErrnoSymbol(error)));
  }
  changed_.NotifyAll();
}

void Session::Take(absl::string_view bytes) {
  frames_.Append(bytes);
  while (!broken_.has_value()) {
    const absl::StatusOr<std::optional<std::string>> message = frames_.Next();
    if (!message.ok()) {
      return Break(absl::StrCat("the driver broke the protocol: ",
                                message.status().message()));
    }
    if (!message->has_value()) {
      return transcript_->SetIncomplete(frames_.DescribeRest());
    }
    Note(/*sent=*/false, **message);
    absl::StatusOr<Answer> answer = ParseAnswer(**message);
    if (!answer.ok()) {
      return Break(absl::StrCat(
          "the driver broke the protocol: ", answer.status().message(),
          "; it answered ", message->value().substr(0, 200)));
    }
    const auto call = calls_.find(answer->id);
    if (call == calls_.end() || call->second.answer.has_value()) {
      const bool is_old = answer->id > 0 && answer->id < next_id_;
      return Break(absl::StrCat(
          "the driver broke the protocol: it answered ", answer->id,
          is_old ? " a second time (do two threads share a variable?)"
                 : ", which is not the id of a pending command",
          WaitingCalls()));
    }
    call->second.answer = *std::move(answer);
  }
}

std::string Session::WaitingCalls() const {
  std::vector<std::string> waiting;
  for (const auto& [id, call] : calls_) {
    if (call.answer.has_value()) continue;
    waiting.push_back(absl::StrCat(id, " (", call.command, ")"));
  }
  if (waiting.empty()) return "; no command is pending";
  return absl::StrCat("; pending: ", absl::StrJoin(waiting, ", "));
}

void Session::Note(bool sent, absl::string_view message) {
  if (on_frame_ != nullptr) on_frame_(sent, message);
  ++messages_;
  transcript_->Add(sent, message);
}

}  // namespace net::conformance

#include "conformance/driver_host/driver.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "conformance/driver_host/answer.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/environment.h"
#include "conformance/implementation.h"
#include "conformance/linux/process_view.h"
#include "conformance/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net::conformance {

Driver::Driver(Channel channel, Session::OnFrame on_frame,
               std::unique_ptr<DriverProcess> process)
    : process_(std::move(process)),
      session_(channel, std::move(on_frame)),
      hello_(Greet(session_)),
      view_(hello_.pid) {}

Hello Driver::Greet(Session& session) {
  const Answer answer = session.Call(
      {{"command", "hello"}, {"versions", {1}}, {"suite", "net_tcp"}});
  if (const auto* ok = std::get_if<nlohmann::json>(&answer.content)) {
    return HelloFrom(*ok);
  }
  if (const auto* claim = std::get_if<Unsupported>(&answer.content)) {
    throw DriverError(
        absl::StrCat("the driver does not speak version 1 of the protocol: ",
                     claim->reason));
  }
  throw DriverError("the driver answered `hello` with an error");
}

bool Driver::IsBlocked() const {
  const auto before = view_.Sleeping();
  if (!before.has_value() || !session_.HasReadAll()) return false;
  constexpr useconds_t kMoment = 200;
  usleep(kMoment);
  return before == view_.Sleeping();
}

bool Driver::IsBlockedByCommand() const {
  const auto before = session_.NextMessage();
  return before.has_value() && session_.OwesAnswer() && IsBlocked() &&
         before == session_.NextMessage();
}

DriverSockets::~DriverSockets() {
  const MutexLock lock(mutex_);
  for (const auto& [handle, entry] : entries_) {
    if (entry.duplicate.has_value()) close(*entry.duplicate);
  }
}

std::shared_ptr<Driver> DriverSockets::driver() const {
  const MutexLock lock(mutex_);
  return driver_;
}

void DriverSockets::UseDriver(std::shared_ptr<Driver> driver) {
  const MutexLock lock(mutex_);
  driver_ = std::move(driver);
}

Handle DriverSockets::Add(Entry entry, const std::string& made_by) {
  const MutexLock lock(mutex_);
  if (entry.descriptor.has_value()) made_by_[*entry.descriptor] = made_by;
  const Handle handle{next_++};
  entries_[handle] = std::move(entry);
  return handle;
}

DriverSockets::Entry DriverSockets::Find(Handle handle) const {
  const MutexLock lock(mutex_);
  return entries_.at(handle);
}

void DriverSockets::Remove(Handle handle) {
  const MutexLock lock(mutex_);
  const Entry& entry = entries_.at(handle);
  // A duplicate would keep the connection open.
  if (entry.duplicate.has_value()) close(*entry.duplicate);
  entries_.erase(handle);
}

std::optional<int> DriverSockets::DuplicateOf(Entry& entry) {
  if (!entry.duplicate.has_value() && entry.descriptor.has_value()) {
    entry.duplicate = entry.driver->view().Duplicate(*entry.descriptor);
  }
  return entry.duplicate;
}

std::optional<int> DriverSockets::Duplicate(Handle handle) {
  const MutexLock lock(mutex_);
  return DuplicateOf(entries_.at(handle));
}

std::vector<Environment::Descriptor> DriverSockets::Open() const {
  std::vector<Environment::Descriptor> sockets = driver()->view().TcpSockets();
  const MutexLock lock(mutex_);
  for (Environment::Descriptor& socket : sockets) {
    const auto command = made_by_.find(socket.fd);
    absl::StrAppend(&socket.what, " of the driver, ",
                    command == made_by_.end()
                        ? "of which it has told nothing"
                        : absl::StrCat("made by ", command->second));
  }
  return sockets;
}

std::vector<int> DriverSockets::Renumber(const std::vector<int>& fds) {
  const MutexLock lock(mutex_);
  std::vector<int> numbers;
  for (const int fd : fds) {
    const auto known = std::find_if(
        entries_.begin(), entries_.end(),
        [fd](const auto& entry) { return entry.second.descriptor == fd; });
    numbers.push_back(
        known == entries_.end() ? fd : DuplicateOf(known->second).value_or(fd));
  }
  return numbers;
}

std::optional<int> DriverSockets::FindNew() const {
  std::optional<int> found;
  for (const Environment::Descriptor& socket : driver()->view().TcpSockets()) {
    const MutexLock lock(mutex_);
    const bool is_known =
        std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
          return entry.second.descriptor == socket.fd;
        });
    if (is_known) continue;
    if (found.has_value()) return std::nullopt;
    found = socket.fd;
  }
  return found;
}

}  // namespace net::conformance

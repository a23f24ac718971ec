#include "conformance/driver_host/driver.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
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
#include "conformance/driver_host/claimed_process.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/session.h"
#include "conformance/driver_host/transcript.h"
#include "conformance/environments/linux/process_view.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "nlohmann/json.hpp"
#include "syscalls/mutex.h"

namespace net::conformance {
namespace {

std::vector<DescriptorId> IdsOf(
    const std::vector<Environment::Descriptor>& descriptors) {
  std::vector<DescriptorId> ids;
  ids.reserve(descriptors.size());
  for (const Environment::Descriptor& one : descriptors) ids.push_back(one.id);
  return ids;
}

bool Contains(const std::vector<DescriptorId>& ids, const DescriptorId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

Driver::Driver(DriverLink link)
    : link_(std::move(link)),
      session_(link_.channel, link_.on_frame, link_.transcript),
      hello_(Greet()),
      process_(hello_, link_.channel, link_.process.get()),
      first_sockets_(IdsOf(view().TcpSockets())),
      operations_(hello_.operations) {}

bool Driver::HasFirstSockets() const {
  return IdsOf(view().TcpSockets()) == first_sockets_;
}

Hello Driver::Greet() {
  const Answer answer = session_.Call(
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

DriverSockets::DriverSockets(std::shared_ptr<Driver> driver) {
  UseDriver(std::move(driver));
}

DriverSockets::~DriverSockets() {
  const MutexLock lock(mutex_);
  for (const auto& [handle, entry] : entries_) {
    if (entry.duplicate.has_value()) close(*entry.duplicate);
  }
}

std::shared_ptr<Driver> DriverSockets::driver() const {
  const MutexLock lock(mutex_);
  return drivers_.back();
}

void DriverSockets::UseDriver(std::shared_ptr<Driver> driver) {
  const MutexLock lock(mutex_);
  for (const DescriptorId& id : driver->first_sockets()) {
    origins_[id] = "open before the trial";
  }
  drivers_.push_back(std::move(driver));
}

std::vector<std::shared_ptr<Driver>> DriverSockets::drivers() const {
  const MutexLock lock(mutex_);
  return drivers_;
}

Handle DriverSockets::Add(Entry entry, const std::string& made_by) {
  const MutexLock lock(mutex_);
  const bool is_used = std::any_of(
      entries_.begin(), entries_.end(), [&entry](const auto& other) {
        return other.second.driver == entry.driver &&
               other.second.number == entry.number;
      });
  if (is_used) {
    throw DriverError(absl::StrCat("the driver gave the number ", entry.number,
                                   " to two open sockets"));
  }
  const std::string origin = absl::StrCat("made by ", made_by);
  std::string description = absl::StrCat("socket ", entry.number);
  if (entry.descriptor.has_value()) {
    origins_[*entry.descriptor] = origin;
    absl::StrAppend(&description, " (descriptor ", entry.descriptor->fd, ")");
  }
  descriptions_[{entry.driver.get(), entry.number}] =
      absl::StrCat(description, ", ", origin);
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
  // An open duplicate would keep the connection open.
  if (entry.duplicate.has_value()) close(*entry.duplicate);
  entries_.erase(handle);
}

void DriverSockets::AscribeNew(const Driver& driver,
                               const std::string& command) {
  for (const DescriptorId& id : driver.view().Sockets()) {
    const MutexLock lock(mutex_);
    origins_.try_emplace(id, absl::StrCat("first seen after ", command));
  }
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

size_t DriverSockets::Offer(Handle handle, size_t size) const {
  const MutexLock lock(mutex_);
  const Entry& entry = entries_.at(handle);
  return std::min({size, entry.driver->hello().data,
                   entry.offer.value_or(entry.driver->hello().data)});
}

void DriverSockets::NoteSent(Handle handle, size_t offered, size_t taken) {
  // The least offer, so that a send that took nothing is followed by one that
  // can take something.
  constexpr size_t kLeast = 64;
  const MutexLock lock(mutex_);
  // All of a small send was taken, which does not show how much the socket
  // would take.
  std::optional<size_t>& offer = entries_.at(handle).offer;
  if (taken == offered && offered < offer.value_or(0)) return;
  if (taken < offered || offer.has_value()) {
    offer = std::max(kLeast, 2 * taken);
  }
}

bool DriverSockets::IsKnown(const Driver& driver,
                            const DescriptorId& id) const {
  if (Contains(driver.first_sockets(), id)) return true;
  const MutexLock lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.descriptor == id;
  });
}

std::vector<Environment::Descriptor> DriverSockets::Open() const {
  const std::vector<std::shared_ptr<Driver>> all = drivers();
  std::vector<Environment::Descriptor> open;
  for (const std::shared_ptr<Driver>& one : all) {
    for (Environment::Descriptor& socket : one->view().TcpSockets()) {
      const bool is_brought_along =
          one != all.front() && Contains(one->first_sockets(), socket.id);
      if (is_brought_along) continue;
      const MutexLock lock(mutex_);
      const auto origin = origins_.find(socket.id);
      absl::StrAppend(&socket.what, " of the driver, ",
                      origin == origins_.end() ? "made by no known command"
                                               : origin->second);
      open.push_back(std::move(socket));
    }
  }
  return open;
}

std::vector<Environment::Descriptor> DriverSockets::SurvivorsOfExec() {
  std::vector<Environment::Descriptor> survivors;
  for (const std::shared_ptr<Driver>& one : drivers()) {
    for (const DescriptorId& id : one->view().SurvivorsOfExec()) {
      const MutexLock lock(mutex_);
      const auto entry = std::find_if(
          entries_.begin(), entries_.end(),
          [&](const auto& each) { return each.second.descriptor == id; });
      const bool is_known = entry != entries_.end();
      survivors.push_back(
          {.id = id,
           .what = is_known ? "a socket of the case" : "not of the case",
           .own_fd = is_known ? DuplicateOf(entry->second) : std::nullopt});
    }
  }
  return survivors;
}

std::optional<DescriptorId> DriverSockets::FindNew(const Driver& driver) const {
  std::optional<DescriptorId> found;
  for (const Environment::Descriptor& socket : driver.view().TcpSockets()) {
    if (IsKnown(driver, socket.id)) continue;
    if (found.has_value()) return std::nullopt;
    found = socket.id;
  }
  return found;
}

std::string DriverSockets::Describe(const Driver& driver,
                                    uint64_t number) const {
  const MutexLock lock(mutex_);
  const auto found = descriptions_.find({&driver, number});
  if (found != descriptions_.end()) return found->second;
  return absl::StrCat("socket ", number, ", made by no command");
}

}  // namespace net::conformance

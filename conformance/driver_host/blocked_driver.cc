#include "conformance/driver_host/blocked_driver.h"

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "conformance/driver_host/driver.h"
#include "conformance/driver_host/operations.h"
#include "conformance/driver_host/session.h"
#include "conformance/environments/linux/blocked_call.h"
#include "conformance/environments/linux/sleep_watch.h"
#include "conformance/suite/environment.h"
#include "conformance/suite/precondition.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

using Kind = BlockedCall::Kind;

// The system calls of a driver's threads.
struct Calls {
  std::vector<BlockedCall> calls;
  bool all_sleep = true;
};

// Reads the system calls of all threads. Fails if that is not permitted.
absl::StatusOr<Calls> ReadCalls(const BlockedCallReader& reader) {
  Calls result;
  for (const pid_t thread : reader.Threads()) {
    const auto call = reader.Read(thread);
    if (!call.ok()) return call.status();
    if (call->has_value()) {
      result.calls.push_back(**call);
    } else {
      result.all_sleep = false;
    }
  }
  return result;
}

// Returns the driver's descriptors that an operation may be about. The socket
// of a pending connect is unknown, so these are all unknown ones.
std::vector<int> DescriptorsOf(const Driver& driver,
                               const DriverSockets& sockets,
                               const Operation& operation) {
  if (operation.descriptor.has_value()) return {*operation.descriptor};
  std::vector<int> unknown;
  for (const Environment::Descriptor& socket : driver.view().TcpSockets()) {
    if (!sockets.IsKnown(driver, socket.id)) unknown.push_back(socket.id.fd);
  }
  return unknown;
}

bool IsBlocked(const BlockedCallReader& reader, const Calls& all,
               const Operation& operation, const std::vector<int>& fds,
               ptrdiff_t how_many, bool has_read_all) {
  const auto can_be = [&](const BlockedCall& call) {
    return std::any_of(fds.begin(), fds.end(), [&](int fd) {
      return call.CanBe(*operation.blocks_in, fd) &&
             !(call.kind != Kind::kSocket &&
               reader.IsReady(fd, EventsOf(*operation.blocks_in)));
    });
  };
  const auto is_still_blocked = [&](const BlockedCall& call) {
    return reader.IsStillBlocked(call);
  };
  const auto& calls = all.calls;
  const auto in_call =
      std::count_if(calls.begin(), calls.end(), [&](const BlockedCall& call) {
        return call.kind == Kind::kSocket && can_be(call) &&
               is_still_blocked(call);
      });
  if (in_call >= how_many) return true;
  // One sleeping thread may be enough: an event loop serves any number of
  // operations, and an implementation may serialize equal operations on a
  // socket. Once all threads sleep, every command that was sent has reached its
  // thread.
  return all.all_sleep && has_read_all &&
         std::any_of(calls.begin(), calls.end(), can_be) &&
         std::all_of(calls.begin(), calls.end(), is_still_blocked);
}

std::string Describe(absl::Span<const Operation> operations) {
  return absl::StrJoin(
      operations, ", ", [](std::string* out, const Operation& operation) {
        absl::StrAppend(
            out, operation.blocks_in.has_value()
                     ? Describe(*operation.blocks_in, operation.descriptor)
                     : "a command that does not block");
      });
}

}  // namespace

DriverSnapshot Inspect(Driver& driver, const DriverSockets& sockets,
                       absl::Span<const Operation> operations) {
  const Session& session = driver.session();
  const auto before = session.NextMessage();
  const std::vector<Operation> held = driver.operations().All();
  if (!before.has_value() || session.Owed() != held.size()) return {};
  const BlockedCallReader& reader = driver.view().calls();
  const auto all = ReadCalls(reader);
  if (!all.ok()) {
    DriverSnapshot nothing;
    nothing.hidden = std::string(all.status().message());
    return nothing;
  }
  DriverSnapshot snapshot;
  snapshot.calls = Describe(all->calls);
  snapshot.held = held.size();
  snapshot.is_opaque = std::any_of(
      all->calls.begin(), all->calls.end(),
      [](const BlockedCall& call) { return call.kind == Kind::kOpaque; });
  if (all->all_sleep) {
    for (const BlockedCall& call : all->calls) {
      snapshot.sleep[call.thread] = call.times_slept;
    }
  }
  // An operation that has ended meanwhile is not held any more, so it is not
  // blocked.
  const auto is_blocked = [&](const Operation& operation) {
    const auto how_many = std::count(held.begin(), held.end(), operation);
    return how_many > 0 && operation.blocks_in.has_value() &&
           IsBlocked(reader, *all, operation,
                     DescriptorsOf(driver, sockets, operation), how_many,
                     session.HasReadAll());
  };
  snapshot.is_blocked =
      !operations.empty() &&
      std::all_of(operations.begin(), operations.end(), is_blocked);
  snapshot.is_blocked = snapshot.is_blocked && before == session.NextMessage();
  return snapshot;
}

bool NoteVainWait(const DriverSnapshot& snapshot, SleepWatch& watch,
                  absl::Span<const Operation> expected) {
  if (!snapshot.hidden.empty()) {
    NotePrecondition(absl::StrCat(
        "cannot read which system calls the driver's threads are blocked in: ",
        snapshot.hidden));
    return true;
  }
  if (!watch.Lasts(snapshot.sleep)) return false;
  if (snapshot.is_opaque) {
    NotePrecondition(absl::StrCat(snapshot.calls, ", which may be ",
                                  Describe(expected),
                                  "; /proc does not show it"));
  } else {
    ADD_FAILURE()
        << "the driver: " << snapshot.calls << ", not in " << Describe(expected)
        << (snapshot.held > 1
                ? absl::StrCat(
                      "\nIt was sent ", snapshot.held,
                      " operations that it has not answered, and not all of "
                      "them block. A driver that can hold only fewer "
                      "operations must declare `limits.operations` in hello.")
                : "");
  }
  return true;
}

Place::Place(Driver& driver, const DriverSockets& sockets,
             const Operation& operation, const std::function<void()>& abandon)
    : operations_(driver.operations()) {
  InspectionPauses pauses;
  SleepWatch watch;
  while (!operations_.TryBegin(operation, pauses.Next())) {
    const std::vector<Operation> held = operations_.All();
    const DriverSnapshot snapshot = Inspect(driver, sockets, held);
    const uint64_t limit = *operations_.limit();
    if (snapshot.is_blocked && held.size() == limit) {
      NotePrecondition(absl::StrCat("needs ", limit + 1,
                                    " operations at a time; the driver holds ",
                                    limit, "\n", snapshot.calls));
      abandon();
    }
    if (NoteVainWait(snapshot, watch, held)) abandon();
  }
}

}  // namespace net::conformance

#ifndef CONFORMANCE_COVERAGE_CELLS_H_
#define CONFORMANCE_COVERAGE_CELLS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/coverage/socket_history.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {

// The accounts of the suite: tables of cells that some case must reach.
// Observers (observers.h) note the cells that a case has reached, by the same
// names.

struct Account {
  char letter;
  absl::string_view title;
  std::vector<std::string> cells;
};

// Returns all accounts, in the order of their letters.
std::vector<Account> MakeAccounts();

// The names of cells.

// (a) "listen keepalive with backlog, v4". `how` is "absent", "present",
// "twice" or "with " and another option.
std::string OptionCell(absl::string_view operation, absl::string_view option,
                       absl::string_view how, AddressFamily family);

// (b) "connect ECONNREFUSED provoked". Calls with the errnos of another call
// have its cells (see ErrnosOf()).
enum class ErrnoOrigin { kProvoked, kInjected };
std::string ErrnoCell(Call call, int error, ErrnoOrigin origin);

// (c) "peeraddr, reset" for an operation; "getpeername(2), reset" for a call.
std::string StateCell(absl::string_view operation, SocketState state);
std::string StateCell(Call call, SocketState state);

// (d) "Listen on 127.0.0.1, a client to 127.0.0.2". The tested side is named by
// its operation.
enum class TestedSide { kListener, kConnector };
std::string AddressCell(TestedSide side, const ip::Addr& listener,
                        const ip::Addr& connector);
// Returns whether the account has cells for the address.
bool IsCountedAddress(const ip::Addr& addr);

// (e) "shutdown during accept4(2)".
std::string DuringCell(absl::string_view event, Call blocked);
inline constexpr absl::string_view kNumberReused = "number reused";
// Returns whether the account has cells for the call.
bool IsCountedBlocking(Call call);

// (f)
inline constexpr absl::string_view kManyAcceptors =
    "many acceptors on one listener";
inline constexpr absl::string_view kAcceptAgainstClose = "accept against close";
inline constexpr absl::string_view kManyConnects =
    "1,000 simultaneous connections";
inline constexpr absl::string_view kBalance =
    "SO_REUSEPORT over four listeners";
inline constexpr absl::string_view kForkWithListener =
    "fork with an open listener";
inline constexpr absl::string_view kExecWithListener =
    "exec with an open listener";

// (g) "listen: no descriptors", "listen: descriptors again".
std::string ResourceEndCell(absl::string_view operation,
                            absl::string_view resource);
std::string ResourceBackCell(absl::string_view operation,
                             absl::string_view resource);

// (h) "recv: EAGAIN, then data".
std::string ChangeCell(absl::string_view query, absl::string_view before,
                       absl::string_view after);
std::string AnotherSocketCell(absl::string_view query);

// Returns the call that stands for `call` in the accounts: recv for recvmsg and
// read, which do the same and have the rows of recv in the table of errnos.
Call CallWithRowsOf(Call call);

// Returns "getpeername(2)".
std::string CallText(Call call);

}  // namespace net::conformance

#endif  // CONFORMANCE_COVERAGE_CELLS_H_

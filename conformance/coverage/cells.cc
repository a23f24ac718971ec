#include "conformance/coverage/cells.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/coverage/socket_history.h"
#include "conformance/suite/case.h"
#include "fakes/call.h"
#include "fakes/errno_table.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

struct OptionsOf {
  absl::string_view operation;
  std::vector<absl::string_view> options;
};

// The options of implementation.h.
const std::vector<OptionsOf>& AllOptions() {
  static const auto& all = *new std::vector<OptionsOf>{
      {"listen",
       {"nonblock", "no_cloexec", "keepalive", "reuseaddr", "reuseport",
        "backlog", "port"}},
      {"connect", {"nonblock", "no_cloexec", "keepalive"}},
      {"accept", {"nonblock", "no_cloexec"}},
  };
  return all;
}

// The system calls that the operations of implementation.h consist of.
constexpr Call kCallsOfOperations[] = {
    Call::kSocket,   Call::kSetSockOpt,  Call::kGetSockOpt,
    Call::kBind,     Call::kListen,      Call::kAccept4,
    Call::kConnect,  Call::kGetSockName, Call::kGetPeerName,
    Call::kShutdown, Call::kClose,       Call::kRecv,
    Call::kSend,     Call::kPoll};

// The operations and calls on a socket.
constexpr absl::string_view kOperationsOnSockets[] = {
    "accept", "peeraddr", "localaddr",     "send",
    "recv",   "shutdown", "pending_error", "close"};
constexpr Call kCallsOnSockets[] = {
    Call::kBind,       Call::kListen,      Call::kConnect,
    Call::kAccept4,    Call::kGetSockName, Call::kGetPeerName,
    Call::kSetSockOpt, Call::kGetSockOpt,  Call::kShutdown,
    Call::kSend,       Call::kRecv,        Call::kClose};

const ip::Addr kAddresses[] = {
    ip::kAnyV4,          ip::kLocalV4,          ip::Addr::V4(127, 0, 0, 2),
    ip::kAnyV4.Mapped(), ip::kLocalV4.Mapped(), ip::kAnyV6,
    ip::kLocalV6,
};

constexpr Call kBlockingCalls[] = {Call::kAccept4, Call::kConnect, Call::kSend,
                                   Call::kRecv};

Account Options() {
  Account account{'a', "operation x option x family", {}};
  for (const auto& [operation, options] : AllOptions()) {
    for (const AddressFamily family :
         {AddressFamily::kV4, AddressFamily::kV6}) {
      for (const absl::string_view option : options) {
        std::vector<std::string> ways = {"absent", "present", "twice"};
        for (const absl::string_view other : options) {
          if (other != option) ways.push_back(absl::StrCat("with ", other));
        }
        for (const std::string& how : ways) {
          account.cells.push_back(OptionCell(operation, option, how, family));
        }
      }
    }
  }
  return account;
}

Account Errnos() {
  Account account{'b', "call x errno, provoked or injected", {}};
  for (const ErrnoRow& row : ErrnoTable()) {
    if (row.provocation != Provocation::kInjection) {
      account.cells.push_back(
          ErrnoCell(row.call, row.error, ErrnoOrigin::kProvoked));
    }
    const bool is_of_operation =
        std::find(std::begin(kCallsOfOperations), std::end(kCallsOfOperations),
                  row.call) != std::end(kCallsOfOperations);
    if (is_of_operation || row.provocation == Provocation::kInjection) {
      account.cells.push_back(
          ErrnoCell(row.call, row.error, ErrnoOrigin::kInjected));
    }
  }
  return account;
}

Account States() {
  Account account{'c', "operation or call x state of the socket", {}};
  for (const SocketState state : CountedStates()) {
    for (const absl::string_view operation : kOperationsOnSockets) {
      account.cells.push_back(StateCell(operation, state));
    }
    for (const Call call : kCallsOnSockets) {
      account.cells.push_back(StateCell(call, state));
    }
  }
  return account;
}

Account Addresses() {
  Account account{
      'd', "address of the listener x address of the connector", {}};
  for (const TestedSide side :
       {TestedSide::kListener, TestedSide::kConnector}) {
    for (const ip::Addr& listener : kAddresses) {
      for (const ip::Addr& connector : kAddresses) {
        account.cells.push_back(AddressCell(side, listener, connector));
      }
    }
  }
  return account;
}

Account Lifetimes() {
  Account account{'e', "end of a descriptor x blocked call", {}};
  for (const absl::string_view event :
       {absl::string_view("close"), absl::string_view("shutdown"),
        absl::string_view("exit"), kNumberReused}) {
    for (const Call call : kBlockingCalls) {
      account.cells.push_back(DuringCell(event, call));
    }
  }
  return account;
}

Account Concurrency() {
  Account account{'f', "concurrency", {}};
  for (const absl::string_view cell :
       {kManyAcceptors, kAcceptAgainstClose, kManyConnects, kBalance,
        kForkWithListener, kExecWithListener}) {
    account.cells.emplace_back(cell);
  }
  return account;
}

Account Resources() {
  Account account{'g', "end of a resource, and recovery", {}};
  for (const auto& [operation, resource] :
       {std::pair("listen", "descriptors"), std::pair("connect", "descriptors"),
        std::pair("accept", "descriptors"), std::pair("listen", "ports"),
        std::pair("connect", "ports"), std::pair("connect", "queue"),
        std::pair("send", "buffers")}) {
    account.cells.push_back(ResourceEndCell(operation, resource));
    account.cells.push_back(ResourceBackCell(operation, resource));
  }
  return account;
}

// A change of the answer to a query.
struct Change {
  absl::string_view query;
  absl::string_view before;
  absl::string_view after;
};

constexpr Change kChanges[] = {
    {"peeraddr", "none", "an address"},
    {"peeraddr", "an address", "none"},
    {"localaddr", "unbound", "an address"},
    {"pending_error", "none", "ECONNREFUSED"},
    {"pending_error", "ECONNREFUSED", "none"},
    {"pending_error", "none", "ECONNRESET"},
    {"pending_error", "ECONNRESET", "none"},
    {"pending_error", "none", "ETIMEDOUT"},
    {"pending_error", "ETIMEDOUT", "none"},
    {"accept", "EAGAIN", "a connection"},
    {"accept", "a connection", "EAGAIN"},
    {"accept", "EAGAIN", "EINVAL"},
    {"accept", "a connection", "EINVAL"},
    {"accept", "EMFILE", "a connection"},
    {"recv", "EAGAIN", "data"},
    {"recv", "data", "EAGAIN"},
    {"recv", "EAGAIN", "the end"},
    {"recv", "data", "the end"},
    {"recv", "EAGAIN", "ECONNRESET"},
    {"recv", "data", "ECONNRESET"},
    {"recv", "ECONNRESET", "the end"},
    {"send", "sent", "EAGAIN"},
    {"send", "EAGAIN", "sent"},
    {"send", "sent", "EPIPE"},
    {"send", "sent", "ECONNRESET"},
    {"send", "EAGAIN", "ECONNRESET"},
    {"send", "ECONNRESET", "EPIPE"},
};

constexpr absl::string_view kQueriesOfReusedNumbers[] = {
    "peeraddr", "localaddr", "pending_error"};

Account Changes() {
  Account account{'h', "query x change of its answer", {}};
  for (const Change& one : kChanges) {
    account.cells.push_back(ChangeCell(one.query, one.before, one.after));
  }
  for (const absl::string_view query : kQueriesOfReusedNumbers) {
    account.cells.push_back(AnotherSocketCell(query));
  }
  return account;
}

}  // namespace

std::vector<Account> MakeAccounts() {
  return {Options(),   Errnos(),      States(),    Addresses(),
          Lifetimes(), Concurrency(), Resources(), Changes()};
}

std::string OptionCell(absl::string_view operation, absl::string_view option,
                       absl::string_view how, AddressFamily family) {
  return absl::StrCat(operation, " ", option, " ", how, ", ",
                      AddressFamilyName(family));
}

std::string ErrnoCell(Call call, int error, ErrnoOrigin origin) {
  return absl::StrCat(
      CallName(CallWithRowsOf(call)), " ", ErrnoSymbol(error),
      origin == ErrnoOrigin::kProvoked ? " provoked" : " injected");
}

std::string StateCell(absl::string_view operation, SocketState state) {
  return absl::StrCat(operation, ", ", StateName(state));
}

std::string StateCell(Call call, SocketState state) {
  return StateCell(CallText(CallWithRowsOf(call)), state);
}

std::string AddressCell(TestedSide side, const ip::Addr& listener,
                        const ip::Addr& connector) {
  const bool listens = side == TestedSide::kListener;
  return absl::StrCat(
      listens ? "Listen on " : "a listener on ", listener.ToString(),
      listens ? ", a client to " : ", Connect to ", connector.ToString());
}

bool IsCountedAddress(const ip::Addr& addr) {
  return std::find(std::begin(kAddresses), std::end(kAddresses), addr) !=
         std::end(kAddresses);
}

std::string DuringCell(absl::string_view event, Call blocked) {
  return absl::StrCat(event, " during ", CallText(blocked));
}

bool IsCountedBlocking(Call call) {
  return std::find(std::begin(kBlockingCalls), std::end(kBlockingCalls),
                   call) != std::end(kBlockingCalls);
}

std::string ResourceEndCell(absl::string_view operation,
                            absl::string_view resource) {
  return absl::StrCat(operation, ": no ", resource);
}

std::string ResourceBackCell(absl::string_view operation,
                             absl::string_view resource) {
  return absl::StrCat(operation, ": ", resource, " again");
}

std::string ChangeCell(absl::string_view query, absl::string_view before,
                       absl::string_view after) {
  return absl::StrCat(query, ": ", before, ", then ", after);
}

std::string AnotherSocketCell(absl::string_view query) {
  return absl::StrCat(query, ": another socket with the descriptor's number");
}

Call CallWithRowsOf(Call call) {
  const auto has_rows = [](Call one) {
    return std::any_of(ErrnoTable().begin(), ErrnoTable().end(),
                       [one](const ErrnoRow& row) { return row.call == one; });
  };
  if (has_rows(call)) return call;
  const std::vector<int> errnos = ErrnosOf(call);
  for (const Call other : kAllCalls) {
    if (has_rows(other) && ErrnosOf(other) == errnos) return other;
  }
  return call;
}

std::string CallText(Call call) { return absl::StrCat(CallName(call), "(2)"); }

}  // namespace net::conformance

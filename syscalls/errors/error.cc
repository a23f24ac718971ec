#include "syscalls/errors/error.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"

namespace net {
namespace {

// Payload type under which a Status carries its errno, as decimal text.
constexpr absl::string_view kErrnoPayload = "net/errno";

// A remedy for an error, appended to its message where the errno's own text
// does not suggest one. An empty operation matches every operation.
struct Advice {
  int error;
  absl::string_view operation;
  absl::string_view text;
};

constexpr Advice kAdvice[] = {
    {EACCES, "listen",
     "ports below net.ipv4.ip_unprivileged_port_start need "
     "CAP_NET_BIND_SERVICE"},
    {EADDRINUSE, "listen",
     "another socket uses the port: `ss -ltnp` lists listeners; for a port "
     "with connections in TIME-WAIT, use ReuseAddr"},
    {EADDRNOTAVAIL, "listen", "the address is not a local address"},
    {EADDRNOTAVAIL, "connect",
     "the address is not reachable, or all local ports of "
     "net.ipv4.ip_local_port_range are in use for it"},
    {ECONNREFUSED, "connect", "nothing listens on that port"},
    {EMFILE, "", "raise RLIMIT_NOFILE, or search for a descriptor leak"},
    {ENFILE, "", "the system-wide limit fs.file-max is reached"},
};

absl::string_view AdviceFor(int error, absl::string_view operation) {
  for (const Advice& advice : kAdvice) {
    if (advice.error != error) continue;
    if (advice.operation.empty() || advice.operation == operation) {
      return advice.text;
    }
  }
  return "";
}

absl::Status MakeError(int error, absl::string_view operation,
                       absl::string_view endpoint) {
  const char* text = strerrordesc_np(error);
  std::string message =
      absl::StrCat(operation, endpoint.empty() ? "" : " ", endpoint, ": ",
                   ErrnoSymbol(error), ": ", text ? text : "Unknown error");
  if (absl::string_view advice = AdviceFor(error, operation); !advice.empty()) {
    absl::StrAppend(&message, " (", advice, ")");
  }
  absl::Status status(absl::ErrnoToStatusCode(error), message);
  status.SetPayload(kErrnoPayload, absl::Cord(absl::StrCat(error)));
  return status;
}

}  // namespace

absl::Status ErrnoError(int error, absl::string_view operation) {
  return MakeError(error, operation, "");
}

absl::Status ErrnoError(int error, absl::string_view operation,
                        const ip::Endpoint& endpoint) {
  return MakeError(error, operation, endpoint.ToString());
}

int ErrnoOf(const absl::Status& status) {
  if (auto payload = status.GetPayload(kErrnoPayload)) {
    int error = 0;
    if (absl::SimpleAtoi(std::string(*payload), &error)) return error;
  }
  return 0;
}

std::optional<ErrorKind> KindOf(const absl::Status& status) {
  if (status.ok()) return std::nullopt;
  return KindOfErrno(ErrnoOf(status));
}

std::optional<ErrorKind> KindOf(SysResult result) {
  if (result.ok()) return std::nullopt;
  return KindOfErrno(result.error());
}

}  // namespace net

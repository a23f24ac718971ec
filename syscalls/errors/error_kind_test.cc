#include "syscalls/errors/error_kind.h"

#include <cerrno>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace net {
namespace {

struct Row {
  ErrorKind kind;
  absl::string_view name;
  std::vector<int> errors;
};

// The table of kinds, written out. Reports and drivers depend on it.
const std::vector<Row>& Table() {
  static const auto& table = *new std::vector<Row>{
      {ErrorKind::kRefused, "refused", {ECONNREFUSED}},
      {ErrorKind::kTimeout, "timeout", {ETIMEDOUT}},
      {ErrorKind::kAgain, "again", {EAGAIN, EWOULDBLOCK}},
      {ErrorKind::kInterrupted, "interrupted", {EINTR}},
      {ErrorKind::kInvalid, "invalid", {EINVAL, EFAULT, EDOM}},
      {ErrorKind::kNoAccess, "no_access", {EACCES}},
      {ErrorKind::kNetUnreachable, "net_unreachable", {ENETUNREACH, ENETDOWN}},
      {ErrorKind::kCancelled, "cancelled", {ECANCELED}},
      {ErrorKind::kUnsupported,
       "unsupported",
       {EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENOPROTOOPT,
        EPROTOTYPE, ENOSYS}},
      {ErrorKind::kHostUnreachable,
       "host_unreachable",
       {EHOSTUNREACH, EHOSTDOWN, ENONET}},
      {ErrorKind::kPermission, "permission", {EPERM}},
      {ErrorKind::kAddressInUse, "address_in_use", {EADDRINUSE}},
      {ErrorKind::kAddressNotAvailable,
       "address_not_available",
       {EADDRNOTAVAIL}},
      {ErrorKind::kTooManyFiles, "too_many_files", {EMFILE, ENFILE}},
      {ErrorKind::kNoResources, "no_resources", {ENOBUFS, ENOMEM, ENOSR}},
      {ErrorKind::kConnectionReset, "connection_reset", {ECONNRESET}},
      {ErrorKind::kConnectionAborted, "connection_aborted", {ECONNABORTED}},
      {ErrorKind::kBrokenPipe, "broken_pipe", {EPIPE}},
      {ErrorKind::kNotConnected, "not_connected", {ENOTCONN}},
      {ErrorKind::kAlreadyConnected, "already_connected", {EISCONN}},
      {ErrorKind::kInProgress, "in_progress", {EINPROGRESS, EALREADY}},
      {ErrorKind::kBadDescriptor, "bad_descriptor", {EBADF}},
      {ErrorKind::kNotASocket, "not_a_socket", {ENOTSOCK}},
      {ErrorKind::kOpaque, "opaque", {EIO, ENOENT, EPROTO, ENODATA}},
  };
  return table;
}

TEST(ErrorKindTest, EachErrnoHasItsKind) {
  for (const Row& row : Table()) {
    for (const int error : row.errors) {
      EXPECT_EQ(KindOfErrno(error), row.kind) << error;
    }
  }
}

TEST(ErrorKindTest, EveryOtherErrnoIsOpaque) {
  std::set<int> in_table;
  for (const Row& row : Table()) {
    in_table.insert(row.errors.begin(), row.errors.end());
  }
  for (int error = -2; error < 4096; ++error) {
    if (in_table.count(error) != 0) continue;
    EXPECT_EQ(KindOfErrno(error), ErrorKind::kOpaque) << error;
  }
}

TEST(ErrorKindTest, EachKindHasItsName) {
  for (const Row& row : Table()) {
    EXPECT_EQ(KindName(row.kind), row.name);
    EXPECT_EQ(KindFromName(row.name), row.kind);
  }
  EXPECT_EQ(Table().size(), static_cast<size_t>(ErrorKind::kOpaque) + 1);
}

TEST(ErrorKindTest, OtherTextIsNoKind) {
  for (const absl::string_view text :
       {"", "Refused", "refused ", "refuse", "kRefused", "ECONNREFUSED"}) {
    EXPECT_EQ(KindFromName(text), std::nullopt) << text;
  }
}

TEST(ErrorKindTest, PrintsItsName) {
  std::ostringstream os;
  os << ErrorKind::kAddressInUse;
  EXPECT_EQ(os.str(), "address_in_use");
}

}  // namespace
}  // namespace net

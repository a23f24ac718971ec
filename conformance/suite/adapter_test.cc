#include "conformance/suite/adapter.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/factory.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "gtest/gtest.h"
#include "syscalls/errors/error.h"
#include "syscalls/errors/error_kind.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"
#include "syscalls/syscalls.h"

// The library under test. It has no real sockets; its results show which
// functions were called.
namespace mylib {

class Socket {
 public:
  explicit Socket(net::ip::Endpoint local) : local_(local) {}
  net::ip::Endpoint local() const { return local_; }

  absl::StatusOr<net::ip::Endpoint> LocalAddr() const { return local_; }
  absl::StatusOr<size_t> Send(absl::string_view data) const {
    if (data == "reset") return net::ErrnoError(ECONNRESET, "send");
    return data.size();
  }
  absl::StatusOr<size_t> Recv(absl::Span<char> buffer) const {
    buffer[0] = 'x';
    return 1;
  }
  absl::Status Shutdown(int how) const {
    if (how == SHUT_RD) return absl::InternalError("of no errno");
    return absl::OkStatus();
  }
  absl::Status Close() const {
    return local_.port == 99 ? net::ErrnoError(EIO, "close") : absl::OkStatus();
  }

 private:
  net::ip::Endpoint local_;
};

absl::StatusOr<Socket> Listen(net::ip::Endpoint local, bool reuse) {
  if (reuse) return net::ErrnoError(EADDRINUSE, "listen", local);
  return Socket(local);
}
absl::StatusOr<Socket> Connect(net::ip::Endpoint remote) {
  return Socket(remote);
}
absl::StatusOr<Socket> Accept(const Socket& listener) { return listener; }

}  // namespace mylib

// [sample]
// A library, as the suite sees it: the ways in which its calls are made.
struct MyLib {
  using Socket = mylib::Socket;

  absl::StatusOr<Socket> Listen(const net::ip::Endpoint& local,
                                const net::conformance::ListenOptions& want) {
    return mylib::Listen(local, want.reuseaddr);
  }
  net::conformance::Result<Socket> Connect(
      const net::ip::Endpoint& remote,
      const net::conformance::ConnectOptions& want) {
    if (want.nonblock) return net::conformance::Unsupported{"always waits"};
    return net::conformance::ToResult(mylib::Connect(remote));
  }
  absl::StatusOr<Socket> Accept(Socket& listener,
                                const net::conformance::AcceptOptions&) {
    return mylib::Accept(listener);
  }
  std::optional<net::ip::Endpoint> PeerAddr(Socket& socket) {
    return socket.local();
  }
};

std::unique_ptr<net::conformance::Implementation>
net::conformance::MakeImplementation(Syscalls& sys) {
  static_cast<void>(sys);  // mylib calls the kernel itself
  return std::make_unique<Adapter<MyLib>>();
}
// [/sample]

namespace net::conformance {

void PrintTo(Handle handle, std::ostream* os) {
  *os << "handle " << static_cast<uint64_t>(handle);
}

namespace {

constexpr ip::Endpoint kOne = {.addr = ip::kLocalV4, .port = 1};
constexpr ip::Endpoint kTwo = {.addr = ip::kLocalV4, .port = 2};
constexpr ip::Endpoint kBroken = {.addr = ip::kLocalV4, .port = 99};

class AdapterTest : public testing::Test {
 protected:
  const std::unique_ptr<Implementation> adapter_ =
      MakeImplementation(DefaultSyscalls());
};

TEST_F(AdapterTest, EachHandleIsItsSocketWhateverBecomesOfOthers) {
  const auto one = adapter_->Listen(kOne, {});
  const auto two = adapter_->Connect(kTwo, {});
  const auto accepted = adapter_->Accept(*one, {});
  ASSERT_TRUE(one.ok() && two.ok() && accepted.ok());
  EXPECT_EQ(*adapter_->LocalAddr(*one), kOne);
  EXPECT_EQ(*adapter_->LocalAddr(*accepted), kOne);
  ASSERT_TRUE(adapter_->Close(*one).ok());
  EXPECT_EQ(*adapter_->LocalAddr(*two), kTwo);
  EXPECT_EQ(*adapter_->PeerAddr(*two), kTwo);
  const auto three = adapter_->Connect(kOne, {});
  ASSERT_TRUE(three.ok());
  EXPECT_NE(*three, *one);
}

TEST_F(AdapterTest, AnswersWhatTheLibraryAnswers) {
  const auto socket = adapter_->Connect(kOne, {});
  EXPECT_EQ(*adapter_->Send(*socket, "data"), 4U);
  char byte = 0;
  EXPECT_EQ(*adapter_->Recv(*socket, absl::MakeSpan(&byte, 1)), 1U);
  EXPECT_EQ(byte, 'x');
  EXPECT_TRUE(adapter_->Shutdown(*socket, SHUT_WR).ok());
}

TEST_F(AdapterTest, TellsErrnosAndKinds) {
  const auto listener = adapter_->Listen(kOne, {.reuseaddr = true});
  ASSERT_NE(listener.error(), nullptr);
  EXPECT_EQ(listener.error()->error_number, EADDRINUSE);
  EXPECT_EQ(listener.error()->kind, ErrorKind::kAddressInUse);
  const auto socket = adapter_->Connect(kOne, {});
  EXPECT_EQ(ErrnoOf(adapter_->Send(*socket, "reset")), ECONNRESET);
}

TEST_F(AdapterTest, AnErrorWithoutErrnoIsOpaque) {
  const auto socket = adapter_->Connect(kOne, {});
  const auto shut = adapter_->Shutdown(*socket, SHUT_RD);
  ASSERT_NE(shut.error(), nullptr);
  EXPECT_EQ(shut.error()->error_number, std::nullopt);
  EXPECT_EQ(shut.error()->kind, ErrorKind::kOpaque);
  EXPECT_EQ(shut.error()->text, "of no errno");
}

TEST_F(AdapterTest, PassesClaimsOn) {
  const auto socket = adapter_->Connect(kOne, {.nonblock = true});
  ASSERT_NE(socket.unsupported(), nullptr);
  EXPECT_EQ(socket.unsupported()->reason, "always waits");
}

TEST_F(AdapterTest, CloseForgetsTheHandleWhateverItAnswers) {
  const auto broken = adapter_->Connect(kBroken, {});
  EXPECT_EQ(ErrnoOf(adapter_->Close(*broken)), EIO);
  EXPECT_THROW(static_cast<void>(adapter_->LocalAddr(*broken)),
               std::out_of_range);
}

TEST_F(AdapterTest, WhatTheLibraryLacksIsUnsupported) {
  const auto socket = adapter_->Connect(kOne, {});
  EXPECT_NE(adapter_->PendingError(*socket).unsupported(), nullptr);
  EXPECT_NE(adapter_->Adopt(0).unsupported(), nullptr);
  EXPECT_EQ(adapter_->NativeHandle(*socket), std::nullopt);
  EXPECT_FALSE(adapter_->UseSyscalls(DefaultSyscalls()));
}

// A library that cannot report the local address of its sockets.
struct BareSocket : private mylib::Socket {
  explicit BareSocket(ip::Endpoint local) : mylib::Socket(local) {}
  using mylib::Socket::Close;
  using mylib::Socket::Recv;
  using mylib::Socket::Send;
  using mylib::Socket::Shutdown;
};
struct BareLib {
  using Socket = BareSocket;

  Result<Socket> Listen(const ip::Endpoint& local, const ListenOptions&) {
    return Socket(local);
  }
  Result<Socket> Connect(const ip::Endpoint& remote, const ConnectOptions&) {
    return Socket(remote);
  }
  Result<Socket> Accept(Socket& listener, const AcceptOptions&) {
    return listener;
  }
  std::optional<ip::Endpoint> PeerAddr(Socket&) { return std::nullopt; }
};

TEST(AdapterOfLittleTest, LocalAddrMayBeLeftOut) {
  Adapter<BareLib> adapter;
  const auto socket = adapter.Connect(kOne, {});
  ASSERT_TRUE(socket.ok());
  EXPECT_NE(adapter.LocalAddr(*socket).unsupported(), nullptr);
  EXPECT_EQ(adapter.ReportedEndpoint(*socket), std::nullopt);
  EXPECT_TRUE(adapter.Close(*socket).ok());
}

// A library that has every optional function of a SocketLibrary.
struct WholeSocket : mylib::Socket {
  static int fd() { return 7; }
  static absl::Status PendingError() { return ErrnoError(ENETDOWN, "connect"); }
};
struct WholeLib {
  using Socket = WholeSocket;

  absl::StatusOr<Socket> Listen(const ip::Endpoint& local,
                                const ListenOptions&) {
    return Socket{mylib::Socket(local)};
  }
  absl::StatusOr<Socket> Connect(const ip::Endpoint& remote,
                                 const ConnectOptions&) {
    return Socket{mylib::Socket(remote)};
  }
  Result<Socket> Accept(Socket& listener, const AcceptOptions&) {
    return listener;
  }
  std::optional<ip::Endpoint> PeerAddr(Socket&) { return std::nullopt; }
  Socket Adopt(int fd) {
    return Socket{
        mylib::Socket({.addr = ip::kAnyV4, .port = static_cast<uint16_t>(fd)})};
  }
  void UseSyscalls(Syscalls& sys) { *used = &sys; }

  Syscalls** used;
};

TEST(AdapterOfAllTest, WhatTheLibraryHasIsCalled) {
  Syscalls* used = nullptr;
  Adapter<WholeLib> adapter(WholeLib{.used = &used});
  const auto socket = adapter.Adopt(5);
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(adapter.LocalAddr(*socket)->port, 5);
  EXPECT_EQ(adapter.NativeHandle(*socket), 7);
  EXPECT_EQ(ErrnoOf(adapter.PendingError(*socket)), ENETDOWN);
  EXPECT_TRUE(adapter.UseSyscalls(DefaultSyscalls()));
  EXPECT_EQ(used, &DefaultSyscalls());
}

}  // namespace
}  // namespace net::conformance

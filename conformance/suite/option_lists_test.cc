#include "conformance/suite/option_lists.h"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "conformance/suite/adapter.h"
#include "conformance/suite/implementation.h"
#include "conformance/suite/result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net::conformance {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr ip::Endpoint kAt = {.addr = ip::kLocalV4, .port = 1};
constexpr uint16_t kPicked = 4711;
constexpr uint16_t kUntouched = 7;

struct PlainSocket {
  static Result<size_t> Send(absl::string_view data) { return data.size(); }
  static Result<size_t> Recv(absl::Span<char>) { return size_t{0}; }
  static Result<Done> Shutdown(int) { return Done{}; }
  static Result<Done> Close() { return Done{}; }
};

// A library without option lists. Records the options of the last calls.
struct PlainLibrary {
  using Socket = PlainSocket;

  Result<Socket> Listen(const ip::Endpoint&, const ListenOptions& options) {
    listen = options;
    if (options.port != nullptr) *options.port = kPicked;
    if (fails) return Error{};
    return Socket{};
  }
  Result<Socket> Connect(const ip::Endpoint&, const ConnectOptions& options) {
    connect = options;
    return Socket{};
  }
  Result<Socket> Accept(Socket&, const AcceptOptions& options) {
    accept = options;
    return Socket{};
  }
  static std::optional<ip::Endpoint> PeerAddr(Socket&) { return kAt; }

  bool fails = false;
  std::optional<ListenOptions> listen;
  std::optional<ConnectOptions> connect;
  std::optional<AcceptOptions> accept;
};

class Plain : public Adapter<PlainLibrary> {
 public:
  using Adapter::Adapter;
  using Adapter::library;
};

std::string ReasonOf(const Result<Handle>& result) {
  return result.unsupported() == nullptr ? "" : result.unsupported()->reason;
}

TEST(OptionListsTest, AListStartsWithThePlainOptions) {
  uint16_t first = 0;
  uint16_t second = 0;
  const ListenOptionList list{.options = {.backlog = 3, .port = &first},
                              .backlogs = {5},
                              .ports = {&second, nullptr}};
  EXPECT_THAT(BacklogsOf(list), ElementsAre(3, 5));
  EXPECT_THAT(PortsOf(list), ElementsAre(&first, &second, nullptr));
  EXPECT_THAT(BacklogsOf({}), IsEmpty());
  EXPECT_THAT(PortsOf({}), IsEmpty());
}

TEST(OptionListsTest, AListThatPlainOptionsCanHoldIsGivenAsPlainOptions) {
  Plain plain;
  ASSERT_TRUE(ListenWithList(plain, kAt,
                             {.options = {.reuseaddr = true},
                              .backlogs = {static_cast<uint32_t>(INT_MAX)}})
                  .ok());
  EXPECT_TRUE(plain.library().listen->reuseaddr);
  EXPECT_EQ(plain.library().listen->backlog, INT_MAX);
  EXPECT_EQ(plain.library().listen->port, nullptr);
  const auto connected =
      ConnectWithList(plain, kAt, {.options = {.keepalive = true}});
  ASSERT_TRUE(connected.ok());
  EXPECT_TRUE(plain.library().connect->keepalive);
  ASSERT_TRUE(
      AcceptWithList(plain, *connected, {.options = {.nonblock = true}}).ok());
  EXPECT_TRUE(plain.library().accept->nonblock);
}

TEST(OptionListsTest, AllPointersReceiveTheOnePort) {
  Plain plain;
  uint16_t ports[3] = {kUntouched, kUntouched, kUntouched};
  ASSERT_TRUE(ListenWithList(plain, kAt,
                             {.options = {.port = &ports[0]},
                              .ports = {&ports[1], &ports[2]}})
                  .ok());
  EXPECT_THAT(ports, Each(kPicked));
}

// PlainLibrary writes to the port before it fails.
TEST(OptionListsTest, AFailureThatWritesToThePortIsSeen) {
  Plain plain(PlainLibrary{.fails = true});
  uint16_t ports[2] = {kUntouched, kUntouched};
  EXPECT_NE(
      ListenWithList(plain, kAt, {.ports = {&ports[0], &ports[1]}}).error(),
      nullptr);
  EXPECT_THAT(ports, ElementsAre(kPicked, kUntouched));
}

TEST(OptionListsTest, AListThatPlainOptionsCannotHoldIsUnsupported) {
  Plain plain;
  const auto listen = [&](const ListenOptionList& list) {
    return ReasonOf(ListenWithList(plain, kAt, list));
  };
  EXPECT_EQ(listen({.unknown_flag = 16}), "has no flags");
  EXPECT_EQ(listen({.times = 2}), "takes no list of options");
  EXPECT_EQ(listen({.backlogs = {1, 2}}), "takes one backlog");
  EXPECT_EQ(listen({.options = {.backlog = 1}, .backlogs = {2}}),
            "takes one backlog");
  EXPECT_EQ(listen({.backlogs = {uint32_t{INT_MAX} + 1}}),
            "takes the backlog as an int");
  EXPECT_EQ(listen({.ports = {nullptr}}), "takes no pointer for the port");
  EXPECT_EQ(ReasonOf(ConnectWithList(plain, kAt, {.times = 2})),
            "takes no list of options");
  EXPECT_EQ(ReasonOf(ConnectWithList(plain, kAt, {.unknown_flag = 16})),
            "has no flags");
  const auto socket = plain.Connect(kAt, {});
  EXPECT_EQ(ReasonOf(AcceptWithList(plain, *socket, {.unknown_flag = 16})),
            "has no flags");
  EXPECT_FALSE(plain.library().listen.has_value()) << "was called";
  EXPECT_FALSE(plain.library().accept.has_value()) << "was called";
}

// Has a reason of its own for one of the parts.
class PlainWithReason : public Plain {
 public:
  std::optional<std::string> WhyNoOptionList(
      const ListOnly& parts) const override {
    if (parts.unknown_flag) return "has other flags";
    return std::nullopt;
  }
};

TEST(OptionListsTest, AnImplementationMayGiveAReasonOfItsOwn) {
  PlainWithReason plain;
  EXPECT_EQ(ReasonOf(ListenWithList(plain, kAt, {.unknown_flag = 16})),
            "has other flags");
  EXPECT_EQ(ReasonOf(ListenWithList(plain, kAt, {.times = 2})),
            "takes no list of options");
}

// Has the extension. Returns a part of the list as the errno.
class WithLists : public Plain, private OptionListExtension {
 public:
  OptionListExtension* option_lists() override { return this; }

 private:
  Result<Handle> ListenWithList(const ip::Endpoint&,
                                const ListenOptionList& list) override {
    return Error{.error_number = static_cast<int>(list.ports.size())};
  }
  Result<Handle> ConnectWithList(const ip::Endpoint&,
                                 const ConnectOptionList& list) override {
    return Error{.error_number = list.times};
  }
  Result<Handle> AcceptWithList(Handle, const AcceptOptionList& list) override {
    return Error{.error_number = static_cast<int>(*list.unknown_flag)};
  }
};

TEST(OptionListsTest, TheExtensionIsGivenTheList) {
  WithLists with_lists;
  EXPECT_EQ(ErrnoOf(ListenWithList(with_lists, kAt,
                                   {.ports = {nullptr, nullptr, nullptr}})),
            3);
  EXPECT_EQ(ErrnoOf(ConnectWithList(with_lists, kAt, {.times = 5})), 5);
  EXPECT_EQ(ErrnoOf(AcceptWithList(with_lists, Handle{}, {.unknown_flag = 16})),
            16);
}

}  // namespace
}  // namespace net::conformance

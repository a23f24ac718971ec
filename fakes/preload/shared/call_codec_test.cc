#include "fakes/preload/shared/call_codec.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "fakes/preload/shared/message.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"

namespace net::preload {
namespace {

// Passes a call on as the client and the server do. `kernel` makes it, with the
// server's copies.
template <Call kCall>
SysResult Pass(const Arguments<kCall>& arguments,
               absl::FunctionRef<SysResult(const Arguments<kCall>&)> kernel) {
  const ClientCall client((Invocation(arguments)));
  MessageWriter request;
  client.Put(request);
  MessageReader requested(request.bytes());
  std::optional<ServerCall> server = ServerCall::Take(requested);
  EXPECT_TRUE(server.has_value());
  if (!server.has_value()) return SysResult();
  const auto* const copy = server->invocation().As<kCall>();
  EXPECT_NE(copy, nullptr);
  MessageWriter reply;
  server->PutResult(copy == nullptr ? SysResult() : kernel(*copy), reply);
  MessageReader replied(reply.bytes());
  return client.TakeResult(replied);
}

TEST(CallCodecTest, PassesDataThatIsWritten) {
  const std::string data = "GET /";
  const SysResult result = Pass<Call::kSend>(
      {.fd = 7, .data = data.data(), .size = data.size(), .flags = MSG_MORE},
      [&](const auto& send) {
        EXPECT_NE(send.data, data.data());
        EXPECT_EQ(send.fd, 7);
        EXPECT_EQ(send.flags, MSG_MORE);
        EXPECT_EQ(std::string(static_cast<const char*>(send.data), send.size),
                  "GET /");
        return SysResult::Ok(3);
      });
  EXPECT_EQ(result, SysResult::Ok(3));
}

TEST(CallCodecTest, FillsInOnlyTheBytesThatWereRead) {
  std::string buffer = "0123456789";
  const SysResult result =
      Pass<Call::kRead>({.fd = 3, .data = buffer.data(), .size = buffer.size()},
                        [](const auto& read) {
                          std::memcpy(read.data, "abcXXX", 6);
                          return SysResult::Ok(3);
                        });
  EXPECT_EQ(result, SysResult::Ok(3));
  EXPECT_EQ(buffer, "abc3456789");
}

TEST(CallCodecTest, ReturnsErrors) {
  std::string buffer = "0123";
  EXPECT_EQ(Pass<Call::kRead>(
                {.fd = 3, .data = buffer.data(), .size = buffer.size()},
                [](const auto& /*read*/) { return SysResult::Error(EAGAIN); }),
            SysResult::Error(EAGAIN));
  EXPECT_EQ(buffer, "0123");
}

TEST(CallCodecTest, SpreadsReceivedBytesOverBuffers) {
  std::string first = "..";
  std::string second = "....";
  std::array<iovec, 2> buffers = {
      {{first.data(), first.size()}, {second.data(), second.size()}}};
  sockaddr_in name = {};
  msghdr message = {};
  message.msg_name = &name;
  message.msg_namelen = sizeof(name);
  message.msg_iov = buffers.data();
  message.msg_iovlen = buffers.size();
  const SysResult result = Pass<Call::kRecvMsg>(
      {.fd = 3, .message = &message, .flags = 0}, [](const auto& receive) {
        EXPECT_EQ(receive.message->msg_iovlen, 2U);
        std::memcpy(receive.message->msg_iov[0].iov_base, "ab", 2);
        std::memcpy(receive.message->msg_iov[1].iov_base, "cXXX", 4);
        static_cast<sockaddr_in*>(receive.message->msg_name)->sin_port = 80;
        receive.message->msg_namelen = 0;
        receive.message->msg_flags = MSG_EOR;
        return SysResult::Ok(3);
      });
  EXPECT_EQ(result, SysResult::Ok(3));
  EXPECT_EQ(first, "ab");
  EXPECT_EQ(second, "c...");
  EXPECT_EQ(name.sin_port, 80);
  EXPECT_EQ(message.msg_namelen, 0U);
  EXPECT_EQ(message.msg_flags, MSG_EOR);
  // The pointers are the program's.
  EXPECT_EQ(message.msg_name, &name);
  EXPECT_EQ(message.msg_iov, buffers.data());
  EXPECT_EQ(buffers[1].iov_base, second.data());
}

TEST(CallCodecTest, FillsInEachMessage) {
  std::string first = "..";
  std::string second = "..";
  std::array<iovec, 2> buffers = {
      {{first.data(), first.size()}, {second.data(), second.size()}}};
  std::array<mmsghdr, 2> messages = {};
  for (size_t i = 0; i < messages.size(); ++i) {
    messages[i].msg_hdr.msg_iov = &buffers[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const SysResult result = Pass<Call::kRecvMMsg>(
      {.fd = 3,
       .messages = messages.data(),
       .count = 2,
       .flags = 0,
       .timeout = nullptr},
      [](const auto& receive) {
        for (int i = 0; i < 2; ++i) {
          std::memcpy(receive.messages[i].msg_hdr.msg_iov->iov_base, "ab", 1);
          receive.messages[i].msg_len = 1;
        }
        return SysResult::Ok(2);
      });
  EXPECT_EQ(result, SysResult::Ok(2));
  EXPECT_EQ(first, "a.");
  EXPECT_EQ(second, "a.");
  EXPECT_EQ(messages[1].msg_len, 1U);
  EXPECT_EQ(messages[1].msg_hdr.msg_iov, &buffers[1]);
}

TEST(CallCodecTest, PassesOffsets) {
  off_t offset = 7;
  const SysResult result = Pass<Call::kSendFile>(
      {.out_fd = 3, .in_fd = 4, .offset = &offset, .size = 5},
      [](const auto& send) {
        EXPECT_EQ(*send.offset, 7);
        *send.offset = 12;
        return SysResult::Ok(5);
      });
  EXPECT_EQ(result, SysResult::Ok(5));
  EXPECT_EQ(offset, 12);
}

TEST(CallCodecTest, PassesSets) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(3, &readable);
  FD_SET(70, &readable);
  FD_SET(900, &readable);
  timeval timeout = {.tv_sec = 5, .tv_usec = 0};
  const SysResult result =
      Pass<Call::kSelect>({.count = 71,
                           .readable = &readable,
                           .writable = nullptr,
                           .exceptional = nullptr,
                           .timeout = &timeout},
                          [](const auto& select) {
                            EXPECT_TRUE(FD_ISSET(70, select.readable));
                            EXPECT_EQ(select.writable, nullptr);
                            FD_CLR(3, select.readable);
                            select.timeout->tv_sec = 2;
                            return SysResult::Ok(1);
                          });
  EXPECT_EQ(result, SysResult::Ok(1));
  EXPECT_FALSE(FD_ISSET(3, &readable));
  EXPECT_TRUE(FD_ISSET(70, &readable));
  EXPECT_TRUE(FD_ISSET(900, &readable));
  EXPECT_EQ(timeout.tv_sec, 2);
}

TEST(CallCodecTest, PassesAddressesAndTheirLengths) {
  sockaddr_in name = {};
  socklen_t size = sizeof(name);
  const SysResult result = Pass<Call::kGetSockName>(
      {.fd = 3, .addr = reinterpret_cast<sockaddr*>(&name), .len = &size},
      [](const auto& call) {
        EXPECT_EQ(*call.len, sizeof(sockaddr_in));
        reinterpret_cast<sockaddr_in*>(call.addr)->sin_port = 80;
        *call.len = 4;
        return SysResult::Ok();
      });
  EXPECT_EQ(result, SysResult::Ok());
  EXPECT_EQ(name.sin_port, 80);
  EXPECT_EQ(size, 4U);
}

TEST(CallCodecTest, PassesEventsOfPoll) {
  pollfd one = {.fd = 3, .events = POLLIN, .revents = 0};
  const SysResult result = Pass<Call::kPPoll>(
      {.fds = &one, .count = 1, .timeout = nullptr, .signals = nullptr},
      [](const auto& call) {
        EXPECT_EQ(call.fds->events, POLLIN);
        EXPECT_EQ(call.timeout, nullptr);
        call.fds->revents = POLLHUP;
        return SysResult::Ok(1);
      });
  EXPECT_EQ(result, SysResult::Ok(1));
  EXPECT_EQ(one.revents, POLLHUP);
}

TEST(CallCodecTest, FillsInOnlyTheEventsOfEpoll) {
  std::vector<epoll_event> events(3);
  events[1].data.u64 = 17;
  const SysResult result = Pass<Call::kEpollWait>({.epoll_fd = 4,
                                                   .events = events.data(),
                                                   .max_events = 3,
                                                   .timeout_ms = -1},
                                                  [](const auto& call) {
                                                    call.events[0].data.u64 = 5;
                                                    call.events[1].data.u64 = 6;
                                                    return SysResult::Ok(1);
                                                  });
  EXPECT_EQ(result, SysResult::Ok(1));
  EXPECT_EQ(uint64_t{events[0].data.u64}, 5U);
  EXPECT_EQ(uint64_t{events[1].data.u64}, 17U);
}

// The kernel returns EFAULT for them, so they must come through.
TEST(CallCodecTest, LeavesInvalidPointersAsTheyAre) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an invalid pointer
  auto* const invalid = reinterpret_cast<void*>(intptr_t{-1});
  const SysResult result = Pass<Call::kRead>(
      {.fd = 3, .data = invalid, .size = 5}, [&](const auto& read) {
        EXPECT_EQ(read.data, invalid);
        return SysResult::Error(EFAULT);
      });
  EXPECT_EQ(result, SysResult::Error(EFAULT));
}

// A program may pass a constant. The reply must not write to it.
TEST(CallCodecTest, DoesNotWriteWhatIoctlOnlyReads) {
  static constexpr int kOn = 1;
  const SysResult result = Pass<Call::kIoctl>(
      {.fd = 3,
       .request = FIONBIO,
       .argument = reinterpret_cast<intptr_t>(&kOn)},
      [](const auto& call) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it is one
        EXPECT_EQ(*reinterpret_cast<const int*>(call.argument), 1);
        return SysResult::Ok();
      });
  EXPECT_EQ(result, SysResult::Ok());
}

TEST(CallCodecTest, RefusesOtherMessages) {
  MessageWriter unknown;
  unknown.Put(uint32_t{1'000'000});
  MessageReader message(unknown.bytes());
  EXPECT_FALSE(ServerCall::Take(message).has_value());
}

}  // namespace
}  // namespace net::preload

// sendmmsg(2) and recvmmsg(2).

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <ctime>
#include <string>
#include <vector>

#include "conformance/kernel_cases/epoll_helpers.h"
#include "conformance/kernel_cases/helpers.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/sys_result.h"
#include "syscalls/testing/matchers.h"

namespace net::conformance {
namespace {

using loopback::Pair;
using loopback::RawSocket;

// A number that no open descriptor has.
constexpr int kNotOpen = 999999;

// Messages of two bytes each.
class Messages {
 public:
  explicit Messages(size_t count) : bytes_(count, "--"), parts_(count) {
    messages_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      parts_[i] = {.iov_base = bytes_[i].data(), .iov_len = 2};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_len = 77;
    }
  }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  ~Messages() = default;

  mmsghdr& operator[](size_t i) { return messages_[i]; }
  iovec& part(size_t i) { return parts_[i]; }
  const std::string& bytes(size_t i) const { return bytes_[i]; }

  SysResult Send(const RawSocket& socket, int flags = 0) {
    return socket.syscalls().SendMMsg(
        socket.fd(), messages_.data(),
        static_cast<unsigned int>(messages_.size()), flags | MSG_NOSIGNAL);
  }
  SysResult Receive(const RawSocket& socket, int flags = 0,
                    timespec* timeout = nullptr) {
    return socket.syscalls().RecvMMsg(
        socket.fd(), messages_.data(),
        static_cast<unsigned int>(messages_.size()), flags, timeout);
  }

 private:
  std::vector<std::string> bytes_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
};

// ---- sendmmsg(2) ------------------------------------------------------------

void SendsAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Messages messages(3);
  EXPECT_THAT(messages.Send(pair.client), IsOkAndHolds(3));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(messages[i].msg_len, 2U);
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("------"));
}

void SendsNone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  EXPECT_THAT(c.sys().SendMMsg(pair.client.fd(), nullptr, 0, 0),
              IsOkAndHolds(0));
  EXPECT_THAT(c.sys().SendMMsg(kNotOpen, nullptr, 0, 0), IsErrno(EBADF));
  EXPECT_THAT(c.sys().SendMMsg(counter.fd(), nullptr, 0, 0), IsErrno(ENOTSOCK));
  EXPECT_THAT(c.sys().SendMMsg(pair.client.fd(), nullptr, 1, 0),
              IsErrno(EFAULT));
}

void SendsUntilAnError(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Messages messages(3);
  messages[1].msg_hdr.msg_iov = reinterpret_cast<iovec*>(BadAddress());
  EXPECT_THAT(messages.Send(pair.client), IsOkAndHolds(1));
  EXPECT_EQ(messages[0].msg_len, 2U);
  EXPECT_EQ(messages[1].msg_len, 77U);
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("--"));
  EXPECT_THAT(pair.client.PendingError(), IsOkAndHolds(0))
      << "the error is lost";
}

void SendsToNobody(Context& c) {
  ASSERT_OK_AND_ASSIGN(const RawSocket socket, NewTcp(c));
  Messages messages(2);
  EXPECT_THAT(messages.Send(socket), IsErrno(EPIPE));
}

// ---- recvmmsg(2) ------------------------------------------------------------

void ReceivesAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abcde"), IsOk());
  Messages messages(4);
  std::array<char, 16> name = {};
  messages[0].msg_hdr.msg_name = name.data();
  messages[0].msg_hdr.msg_namelen = name.size();
  messages[0].msg_hdr.msg_flags = 77;
  EXPECT_THAT(messages.Receive(pair.server, MSG_DONTWAIT), IsOkAndHolds(3));
  EXPECT_EQ(messages.bytes(0) + messages.bytes(1) + messages.bytes(2),
            "abcde-");
  EXPECT_EQ(messages[2].msg_len, 1U);
  EXPECT_EQ(messages[3].msg_len, 77U);
  EXPECT_EQ(messages[0].msg_hdr.msg_namelen, 0U);
  EXPECT_EQ(messages[0].msg_hdr.msg_flags, 0);
  EXPECT_THAT(messages.Receive(pair.server, MSG_DONTWAIT), IsErrno(EAGAIN));
}

void ReceivesNone(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_OK_AND_ASSIGN(const RawSocket counter, NewCounter(c));
  const auto receive = [&](int fd) {
    return c.sys().RecvMMsg(fd, nullptr, 0, 0, nullptr);
  };
  EXPECT_THAT(receive(pair.server.fd()), IsOkAndHolds(0));
  EXPECT_THAT(receive(kNotOpen), IsErrno(EBADF));
  EXPECT_THAT(receive(counter.fd()), IsErrno(ENOTSOCK));
}

void ReceivesAtTheEnd(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abc"), IsOk());
  ASSERT_THAT(pair.client.HalfClose(), IsOk());
  Messages messages(4);
  EXPECT_THAT(messages.Receive(pair.server), IsOkAndHolds(4));
  EXPECT_EQ(messages[1].msg_len, 1U);
  EXPECT_EQ(messages[2].msg_len, 0U);
  EXPECT_EQ(messages[3].msg_len, 0U);
}

void WaitsForOne(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Messages messages(3);
  PendingCall receiving(
      c, [&] { return messages.Receive(pair.server, MSG_WAITFORONE); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
  EXPECT_EQ(messages[0].msg_len, 1U);
}

void WaitsForAll(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  Messages messages(2);
  PendingCall receiving(c, [&] { return messages.Receive(pair.server); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("a"), IsOk());
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Send("b"), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(2));
}

void KeepsTheError(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abcd"), IsOk());
  Messages messages(3);
  messages.part(1).iov_base = nullptr;
  EXPECT_THAT(messages.Receive(pair.server), IsOkAndHolds(1));
  EXPECT_THAT(messages.Receive(pair.server), IsErrno(EFAULT))
      << "that of the second message";
  EXPECT_THAT(RecvOnce(pair.server), IsOkAndHolds("cd"));
}

void KeepsTheReset(Context& c) {
  ASSERT_OK_AND_ASSIGN(Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("ab"), IsOk());
  Messages messages(3);
  PendingCall receiving(c, [&] { return messages.Receive(pair.server); });
  ASSERT_TRUE(receiving.AwaitBlocked());
  ASSERT_THAT(pair.client.Reset(), IsOk());
  EXPECT_THAT(receiving.Join(), IsOkAndHolds(1));
  EXPECT_THAT(messages.Receive(pair.server), IsErrno(ECONNRESET));
  EXPECT_THAT(messages.Receive(pair.server), IsOkAndHolds(3)) << "the end";
}

void InvalidTime(Context& c) {
  Messages messages(1);
  for (timespec time : {timespec{.tv_sec = -1, .tv_nsec = 0},
                        timespec{.tv_sec = 0, .tv_nsec = -1},
                        timespec{.tv_sec = 0, .tv_nsec = 1000000000}}) {
    EXPECT_THAT(c.sys().RecvMMsg(kNotOpen, &messages[0], 1, 0, &time),
                IsErrno(EINVAL));
  }
  auto* const bad = reinterpret_cast<timespec*>(BadAddress());
  EXPECT_THAT(c.sys().RecvMMsg(kNotOpen, &messages[0], 1, 0, bad),
              IsErrno(EFAULT));
}

void Timeout(Context& c) {
  ASSERT_OK_AND_ASSIGN(const Pair pair, NewPair(c));
  ASSERT_THAT(pair.client.Send("abcd"), IsOk());
  Messages messages(3);
  timespec none = {};
  EXPECT_THAT(messages.Receive(pair.server, 0, &none), IsOkAndHolds(1))
      << "the time is over after the first";
  timespec enough = {.tv_sec = 1000, .tv_nsec = 0};
  EXPECT_THAT(messages.Receive(pair.server, MSG_WAITFORONE, &enough),
              IsOkAndHolds(1));
  EXPECT_LE(enough.tv_sec, 1000);
  EXPECT_GT(enough.tv_sec, 500);
}

}  // namespace

const std::vector<Case>& SeveralMessagesKernelCases() {
  static const auto& cases = *new std::vector<Case>{
      {.id = "kernel.sendmmsg.all",
       .requirement = "sendmmsg(2) must send all messages and return their "
                      "number, and the length of each.",
       .source = "sendmmsg(2), RETURN VALUE",
       .run = &SendsAll},
      {.id = "kernel.sendmmsg.none",
       .requirement = "sendmmsg(2) of no messages must check the descriptor "
                      "only.",
       .source = "measured on Linux 6.18",
       .run = &SendsNone},
      {.id = "kernel.sendmmsg.error",
       .requirement = "sendmmsg(2) must stop at the first message that fails, "
                      "and return the number of those before it.",
       .source = "sendmmsg(2), RETURN VALUE",
       .run = &SendsUntilAnError},
      {.id = "kernel.sendmmsg.not_connected",
       .requirement = "sendmmsg(2) must fail if the first message does.",
       .source = "sendmmsg(2), ERRORS",
       .run = &SendsToNobody},
      {.id = "kernel.recvmmsg.all",
       .requirement = "recvmmsg(2) must fill one message after the other, as "
                      "recvmsg(2) does, and return how many.",
       .source = "recvmmsg(2), RETURN VALUE",
       .run = &ReceivesAll},
      {.id = "kernel.recvmmsg.none",
       .requirement = "recvmmsg(2) of no messages must check the descriptor "
                      "only.",
       .source = "measured on Linux 6.18",
       .run = &ReceivesNone},
      {.id = "kernel.recvmmsg.end",
       .requirement =
           "At the end of the stream, recvmmsg(2) must fill the rest "
           "of the messages with nothing.",
       .source = "measured on Linux 6.18",
       .run = &ReceivesAtTheEnd},
      {.id = "kernel.recvmmsg.wait_for_one",
       .requirement = "With MSG_WAITFORONE, recvmmsg(2) must block for the "
                      "first message only.",
       .source = "recvmmsg(2), MSG_WAITFORONE",
       .run = &WaitsForOne},
      {.id = "kernel.recvmmsg.wait_for_all",
       .requirement = "recvmmsg(2) must block until all messages are filled.",
       .source = "recvmmsg(2), DESCRIPTION",
       .run = &WaitsForAll},
      {.id = "kernel.recvmmsg.error",
       .requirement = "An error after the first message must be that of the "
                      "next recvmmsg(2).",
       .source = "recvmmsg(2), RETURN VALUE",
       .run = &KeepsTheError},
      {.id = "kernel.recvmmsg.reset",
       .requirement = "A reset that ends a recvmmsg(2) after the first message "
                      "must be returned by the next call.",
       .source = "recvmmsg(2), RETURN VALUE",
       .run = &KeepsTheReset},
      {.id = "kernel.recvmmsg.invalid_time",
       .requirement = "recvmmsg(2) must fail with EINVAL for an invalid "
                      "timeout, before it looks at the descriptor.",
       .source = "recvmmsg(2), EINVAL; measured on Linux 6.18",
       .families = AddressFamilies::kV4,
       .run = &InvalidTime},
      {.id = "kernel.recvmmsg.timeout",
       .requirement =
           "recvmmsg(2) must look at its timeout after each message, "
           "and set it to the time that is left.",
       .source = "recvmmsg(2), BUGS; measured on Linux 6.18",
       .run = &Timeout},
  };
  return cases;
}

}  // namespace net::conformance

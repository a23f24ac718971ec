#include "tcp/steps.h"

#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fakes/call.h"
#include "fakes/mock_actions.h"
#include "fakes/mock_syscalls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/net/ip_addr.h"

namespace net {

std::vector<ip::Endpoint> TestedEndpoints() {
  return {{ip::Addr::V4(192, 0, 2, 7), 4711},
          {ip::Addr::Parse("fe80::7%3").value(), 4711}};
}

std::string FamilyName(const ip::Endpoint& endpoint) {
  return endpoint.addr.is_v4() ? "V4" : "V6";
}

std::string StepName(const Step& step) {
  std::string name(CallName(step.call));
  if (step.call != Call::kSetSockOpt) return name;
  switch (step.option) {
    case SO_KEEPALIVE:
      return name + "_SO_KEEPALIVE";
    case SO_REUSEADDR:
      return name + "_SO_REUSEADDR";
    case SO_REUSEPORT:
      return name + "_SO_REUSEPORT";
  }
  return absl::StrCat(name, "_", step.option);
}

void ExpectStep(MockSyscalls& sys, const Step& step,
                const StepArguments& arguments, int error) {
  const ip::Endpoint& endpoint = arguments.endpoint;
  const testing::Action<SysResult()> answer =
      error == 0 ? Succeed(step.call == Call::kSocket ? kFd : 0) : Fail(error);
  switch (step.call) {
    case Call::kSocket:
      EXPECT_CALL(sys, Socket(endpoint.addr.is_v4() ? AF_INET : AF_INET6,
                              arguments.type, 0))
          .WillOnce(testing::WithoutArgs(answer));
      return;
    case Call::kSetSockOpt:
      EXPECT_CALL(sys, SetSockOpt(kFd, SOL_SOCKET, step.option, IntOption(1),
                                  sizeof(int)))
          .WillOnce(testing::WithoutArgs(answer));
      return;
    case Call::kBind:
      EXPECT_CALL(sys, Bind(kFd, SockaddrIs(endpoint), SockaddrSize(endpoint)))
          .WillOnce(testing::WithoutArgs(answer));
      return;
    case Call::kListen:
      EXPECT_CALL(sys, Listen(kFd, arguments.backlog))
          .WillOnce(testing::WithoutArgs(answer));
      return;
    case Call::kGetSockName:
      if (error != 0) {
        EXPECT_CALL(sys, GetSockName(kFd, testing::NotNull(), testing::_))
            .WillOnce(Fail(error));
      } else {
        EXPECT_CALL(sys, GetSockName(kFd, testing::NotNull(), testing::_))
            .WillOnce(FillsAddr({endpoint.addr, kPickedPort}));
      }
      return;
    case Call::kConnect:
      EXPECT_CALL(sys,
                  Connect(kFd, SockaddrIs(endpoint), SockaddrSize(endpoint)))
          .WillOnce(testing::WithoutArgs(answer));
      return;
    default:
      ADD_FAILURE() << step.call << " is not a step of Listen() or Connect()";
  }
}

}  // namespace net

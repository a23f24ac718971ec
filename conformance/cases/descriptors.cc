// The descriptors of a process: which stay open across exec, how many each
// socket uses, and that failures leave none.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "conformance/cases/connected.h"
#include "conformance/loopback/loopback.h"
#include "conformance/suite/case.h"
#include "conformance/suite/case_matchers.h"
#include "conformance/suite/context.h"
#include "conformance/suite/environment.h"
#include "fakes/faults/faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscalls/net/endpoint.h"

namespace net::conformance {
namespace {

// A listener, a connected and an accepted socket of the implementation.
struct Trio {
  Sock listener;
  Sock client;
  Sock server;
};

Result<Trio> MakeTrio(Context& c, bool no_cloexec, bool nonblock = false) {
  Result<Sock> listener =
      c.Listen({.nonblock = nonblock, .no_cloexec = no_cloexec});
  if (!listener.ok()) return listener.As<Trio>();
  const Result<ip::Endpoint> at = listener->LocalEndpoint();
  if (!at.ok()) return at.As<Trio>();
  Result<Sock> client =
      c.Connect(*at, {.nonblock = nonblock, .no_cloexec = no_cloexec});
  if (!client.ok()) return client.As<Trio>();
  if (nonblock) {
    const Result<Done> arrived = WaitFor(c, *listener, POLLIN);
    if (!arrived.ok()) return arrived.As<Trio>();
  }
  Result<Sock> server =
      listener->Accept({.nonblock = nonblock, .no_cloexec = no_cloexec});
  if (!server.ok()) return server.As<Trio>();
  return Trio{*std::move(listener), *std::move(client), *std::move(server)};
}

// Returns whether the descriptor of `socket` is in `open`.
Result<bool> IsAmong(const std::vector<Environment::Descriptor>& open,
                     const Sock& socket) {
  const Result<Witness> witness = socket.Inspect();
  if (!witness.ok()) return witness.As<bool>();
  return HasOwnFd(open, witness->fd());
}

void ListenerAndExec(Context& c, bool no_cloexec) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({.no_cloexec = no_cloexec}));
  const auto open = c.env().DescriptorsAfterExec();
  EXPECT_THAT(IsAmong(open, listener), IsOkAndHolds(no_cloexec));
}
void ListenerIsClosed(Context& c) { ListenerAndExec(c, false); }
void ListenerIsKept(Context& c) { ListenerAndExec(c, true); }

void ConnectedAndExec(Context& c, bool no_cloexec) {
  ASSERT_OK_AND_ASSIGN(Connected end,
                       ConnectToPeer(c, {.no_cloexec = no_cloexec}));
  const auto open = c.env().DescriptorsAfterExec();
  EXPECT_THAT(IsAmong(open, end.sock), IsOkAndHolds(no_cloexec));
}
void ConnectedIsClosed(Context& c) { ConnectedAndExec(c, false); }
void ConnectedIsKept(Context& c) { ConnectedAndExec(c, true); }

void AcceptedAndExec(Context& c, bool no_cloexec) {
  ASSERT_OK_AND_ASSIGN(Connected end,
                       AcceptPeer(c, {.no_cloexec = no_cloexec}));
  const auto open = c.env().DescriptorsAfterExec();
  EXPECT_THAT(IsAmong(open, end.sock), IsOkAndHolds(no_cloexec));
}
void AcceptedIsClosed(Context& c) { AcceptedAndExec(c, false); }
void AcceptedIsKept(Context& c) { AcceptedAndExec(c, true); }

void ListenerAndAcceptedDiffer(Context& c) {
  for (const bool listener_kept : {false, true}) {
    SCOPED_TRACE(listener_kept ? "the listener stays open"
                               : "the accepted socket stays open");
    ASSERT_OK_AND_ASSIGN(Sock listener,
                         c.Listen({.no_cloexec = listener_kept}));
    ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
    ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                         loopback::ConnectTo(c.sys(), at));
    ASSERT_OK_AND_ASSIGN(Sock server,
                         listener.Accept({.no_cloexec = !listener_kept}));
    const auto open = c.env().DescriptorsAfterExec();
    EXPECT_THAT(IsAmong(open, listener), IsOkAndHolds(listener_kept));
    EXPECT_THAT(IsAmong(open, server), IsOkAndHolds(!listener_kept));
  }
}

void NothingElseIsKept(Context& c) {
  const auto before = c.env().DescriptorsAfterExec();
  ASSERT_OK_AND_ASSIGN(Trio trio, MakeTrio(c, /*no_cloexec=*/false));
  EXPECT_EQ(c.env().DescriptorsAfterExec(), before);
}

// A listener that was inherited by another program still accepts here.
void KeptListenerStillListens(Context& c) {
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({.no_cloexec = true}));
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(const Witness witness, listener.Inspect());
  EXPECT_TRUE(HasOwnFd(c.env().DescriptorsAfterExec(), witness.fd()));
  ASSERT_OK_AND_ASSIGN(const loopback::RawSocket client,
                       loopback::ConnectTo(c.sys(), at));
  EXPECT_THAT(listener.Accept(), IsOk());
}

void ExpectFlags(const Sock& socket, bool no_cloexec, bool nonblock) {
  ASSERT_OK_AND_ASSIGN(const Witness witness, socket.Inspect());
  EXPECT_THAT(witness.CloseOnExec(), IsOkAndHolds(!no_cloexec));
  EXPECT_THAT(witness.Nonblocking(), IsOkAndHolds(nonblock));
}

// A test cannot make another thread fork between two calls, but it can count
// the calls that would set the flags later.
void FlagsAreAtomic(Context& c) {
  ASSERT_OK_AND_ASSIGN(Faults* const faults, c.InjectFaults());
  faults->Arm({});
  for (const bool no_cloexec : {true, false}) {
    for (const bool nonblock : {true, false}) {
      SCOPED_TRACE(testing::Message()
                   << "no_cloexec " << no_cloexec << ", nonblock " << nonblock);
      ASSERT_OK_AND_ASSIGN(Trio trio, MakeTrio(c, no_cloexec, nonblock));
      ExpectFlags(trio.listener, no_cloexec, nonblock);
      ExpectFlags(trio.client, no_cloexec, nonblock);
      ExpectFlags(trio.server, no_cloexec, nonblock);
    }
  }
  EXPECT_EQ(faults->Count("fcntl"), 0);
  EXPECT_EQ(faults->Count("ioctl"), 0);
}

void EachSocketIsOneDescriptor(Context& c) {
  const size_t before = c.env().OpenDescriptors().size();
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen());
  EXPECT_EQ(c.env().OpenDescriptors().size(), before + 1) << "after Listen";
  ASSERT_OK_AND_ASSIGN(const ip::Endpoint at, listener.LocalEndpoint());
  ASSERT_OK_AND_ASSIGN(Sock client, c.Connect(at));
  EXPECT_EQ(c.env().OpenDescriptors().size(), before + 2) << "after Connect";
  ASSERT_OK_AND_ASSIGN(Sock server, listener.Accept());
  EXPECT_EQ(c.env().OpenDescriptors().size(), before + 3) << "after Accept";
  ASSERT_THAT(server.Close(), IsOk());
  ASSERT_THAT(client.Close(), IsOk());
  ASSERT_THAT(listener.Close(), IsOk());
  EXPECT_EQ(c.env().OpenDescriptors().size(), before) << "after Close";
}

void FailuresLeaveNothing(Context& c) {
  ASSERT_OK_AND_ASSIGN(const loopback::RefusedPort taken,
                       loopback::RefusedPort::Reserve(c.sys(), c.family()));
  ASSERT_OK_AND_ASSIGN(Sock listener, c.Listen({.nonblock = true}));
  const size_t before = c.env().OpenDescriptors().size();
  // More failures than descriptors, so that a leak becomes EMFILE.
  c.env().LimitDescriptors(8);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(c.Listen(taken.endpoint()), Fails(EADDRINUSE));
    EXPECT_THAT(c.Listen(ip::Endpoint{c.Foreign(), 0}), Fails(EADDRNOTAVAIL));
    EXPECT_THAT(c.Connect(taken.endpoint()), Fails(ECONNREFUSED));
    EXPECT_THAT(listener.Accept(), Fails(EAGAIN));
  }
  c.env().LimitDescriptors(std::nullopt);
  EXPECT_EQ(c.env().OpenDescriptors().size(), before);
}

std::vector<Case> ExecCases() {
  return {
      {.id = "descriptors.exec.listener_closed",
       .requirement =
           "A listener should be closed on exec, unless NO_CLOEXEC is given.",
       .source = "contract: flags; socket(2) SOCK_CLOEXEC",
       .level = Level::kShould,
       .needs = Need::kExec,
       .run = &ListenerIsClosed},
      {.id = "descriptors.exec.connected_closed",
       .requirement = "A connected socket should be closed on exec, unless "
                      "NO_CLOEXEC is given.",
       .source = "contract: flags; socket(2) SOCK_CLOEXEC",
       .level = Level::kShould,
       .needs = Need::kExec,
       .run = &ConnectedIsClosed},
      {.id = "descriptors.exec.accepted_closed",
       .requirement = "An accepted socket should be closed on exec, unless "
                      "NO_CLOEXEC is given.",
       .source = "contract: flags; accept(2) SOCK_CLOEXEC",
       .level = Level::kShould,
       .needs = Need::kExec,
       .run = &AcceptedIsClosed},
      {.id = "descriptors.exec.nothing_else",
       .requirement = "No descriptor that Listen, Connect or Accept opened "
                      "should stay open across exec.",
       .source = "contract: flags; execve(2) DESCRIPTION",
       .level = Level::kShould,
       .needs = Need::kExec,
       .run = &NothingElseIsKept},
      {.id = "descriptors.exec.listener_kept",
       .requirement =
           "A listener without close-on-exec must stay open across exec.",
       .source = "contract: flags; execve(2) DESCRIPTION",
       .needs = Need::kExec,
       .run = &ListenerIsKept},
      {.id = "descriptors.exec.connected_kept",
       .requirement = "A connected socket without close-on-exec must stay open "
                      "across exec.",
       .source = "contract: flags; execve(2) DESCRIPTION",
       .needs = Need::kExec,
       .run = &ConnectedIsKept},
      {.id = "descriptors.exec.accepted_kept",
       .requirement = "An accepted socket without close-on-exec must stay open "
                      "across exec.",
       .source = "contract: flags; execve(2) DESCRIPTION",
       .needs = Need::kExec,
       .run = &AcceptedIsKept},
      {.id = "descriptors.exec.each_its_own",
       .requirement = "Whether an accepted socket stays open across exec "
                      "should not depend on the flags of its listener.",
       .source = "contract: flags; accept(2) SOCK_CLOEXEC",
       .level = Level::kShould,
       .needs = Need::kExec,
       .run = &ListenerAndAcceptedDiffer},
      {.id = "descriptors.exec.undisturbed",
       .requirement = "A listener that another program inherited must still "
                      "accept connections here after that program has exited.",
       .source = "fork(2) DESCRIPTION; close(2) DESCRIPTION",
       .needs = Need::kExec,
       .run = &KeptListenerStillListens},
  };
}

std::vector<Case> LedgerCases() {
  return {
      {.id = "descriptors.flags_are_atomic",
       .requirement = "Flags must be set by the call that creates the "
                      "descriptor, never by a later fcntl(2) or ioctl(2).",
       .source = "contract: flags; open(2) O_CLOEXEC",
       .needs = Need::kFaults,
       .run = &FlagsAreAtomic},
      {.id = "descriptors.one_for_each_socket",
       .requirement =
           "Each socket should use one descriptor, and Close should free it.",
       .source = "socket(2) RETURN VALUE; accept(2) RETURN VALUE",
       .level = Level::kShould,
       .run = &EachSocketIsOneDescriptor},
      {.id = "descriptors.failures_leave_none",
       .requirement = "Operations that fail must leave no descriptor open, "
                      "however often they fail.",
       .source = "contract: any failure",
       .run = &FailuresLeaveNothing},
  };
}

}  // namespace

const std::vector<Case>& DescriptorsCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<Case>(ExecCases());
    const std::vector<Case> ledger = LedgerCases();
    all->insert(all->end(), ledger.begin(), ledger.end());
    return all;
  }();
  return cases;
}

}  // namespace net::conformance

// Tests of drivers that give wrong answers. Each is reported as the driver's
// fault, the message names it, and a driver beside it is not disturbed.

#include "conformance/driver_host/rogues.h"
#include "conformance/engine/outcome.h"
#include "gtest/gtest.h"

namespace net::conformance {
namespace {

class LieTest : public testing::TestWithParam<RogueDriver> {};

TEST_P(LieTest, IsTheDriversFaultAndNamed) {
  ExpectVerdict(VerdictBesideOthers(Rogue(GetParam().fault)), GetParam());
}

const char kIntMust[] = "must be an integer";
const char kSignalMust[] = "`signal` must be SIGUSR1, SIGUSR2 or a real-time";
const char kPortMust[] = "`port` must be 0 to 65535";
const char kPortsMust[] = "`ports` must be an array of 2 ports";

const RogueDriver kLies[] = {
    // The process.
    {"PidOfInit",
     "hello.pid=1",
     {"hello names process 1,", kNotItsOwn, "the channel is held by process",
      "(python3)", "should start the driver by exec"}},
    {"PidOfNobody", "hello.pid=2147483647", {kNotItsOwn}},
    {"PidOfTheDead", "hello.pid=DEAD", {kNotItsOwn}},
    {"PidOfAChild",
     "hello.pid=CHILD",
     {"(sleep), which the driver's hello names, is not open",
      "(python3) has sockets of TCP"}},
    {"PidOfTheWrapper", "hello.pid=PARENT", {kNotItsOwn}},
    {"PidAsText", "hello.pid=\"4711\"", {"`pid`", kIntMust}},
    {"PidWithAFraction", "hello.pid=2.5", {"`pid`", kIntMust}},
    {"PidBelowZero", "hello.pid=-1", {"`pid`", kIntMust}},
    {"PidZero", "hello.pid=0", {"`pid` must be 1 to 2147483647"}},
    {"PidOfMoreThan32Bits",
     "hello.pid=4294967298",
     {"`pid` must be 1 to 2147483647"}},
    {"PidOfMoreThan64Bits", "hello.pid=18446744073709551618", {kIntMust}},
    {"PidBeyondAllNumbers",
     "hello.pid=1e400",
     {"a message must be a JSON object"}},
    {"NoPid", "hello.pid=NOTHING", {"`pid`", kIntMust}},
    // The signal.
    {"SignalThatKills", "hello.signal=\"SIGKILL\"", {kSignalMust}},
    {"SignalThatStops", "hello.signal=\"SIGSTOP\"", {kSignalMust}},
    {"SignalThatEnds", "hello.signal=\"SIGTERM\"", {kSignalMust}},
    {"SignalOfAFault", "hello.signal=\"SIGSEGV\"", {kSignalMust}},
    {"SignalThatThereIsNot", "hello.signal=\"SIGNOTHING\"", {kSignalMust}},
    {"SignalBeyondTheLast", "hello.signal=\"SIGRTMAX+1\"", {kSignalMust}},
    {"SignalAsNumber", "hello.signal=12", {"`signal` must be a string"}},
    {"SignalWithoutHandler",
     "hello.signal=\"SIGUSR2\"",
     {"has no handler for the signal that hello names, number 12"}},
    // Limits.
    {"DataOfZero", "hello.limits={\"data\": 0}", {"`data` must be at least 1"}},
    {"DataBelowZero", "hello.limits={\"data\": -5}", {"`data`", kIntMust}},
    {"DataBeyondAll",
     "hello.limits={\"data\": 18446744073709551615}",
     {},
     Outcome::kPass},
    // Descriptors.
    {"DescriptorNotOpen",
     "listen.descriptor=99",
     {"answered with descriptor 99",
      "which the driver's hello names, is not "
      "open"}},
    {"DescriptorOfTheChannel",
     "listen.descriptor=CHANNEL",
     {"is no socket of TCP, but pipe:["}},
    {"DescriptorOfAFile",
     "listen.descriptor=0",
     {"is no socket of TCP, but /dev/null"}},
    {"DescriptorOfAFileAtConnect",
     "connect.descriptor=0",
     {"is no socket of TCP, but /dev/null"}},
    {"DescriptorOfAFileAtAccept",
     "accept.descriptor=0",
     {"is no socket of TCP, but /dev/null"}},
    {"DescriptorHuge", "listen.descriptor=2147483647", {"is not open"}},
    {"DescriptorOfMoreThan32Bits",
     "listen.descriptor=4294967301",
     {"`descriptor` must be 0 to 2147483647"}},
    {"DescriptorBelowZero", "listen.descriptor=-1", {"`descriptor`", kIntMust}},
    {"DescriptorAsText", "listen.descriptor=\"5\"", {"`descriptor`", kIntMust}},
    {"DescriptorWithAFraction",
     "accept.descriptor=5.5",
     {"`descriptor`", kIntMust}},
    // Numbers of sockets.
    {"SocketAsText", "listen.socket=\"1\"", {"`socket`", kIntMust}},
    {"SocketBelowZero", "listen.socket=-1", {"`socket`", kIntMust}},
    {"SocketTwice",
     "connect.socket=1",
     {"gave the number 1 to two open sockets"}},
    {"SocketUnknownToItself",
     "connect.socket=77",
     {"the driver ended", "KeyError: 77"}},
    // Ports.
    {"PortZero",
     "listen.port=0",
     {"reports port 0, but its socket listens on"},
     Outcome::kFail},
    {"PortBeyond16Bits", "listen.port=70000", {kPortMust}},
    {"PortOfMoreThan32Bits", "listen.port=4294967376", {kPortMust}},
    {"PortBelowZero", "listen.port=-80", {kPortMust}},
    {"PortAsText", "listen.port=\"80\"", {kPortMust}},
    {"PortWithAFraction", "listen.port=80.5", {kPortMust}},
    {"NoPort", "listen.port=NOTHING", {kPortMust}},
    {"NoPorts", "listen.ports=NOTHING", {kPortsMust}},
    {"OnePort", "listen.ports=[80]", {kPortsMust}},
    {"PortsBeyond16Bits", "listen.ports=[80, 70000]", {kPortsMust}},
    {"PortsAsText", "listen.ports=\"80\"", {kPortsMust}},
    {"PortsOfText", "listen.ports=[80, \"80\"]", {kPortsMust}},
    // Sizes.
    {"SentMore", "send.sent=6", {"answered that it sent 6 bytes of 5"}},
    {"SentFarMore",
     "send.sent=4294967301",
     {"answered that it sent 4294967301 bytes of 5"}},
    {"SentLessThanNothing", "send.sent=-1", {"`sent`", kIntMust}},
    {"SentAsText", "send.sent=\"5\"", {"`sent`", kIntMust}},
    {"ReceivedMore",
     "recv.data=\"aGVsbG8sIHdvcmxk\"",
     {"answered recv with 12 bytes; at most 5 were asked for"}},
    {"ReceivedNoBase64", "recv.data=\"?\"", {"`data` that is not Base64"}},
    {"ReceivedANumber", "recv.data=5", {"`data` must be a string"}},
    // Frames and ids.
    {"FrameShorter",
     "shorter",
     {"broke the protocol: a message must be a JSON"}},
    {"FrameHuge", "huge", {"a frame of 99999999 bytes"}},
    {"FrameNegative", "negative", {"expected a length and a newline, got '-5"}},
    {"IdUnknown", "unknown_id", {"which is not the id of a pending command"}},
    {"IdAsText", "text_as_id", {"an answer must have the `id` of its command"}},
};

INSTANTIATE_TEST_SUITE_P(All, LieTest, testing::ValuesIn(kLies),
                         [](const auto& lie) { return lie.param.name; });

}  // namespace
}  // namespace net::conformance

#ifndef FAKES_KERNEL_DEVIATION_H_
#define FAKES_KERNEL_DEVIATION_H_

#include "absl/strings/string_view.h"

namespace net::fake {

// One way in which a FakeKernel answers otherwise than Linux, on purpose: what
// a test that compares the two must find. Each is a mistake that kernels and
// models of them really make.
enum class Deviation {
  kNone,
  kQueueHoldsBacklog,
  kUnreadCloseSendsFin,
  kPendingErrorStays,
  kNoHangUpAfterBothShutdowns,
  kReuseAddrOneSided,
  kReusePortOneSided,
  kRefusalIsReset,
  kPeerNameAfterReset,
  kPipeErrorBeforeReset,
  kAcceptedInheritsNonblock,
  kUnspecKeepsConnection,
  kV6OnlyIgnoredInConflicts,
  kRefusalKeepsLocalPort,
  kLowWaterMarkIgnoredByPoll,
  kListenerCloseKeepsQueued,
  kLingerZeroSendsFin,
  kInputSizeCountsFin,
  kDupHasOwnStatusFlags,
};

struct DeviationEntry {
  Deviation deviation;
  absl::string_view name;     // as above, without the k
  absl::string_view meaning;  // what the deviating kernel does
};

// All but kNone.
inline constexpr DeviationEntry kDeviations[] = {
    {Deviation::kQueueHoldsBacklog, "QueueHoldsBacklog",
     "a listener queues as many connections as its backlog says, not one more"},
    {Deviation::kUnreadCloseSendsFin, "UnreadCloseSendsFin",
     "close(2) of a socket with unread data ends the stream, and does not "
     "reset it"},
    {Deviation::kPendingErrorStays, "PendingErrorStays",
     "reading SO_ERROR does not clear it"},
    {Deviation::kNoHangUpAfterBothShutdowns, "NoHangUpAfterBothShutdowns",
     "poll(2) does not say POLLHUP when both directions are shut down"},
    {Deviation::kReuseAddrOneSided, "ReuseAddrOneSided",
     "bind(2) shares a port when the new socket has SO_REUSEADDR, whatever "
     "the others have"},
    {Deviation::kReusePortOneSided, "ReusePortOneSided",
     "bind(2) shares a port when the new socket has SO_REUSEPORT, whatever "
     "the others have"},
    {Deviation::kRefusalIsReset, "RefusalIsReset",
     "a refused connect(2) is ECONNRESET, not ECONNREFUSED"},
    {Deviation::kPeerNameAfterReset, "PeerNameAfterReset",
     "getpeername(2) goes on to answer after the peer's reset"},
    {Deviation::kPipeErrorBeforeReset, "PipeErrorBeforeReset",
     "the first send(2) after the peer's reset is EPIPE, not ECONNRESET"},
    {Deviation::kAcceptedInheritsNonblock, "AcceptedInheritsNonblock",
     "accept4(2) hands the listener's O_NONBLOCK on"},
    {Deviation::kUnspecKeepsConnection, "UnspecKeepsConnection",
     "connect(2) to AF_UNSPEC answers 0 and does nothing"},
    {Deviation::kV6OnlyIgnoredInConflicts, "V6OnlyIgnoredInConflicts",
     "bind(2) takes every IPv6 wildcard for one of both families, also with "
     "IPV6_V6ONLY"},
    {Deviation::kRefusalKeepsLocalPort, "RefusalKeepsLocalPort",
     "the port that connect(2) picked stays bound after a refusal"},
    {Deviation::kLowWaterMarkIgnoredByPoll, "LowWaterMarkIgnoredByPoll",
     "poll(2) says POLLIN from the first byte on, whatever SO_RCVLOWAT says"},
    {Deviation::kListenerCloseKeepsQueued, "ListenerCloseKeepsQueued",
     "close(2) of a listener does not reset the connections in its queue"},
    {Deviation::kLingerZeroSendsFin, "LingerZeroSendsFin",
     "close(2) with SO_LINGER of 0 seconds ends the stream, and does not "
     "reset it"},
    {Deviation::kInputSizeCountsFin, "InputSizeCountsFin",
     "FIONREAD counts the end of the stream as a byte"},
    {Deviation::kDupHasOwnStatusFlags, "DupHasOwnStatusFlags",
     "F_SETFL on a descriptor does not change its duplicates"},
};

}  // namespace net::fake

#endif  // FAKES_KERNEL_DEVIATION_H_

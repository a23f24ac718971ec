"""The FakeKernel's deviations: mistakes that the differential test must find."""

def _deviation(name, meaning, file, replace, by, kind = "kPlain"):
    """A deviation from Linux: a mistake that kernels or models of them have made.

    Args:
      name: its name on the command line and in the test.
      meaning: what a FakeKernel with the deviation does.
      file: the source file that gets the mistake.
      replace: a text that occurs exactly once in the file.
      by: the text that replaces it. It calls Deviates("name") once, and does
        what the original does if that returns false.
      kind: the programs that show it: kPlain, kThreads (only those with several
        threads), kTimed (only those in which time passes).

    Returns:
      A struct with these fields.
    """
    if by.count("Deviates(") != 1 or by.count("Deviates(\"{}\")".format(name)) != 1:
        fail("The deviation {} must call Deviates(\"{}\") exactly once.".format(name, name))
    return struct(
        name = name,
        meaning = meaning,
        file = file,
        replace = replace,
        by = by,
        kind = kind,
    )

DEVIATIONS = [
    _deviation(
        name = "QueueHoldsBacklog",
        meaning = "a listener queues as many connections as its backlog, not one more",
        file = "fakes/kernel/tcp/tcp_listen.cc",
        replace = "if (queued_ > backlog_)",
        by = "if (queued_ + (Deviates(\"QueueHoldsBacklog\") ? 1 : 0) > backlog_)",
    ),
    _deviation(
        name = "UnreadCloseSendsFin",
        meaning = "close(2) of a socket with unread data sends a FIN, not a reset",
        file = "fakes/kernel/tcp/tcp_ending.cc",
        replace = "if (unread) {",
        by = "if (unread && !Deviates(\"UnreadCloseSendsFin\")) {",
    ),
    _deviation(
        name = "PendingErrorStays",
        meaning = "reading SO_ERROR does not clear it",
        file = "fakes/kernel/tcp/tcp_socket.cc",
        replace = "return std::exchange(error_, 0);",
        by = "return Deviates(\"PendingErrorStays\") ? error_ : std::exchange(error_, 0);",
    ),
    _deviation(
        name = "NoHangUpAfterBothShutdowns",
        meaning = "poll(2) does not return POLLHUP when both directions are shut down",
        file = "fakes/kernel/tcp/tcp_socket.cc",
        replace = "if (shut_down_ == kBoth || state_ == TcpState::kClosed) events |= POLLHUP;",
        by = """\
if ((shut_down_ == kBoth && !Deviates("NoHangUpAfterBothShutdowns")) ||
      state_ == TcpState::kClosed) {
    events |= POLLHUP;
  }""",
    ),
    _deviation(
        name = "ReuseAddrOneSided",
        meaning = "bind(2) shares a port if the new socket has SO_REUSEADDR, even if the others do not",
        file = "fakes/kernel/ports/ports.cc",
        replace = "one.reuse_addr && other.reuse_addr && !other.listening;",
        by = """\
one.reuse_addr && !other.listening &&
      (other.reuse_addr || Deviates("ReuseAddrOneSided"));""",
    ),
    _deviation(
        name = "ReusePortOneSided",
        meaning = "bind(2) shares a port if the new socket has SO_REUSEPORT, even if the others do not",
        file = "fakes/kernel/ports/ports.cc",
        replace = "if (explicitly && (share_port || share_addr)) return false;",
        by = """\
if (explicitly && (share_port || share_addr)) return false;
  if (explicitly && one.reuse_port && Deviates("ReusePortOneSided")) return false;""",
    ),
    _deviation(
        name = "V6OnlyIgnoredInConflicts",
        meaning = "bind(2) treats every IPv6 wildcard as one of both families, even with IPV6_V6ONLY",
        file = "fakes/kernel/ports/ports.cc",
        replace = "return Overlap(one, other, /*others_wildcard=*/true);",
        by = """\
PortClaim ones = one;
  PortClaim others = other;
  if (Deviates("V6OnlyIgnoredInConflicts")) ones.v6only = others.v6only = false;
  return Overlap(ones, others, /*others_wildcard=*/true);""",
    ),
    _deviation(
        name = "RefusalIsReset",
        meaning = "a refused connect(2) fails with ECONNRESET, not ECONNREFUSED",
        file = "fakes/kernel/tcp/tcp_segments.cc",
        replace = "error_ = ECONNREFUSED;",
        by = "error_ = Deviates(\"RefusalIsReset\") ? ECONNRESET : ECONNREFUSED;",
    ),
    _deviation(
        name = "RefusalKeepsLocalPort",
        meaning = "the port that connect(2) picked stays bound after a refusal",
        file = "fakes/kernel/tcp/tcp_segments.cc",
        replace = "case TcpState::kSynSent:",
        by = """\
case TcpState::kSynSent:
      if (Deviates("RefusalKeepsLocalPort")) port_locked_ = true;""",
    ),
    _deviation(
        name = "PipeErrorBeforeReset",
        meaning = "the first send(2) after the peer's reset fails with EPIPE, not ECONNRESET",
        file = "fakes/kernel/tcp/tcp_segments.cc",
        replace = "error_ = ECONNRESET;",
        by = "error_ = Deviates(\"PipeErrorBeforeReset\") ? EPIPE : ECONNRESET;",
    ),
    _deviation(
        name = "PeerNameAfterReset",
        meaning = "getpeername(2) still returns the peer after the peer's reset",
        file = "fakes/kernel/tcp/tcp_socket.cc",
        replace = "state_ != TcpState::kSynSent && state_ != TcpState::kClosed;",
        by = """\
state_ != TcpState::kSynSent &&
      (state_ != TcpState::kClosed ||
       (error_ != 0 && Deviates("PeerNameAfterReset")));""",
    ),
    _deviation(
        name = "AcceptedInheritsNonblock",
        meaning = "the socket that accept4(2) returns inherits the listener's O_NONBLOCK",
        file = "fakes/fake_process_sockets.cc",
        replace = "accepted->set_nonblocking((flags & SOCK_NONBLOCK) != 0);",
        by = """\
accepted->set_nonblocking(
      (flags & SOCK_NONBLOCK) != 0 ||
      (socket->nonblocking() &&
       fake::Deviates("AcceptedInheritsNonblock")));""",
    ),
    _deviation(
        name = "RecvFromLeavesTheLength",
        meaning = "recvfrom(2) does not set the length to 0",
        file = "fakes/fake_process_data.cc",
        replace = "const int error = CopyAddressOut(RawAddress(), addr, len);",
        by = """\
const int error = fake::Deviates("RecvFromLeavesTheLength")
                        ? 0
                        : CopyAddressOut(RawAddress(), addr, len);""",
    ),
    _deviation(
        name = "UnspecKeepsConnection",
        meaning = "connect(2) to AF_UNSPEC succeeds without disconnecting",
        file = "fakes/kernel/tcp/tcp_connect.cc",
        replace = "if (FamilyOf(address) == AF_UNSPEC) {",
        by = """\
if (FamilyOf(address) == AF_UNSPEC) {
    if (Deviates("UnspecKeepsConnection")) return SysResult::Ok();""",
    ),
    _deviation(
        name = "LowWaterMarkIgnoredByPoll",
        meaning = "poll(2) returns POLLIN from the first byte on, whatever SO_RCVLOWAT is",
        file = "fakes/kernel/tcp/tcp_socket.cc",
        replace = "if (receive_.ready() >= LowWaterMark(Window(), /*all=*/false))",
        by = """\
if (receive_.ready() >= (Deviates("LowWaterMarkIgnoredByPoll")
                                 ? 1
                                 : LowWaterMark(Window(), /*all=*/false)))""",
    ),
    _deviation(
        name = "ListenerCloseKeepsQueued",
        meaning = "close(2) of a listener does not reset the connections in its queue",
        file = "fakes/kernel/tcp/tcp_listen.cc",
        replace = "    child.Disconnect();\n    child.Die();",
        by = """\
    if (Deviates("ListenerCloseKeepsQueued")) {
      child.shut_down_ = kBoth;
      continue;
    }
    child.Disconnect();
    child.Die();""",
    ),
    _deviation(
        name = "LingerZeroSendsFin",
        meaning = "close(2) with SO_LINGER of 0 seconds sends a FIN, not a reset",
        file = "fakes/kernel/tcp/tcp_ending.cc",
        replace = "} else if (options_.linger_on() && options_.linger_seconds() == 0) {",
        by = """\
} else if (options_.linger_on() && options_.linger_seconds() == 0 &&
               !Deviates("LingerZeroSendsFin")) {""",
    ),
    _deviation(
        name = "InputSizeCountsFin",
        meaning = "FIONREAD counts the end of the stream as a byte",
        file = "fakes/kernel/tcp/tcp_socket.cc",
        replace = "*value = static_cast<int>(receive_.ready());",
        by = """\
*value = static_cast<int>(receive_.ready());
      if (receive_.fin_received() && Deviates("InputSizeCountsFin")) ++*value;""",
    ),
    _deviation(
        name = "DupHasOwnStatusFlags",
        meaning = "F_SETFL on a descriptor does not change its duplicates",
        file = "fakes/fake_process_control.cc",
        replace = "case F_SETFL:",
        by = """\
case F_SETFL:
      if (file.references() > 1 &&
          fake::Deviates("DupHasOwnStatusFlags")) {
        return SysResult::Ok();
      }""",
    ),
    _deviation(
        name = "ShutdownKeepsAcceptBlocked",
        meaning = "shutdown(2) of a listener does not end an accept4(2) that is blocked",
        file = "fakes/kernel/tcp/tcp_listen.cc",
        replace = """\
      if (state_ != TcpState::kListen) return SysResult::Error(EINVAL);
      if (woken == Woken::kEvent) continue;""",
        by = """\
      if (state_ != TcpState::kListen && !Deviates("ShutdownKeepsAcceptBlocked")) {
        return SysResult::Error(EINVAL);
      }
      if (woken == Woken::kEvent) continue;""",
        kind = "kThreads",
    ),
    _deviation(
        name = "WaitAllReturnsAPart",
        meaning = "a blocked recv(2) with MSG_WAITALL returns the first part of the data",
        file = "fakes/kernel/tcp/tcp_data.cc",
        replace = "const size_t enough = LowWaterMark(wanted, (flags & MSG_WAITALL) != 0);",
        by = """\
const size_t enough = LowWaterMark(
      wanted, (flags & MSG_WAITALL) != 0 && !Deviates("WaitAllReturnsAPart"));""",
        kind = "kThreads",
    ),
    _deviation(
        name = "DataWakesNobody",
        meaning = "data that arrives does not wake a recv(2) or poll(2) that is blocked",
        file = "fakes/kernel/tcp/tcp_data.cc",
        replace = "waiters().WakeOne(POLLIN | POLLRDNORM);",
        by = "if (!Deviates(\"DataWakesNobody\")) waiters().WakeOne(POLLIN | POLLRDNORM);",
        kind = "kThreads",
    ),
    _deviation(
        name = "PollEndsOnClosedDescriptor",
        meaning = "a blocked poll(2) returns POLLNVAL when another thread closes its descriptor",
        file = "fakes/fake_process_poll.cc",
        replace = "if (woken == Woken::kDeadlock) break;",
        by = """\
if (woken == Woken::kDeadlock &&
          !fake::Deviates("PollEndsOnClosedDescriptor")) {
        break;
      }""",
        kind = "kThreads",
    ),
    _deviation(
        name = "KeepaliveNeverFires",
        meaning = "keepalive sends no probes",
        file = "fakes/kernel/tcp/tcp_output.cc",
        replace = "if (!connected() || !options_.keep_alive()) return;",
        by = """\
if (!connected() || !options_.keep_alive()) return;
  if (Deviates("KeepaliveNeverFires")) return;""",
        kind = "kTimed",
    ),
    _deviation(
        name = "RetransmitsWithoutBackoff",
        meaning = "the retransmission timeout is not doubled",
        file = "fakes/kernel/tcp/tcp_loss.cc",
        replace = """\
  ++retransmits_;
  send_.rto().BackOff();""",
        by = """\
  ++retransmits_;
  if (!Deviates("RetransmitsWithoutBackoff")) send_.rto().BackOff();""",
        kind = "kTimed",
    ),
    _deviation(
        name = "UserTimeoutIgnored",
        meaning = "TCP_USER_TIMEOUT does not end a connection whose data is lost",
        file = "fakes/kernel/tcp/tcp_loss.cc",
        replace = "if (user_timeout() > 0) return elapsed >= user_timeout();",
        by = """\
if (user_timeout() > 0 && !Deviates("UserTimeoutIgnored")) {
    return elapsed >= user_timeout();
  }""",
        kind = "kTimed",
    ),
]

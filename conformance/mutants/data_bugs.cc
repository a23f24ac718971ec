// Real bugs: data that is cut, repeated or not sent; the end of a stream for a
// reset, a reset for the end; SIGPIPE; half-closed connections.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "conformance/mutants/museum.h"
#include "conformance/mutants/mutation.h"
#include "conformance/mutants/socket_mutations.h"
#include "fakes/call.h"
#include "fakes/invocation.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::conformance {

std::vector<Mutant> BugsOfData() {
  return {
      {.name = "send_without_nosignal",
       .family = "SIGPIPE",
       .mistake = "send(2) is called without MSG_NOSIGNAL.",
       .report = {"eventcore", 2019,
                  "https://github.com/vibe-d/eventcore/issues/127",
                  "A client that went away ended the server."},
       .killers = {"data.no_sigpipe"},
       .mutation = Before<Call::kSend>(
           [](auto& call, Syscalls&) { call.flags &= ~MSG_NOSIGNAL; })},
      {.name = "write_in_place_of_send",
       .family = "SIGPIPE",
       .mistake = "Data is sent by write(2), which has no flags.",
       .report =
           {"nng", 2018, "https://github.com/nanomsg/nng/issues/338",
            "SIGPIPE was raised on Linux in spite of the flag elsewhere."},
       .killers = {"data.no_sigpipe"},
       .mutation = Instead<Call::kSend>([](auto& call, auto, Syscalls& kernel) {
         return kernel.Write(call.fd, call.data, call.size);
       })},
      {.name = "partial_send_is_reported_as_whole",
       .family = "partial write taken for whole",
       .mistake =
           "A send that took a part of the data is reported as complete.",
       .report = {"CoreWebSocket", 2017,
                  "https://github.com/mirek/CoreWebSocket/pull/16",
                  "The rest of a message that did not fit was lost."},
       .killers = {"faults.send.short", "data.send.would_block"},
       .mutation =
           After<Call::kSend>([](auto& call, SysResult result, Syscalls&) {
             return result.ok() ? SysResult::Ok(static_cast<int64_t>(call.size))
                                : result;
           })},
      {.name = "rest_is_sent_with_old_length",
       .family = "partial write taken for whole",
       .mistake =
           "After a partial send the rest is sent with the length of the "
           "whole, so that garbage follows it.",
       .report = {"FreeRDP", 2012,
                  "https://github.com/FreeRDP/FreeRDP/pull/365",
                  "The other side ended the connection because of what came "
                  "after the message."},
       .killers = {"faults.send.short"},
       .mutation = Instead<Call::kSend>(
           [missing = std::map<int, size_t>()](auto& call, auto make,
                                               Syscalls& kernel) mutable {
             const SysResult result = make();
             if (!result.ok()) return result;
             const auto sent = static_cast<size_t>(result.value());
             if (sent < call.size) {
               missing[call.fd] += sent;
             } else if (missing[call.fd] > 0) {
               const std::vector<char> garbage(missing[call.fd]);
               missing[call.fd] = 0;
               static_cast<void>(kernel.Send(call.fd, garbage.data(),
                                             garbage.size(), call.flags));
             }
             return result;
           })},
      {.name = "end_of_stream_is_an_error",
       .family = "reset for EOF",
       .mistake = "recv(2) at the end of the stream is reported as an error.",
       .report = {"Haskell network", 2012,
                  "https://github.com/haskell/network/issues/77",
                  "Programs that waited for a length of zero, as documented, "
                  "failed with an exception."},
       .killers = {"data.end.after_data", "data.end.stays"},
       .mutation =
           After<Call::kRecv>([](auto& call, SysResult result, Syscalls&) {
             return result.ok() && result.value() == 0 && call.size > 0
                        ? SysResult::Error(ECONNRESET)
                        : result;
           })},
      {.name = "end_of_stream_is_nothing_yet",
       .family = "EOF lost",
       .mistake = "A recv(2) that returned 0 is taken for one that found "
                  "nothing.",
       .report = {"libnfs", 2015, "https://github.com/sahlberg/libnfs/pull/121",
                  "The client did not reconnect and seemed to hang."},
       .killers = {"data.end.after_data", "data.recv.waits_for_end"},
       .mutation =
           After<Call::kRecv>([](auto& call, SysResult result, Syscalls&) {
             return result.ok() && result.value() == 0 && call.size > 0
                        ? SysResult::Error(EAGAIN)
                        : result;
           })},
      {.name = "end_of_stream_after_would_block",
       .family = "stale answers",
       .mistake = "If an earlier recv(2) failed with EAGAIN, the end of the "
                  "stream is taken for EAGAIN, because errno is still that.",
       .report = {"FlyingFox", 2026,
                  "https://github.com/swhitty/FlyingFox/pull/224",
                  "Connections stayed in CLOSE-WAIT, and a processor was "
                  "busy."},
       .killers = {"data.recv.would_block_then_end"},
       .mutation = After<Call::kRecv>([would_block = false](auto& call,
                                                            SysResult result,
                                                            Syscalls&) mutable {
         if (!result.ok()) would_block = result.error() == EAGAIN;
         const bool is_end =
             result.ok() && result.value() == 0 && call.size > 0;
         return is_end && would_block ? SysResult::Error(EAGAIN) : result;
       })},
      {.name = "nothing_yet_is_the_end",
       .family = "EOF for nothing",
       .mistake = "A nonblocking read of an empty buffer returns 0 instead of "
                  "EAGAIN.",
       .report = {"SerenityOS", 2019,
                  "https://github.com/SerenityOS/serenity/pull/63",
                  "Ported programs took an idle connection for a closed one."},
       .killers = {"data.recv.would_block"},
       .mutation = Translate<Call::kRecv>(EAGAIN, 0)},
      {.name = "reset_is_the_end",
       .family = "EOF for reset",
       .mistake = "A reset of the connection is reported as the end of the "
                  "stream.",
       .report = {"gVisor", 2026,
                  "https://github.com/google/gvisor/issues/12576",
                  "Clients of a closed listener read an end in place of "
                  "ECONNRESET (Unix sockets)."},
       .killers = {"data.recv.waits_for_reset", "data.reset.after_data"},
       .mutation = Translate<Call::kRecv>(ECONNRESET, 0)},
      {.name = "shutdown_does_nothing",
       .family = "half-close",
       .mistake = "shutdown(2) returns success and does nothing.",
       .report = {"APExp", 2026,
                  "https://github.com/staalmannen/APExp/pull/457",
                  "A server that read until the end of the request waited for "
                  "ever."},
       .killers = {"data.half_close.own", "accept.shutdown.before"},
       .mutation = Instead<Call::kShutdown>(
           [](auto&, auto, Syscalls&) { return SysResult::Ok(); })},
      {.name = "half_close_is_not_supported",
       .family = "half-close",
       .mistake = "Only the reading side can be shut down.",
       .report = {"Zephyr", 2026,
                  "https://github.com/zephyrproject-rtos/zephyr/issues/105740",
                  "A program could not tell its peer that no more would come "
                  "and go on reading."},
       .killers = {"data.half_close.own"},
       .mutation =
           Instead<Call::kShutdown>([](auto& call, auto make, Syscalls&) {
             return call.how == SHUT_WR ? SysResult::Error(EOPNOTSUPP) : make();
           })},
      {.name = "half_close_closes_both",
       .family = "half-close",
       .mistake = "Shutting down the writing side ends the reading side, too.",
       .report = {"Emscripten", 2016,
                  "https://github.com/emscripten-core/emscripten/issues/4152",
                  "WebSockets cannot be closed in one direction."},
       .killers = {"data.half_close.own"},
       .mutation = Before<Call::kShutdown>([](auto& call, Syscalls&) {
         if (call.how == SHUT_WR) call.how = SHUT_RDWR;
       })},
  };
}

}  // namespace net::conformance

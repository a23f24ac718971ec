#ifndef FAKES_DIFFERENTIAL_EXECUTION_H_
#define FAKES_DIFFERENTIAL_EXECUTION_H_

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "fakes/differential/names.h"
#include "fakes/differential/observation.h"
#include "fakes/differential/program.h"
#include "fakes/differential/streams.h"
#include "fakes/differential/worlds.h"
#include "syscalls/net/endpoint.h"
#include "syscalls/sys_result.h"
#include "syscalls/syscalls.h"

namespace net::differential {

// Runs a program in a world and writes down what it is answered. With
// `note_states` each observation has the socket's state, too.
//
// No step blocks: sockets are made non-blocking, and where a program has made
// one block, the calls that might are told MSG_DONTWAIT, or skipped.
Trace RunProgram(const Program& program, World& world, bool note_states);

// A program in the course of its run; RunProgram() is all that others need.
class Execution {
 public:
  Execution(World& world, bool note_states)
      : world_(world), note_states_(note_states), names_(world.fixed_ports()) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;
  // Ends every connection that is left by a reset.
  ~Execution();

  Observation Run(const Step& step);

 private:
  // What is known of a socket, by all descriptors of it.
  struct Socket {
    enum Kind { kTcp, kUdp, kPipe };
    Kind kind = kTcp;
    End end;
    // It is connected, or has tried to be.
    bool tried = false;
    // It was shut down for reading before it was connected.
    bool wants_nothing = false;
    std::optional<ip::Endpoint> listens_on;
  };
  struct Held {
    int process = 0;
    int fd = -1;
    std::shared_ptr<Socket> socket;
  };

  // ---- Slots (execution.cc)
  const Held& At(int slot) const;
  // The end of the connection of a slot's socket, if it has one.
  const End& EndAt(int slot) const;
  void Put(int slot, Held held);
  // Which makes the call.
  int ProcessOf(const Step& step) const;
  Syscalls& Sys(const Step& step);
  bool IsUncalledFor(const Step& step) const;
  bool IsUnclear(const Step& step) const;
  bool MightBlock(const Step& step);
  bool IsBlocking(const Step& step);
  int TcpState(const Step& step);
  Observation MakeCall(const Step& step);
  static Observation Skip(absl::string_view why);
  static constexpr absl::string_view kTimeMatters =
      "what is held back goes out in time";
  // The answer as it is, with what the call filled in.
  static Observation Plain(SysResult result, absl::string_view details = "");
  // The answer of a call that made a descriptor, which goes into a slot.
  Observation Made(const Step& step, SysResult result,
                   std::shared_ptr<Socket> socket,
                   absl::string_view details = "");

  // ---- Names and addresses (execution_names.cc)
  // A name as the kernel tells it; nullopt if it does not.
  std::optional<ip::Endpoint> LocalName(int slot);
  std::optional<ip::Endpoint> PeerName(int slot);
  uint16_t PortOf(const Address& address);
  void OfferNewPorts(int slot);
  Observation Bind(const Step& step);
  Observation Listen(const Step& step);
  Observation Accept(const Step& step);
  Observation Connect(const Step& step);
  Observation GetName(const Step& step);
  bool IsSharedByListeners(uint16_t port) const;
  // The socket has this end of a connection now. `unwanted`: it was shut down
  // for reading before.
  static void Begin(Socket& socket, End end, bool unwanted);

  // ---- Options (execution_options.cc)
  Observation SetSockOpt(const Step& step);
  Observation GetSockOpt(const Step& step);
  std::string OptionText(const Step& step, absl::string_view value);
  Observation Fcntl(const Step& step);
  Observation Ioctl(const Step& step);

  // ---- Descriptors and readiness (execution.cc)
  Observation MakeSocket(const Step& step);
  Observation MakePipe(const Step& step);
  Observation Dup(const Step& step);
  Observation Dup3(const Step& step);
  // The descriptor in a slot goes away.
  void NoteClosed(int slot);
  Observation Close(const Step& step);
  Observation Shutdown(const Step& step);
  Observation Poll(const Step& step);

  // ---- Data (execution_data.cc)
  // What a call on the slot's socket reported, which recv(2) then does not: a
  // reset is seen once.
  void NoteError(int slot, int error);
  Observation Send(const Step& step);
  Observation Receive(const Step& step);
  Observation Fill(const Step& step);
  Observation Drain(const Step& step);
  SysResult SendBytes(const Step& step, absl::string_view bytes, int flags);
  SysResult ReceiveBytes(const Step& step, char* buffer, int flags,
                         std::string& details);
  std::string Received(const Step& step, int flags, absl::string_view bytes);

  World& world_;
  const bool note_states_;
  Names names_;
  Streams streams_;
  // How often the kernel was offered ports to pick from.
  uint32_t offers_ = 0;
  // Some socket was given buffers of its own size.
  bool small_buffers_ = false;
  // Some socket was told to defer what it accepts.
  bool deferring_ = false;
  // Some socket was told how to linger: its close(2) may be a reset.
  bool lingering_ = false;
  // Some socket was given a low-water mark.
  bool low_water_ = false;
  // Some socket was told to hold back what is little (TCP_CORK, MSG_MORE).
  bool holding_back_ = false;
  // More was sent somewhere than surely fits.
  bool overfilled_ = false;
  // What is in slots that hold nothing.
  const Held nothing_;
  const End nowhere_;
  std::array<Held, kSlots> slots_;
  // Descriptors that a program lost sight of: closed at the end.
  std::vector<Held> lost_;
  std::vector<std::weak_ptr<Socket>> listeners_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_EXECUTION_H_

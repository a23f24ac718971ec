#ifndef FAKES_DIFFERENTIAL_TIMED_TIMED_WRITER_H_
#define FAKES_DIFFERENTIAL_TIMED_TIMED_WRITER_H_

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/timed/timed_program.h"

namespace net::differential {

// Writes a random timed program.
class TimedWriter {
 public:
  explicit TimedWriter(uint64_t seed) : random_(seed) {}

  TimedProgram Write();

 private:
  static constexpr int kListener = 0;
  static constexpr int kClient = 1;
  static constexpr int kAccepted = 2;

  // ---- Chance
  int Below(int limit);
  bool Chance(int percent) { return Below(100) < percent; }
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(static_cast<int>(choices.size()))];
  }
  Side AnySide() { return Chance(50) ? Side::kServer : Side::kClient; }
  // An end of the connection that is open, or kNoSlot.
  int AnyEnd();

  // ---- Steps
  Step& Add(Call call, int slot);
  void AddLink(TimedStep::Kind kind, Side side);
  void Wait(int milliseconds);
  void SetOption(int slot, int level, int name, int value, int second = 0);
  // Adds calls that read the state of all open sockets.
  void Look();

  // ---- Parts of a program
  void MakeListener(int backlog);
  void MakeClient();
  void Connect();
  void AcceptIt();
  void Begin();
  void BeginConnected();
  void BeginUnanswered();
  void BeginWithoutRoom();
  void BeginUnaccepted();
  void SomeTime();
  void Act();
  void Send(int slot);
  void Receive(int slot);
  void ReceiveBlocking(int slot);
  void End(int slot);
  void CutOrRestore();

  // ---- Options
  void MaybeOptions(int slot, int percent);
  void Option(int slot);
  void Keepalive(int slot);

  std::mt19937_64 random_;
  TimedProgram program_;
  std::vector<int> open_;  // The ends of connections.
  bool listening_ = false;
  bool cut_[2] = {};
  int holder_ = kNoSlot;  // The end that may hold data back.
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_TIMED_WRITER_H_

#ifndef FAKES_DIFFERENTIAL_THREADS_THREADED_WRITER_H_
#define FAKES_DIFFERENTIAL_THREADS_THREADED_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

#include "fakes/differential/program.h"
#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

// Writes a random program with threads.
class ThreadedWriter {
 public:
  explicit ThreadedWriter(uint64_t seed) : random_(seed) {}

  ThreadedProgram Write();

 private:
  // The kind of file that the setup puts into a slot.
  enum class Kind {
    kListener,
    kClient,    // Not connected.
    kEnd,       // Connected.
    kReadEnd,   // Of a pipe.
    kWriteEnd,  // Of a pipe.
  };
  struct Made {
    int slot = kNoSlot;
    Kind kind = Kind::kClient;
    int peer = kNoSlot;  // Of kEnd, if it has a slot, and of ends of a pipe.
  };

  bool Chance(int percent);
  int Below(int limit);
  size_t UpTo(int limit);  // From 1.
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(static_cast<int>(choices.size()))];
  }

  // ---- The setup
  Step& AddToSetup(Call call, int slot);
  int NewSocket();
  Address OfListener() const;
  void MakeListener();
  void MakeClient();
  void MakePair();
  void MakeQueued();
  void MakePipe();
  void MakeAll();
  void VarySockets();
  void VaryEnd(const Made& end);
  void MakeBlocking();

  // ---- The threads
  Program WriteThread(size_t calls);
  // Returns a socket that the threads use more than others.
  const Made& Focus();
  int AnyOther(int slot);
  static Step On(Call call, int slot);
  Step AnyCall();
  Step OnListener(int slot);
  Step OnClient(int slot);
  Step OnEnd(int slot);
  Step OnReadEnd(int slot);
  Step OnWriteEnd(int slot);
  Step OnDescriptor(int slot);
  Step Connect(int slot);
  static Step Disconnect(int slot);
  Step Accept(int slot);
  Step Receive(int slot);
  Step Send(int slot);
  Step Splice(int from, int to);
  int AnyEnd();
  Step Poll(int slot);
  static Step SetLinger(int slot);
  static Step ReadError(int slot);

  std::mt19937_64 random_;
  ThreadedProgram program_;
  int next_slot_ = 0;
  std::vector<Made> made_;
  std::vector<size_t> focus_;  // Indexes into made_.
  std::vector<int> own_;       // Slots that the current thread has filled.
  bool overfills_ = false;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREADED_WRITER_H_

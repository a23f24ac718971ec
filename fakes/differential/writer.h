#ifndef FAKES_DIFFERENTIAL_WRITER_H_
#define FAKES_DIFFERENTIAL_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "absl/types/span.h"
#include "fakes/call.h"
#include "fakes/differential/program.h"
#include "fakes/differential/situations.h"

namespace net::differential {

// Writes a random program. It keeps the steps so far and a guess of the state
// of each slot. A wrong guess is harmless: guesses only make the next scene
// more likely to reach interesting states.
//
// It prefers rare situations: it writes several drafts of most scenes, and
// takes the draft with the rarest situation.
class Writer {
 public:
  // `usual` has the counts of situations without a preference. Null: the writer
  // prefers nothing.
  Writer(uint64_t seed, const SituationCounts* usual)
      : random_(seed), usual_(usual), uses_interfaces_(seed % 8 == 0) {}

  // Returns a program of 1 to `most` steps.
  Program Write(size_t most);

  // Returns the situations of the program's scenes. They include those of the
  // last scene's steps that Write() has left out.
  const std::vector<Situation>& situations() const { return situations_; }

 private:
  struct Guess {
    using Kind = SlotState;
    using enum SlotState;
    Kind kind = kFree;
    int process = 0;
    bool v6 = false;
    Address address;  // Bound to, or listening on.

    int peer = kNoSlot;        // The other end, if it has a slot.
    std::vector<int> clients;  // Of a listener: the clients in its queue.
  };

  // ---- Chance (writer.cc)
  uint64_t Next();
  bool Chance(int percent);
  int Below(int limit);
  template <typename T>
  T OneOf(std::initializer_list<T> choices) {
    return choices.begin()[Below(static_cast<int>(choices.size()))];
  }
  // Returns a random slot of one of these kinds, or kNoSlot if there is none.
  int Any(std::initializer_list<Guess::Kind> kinds);
  int AnySlot();

  // ---- Steps (writer.cc)
  Guess& At(int slot) { return guesses_[static_cast<size_t>(slot)]; }
  // Adds a step on a slot. The caller sets the other fields.
  Step& Add(Call call, int slot);
  // Returns a free slot; if there is none, adds a step that closes one.
  int FreeSlot();
  int NewSocket(bool v6);
  void SetOption(int slot, int level, int name, int value);
  // Returns whether a program may turn an option on. See uses_interfaces_.
  bool IsAllowed(int level, int name) const;
  void BindTo(int slot, const Address& address);
  void ListenOn(int slot, int backlog);
  void ConnectTo(int slot, int listener);
  int AcceptFrom(int listener);
  void SendSome(int slot);
  void ReceiveSome(int slot);
  void Shutdown(int slot, int how);
  void CloseSlot(int slot);
  void ResetSlot(int slot);
  void PollAll();
  void Inspect(int slot);  // Adds a call that queries its state.

  // ---- Scenes for connections (scenes_connect.cc)
  Address AddressToListenOn(bool v6);
  Address AddressOf(int listener, bool v6);
  void MaybeShare(int slot);
  int MakeListener();
  int MakeClient(int listener);
  int MakePair();
  void FillQueue();
  void DeferAccept();
  void Refused();
  void Conflict();
  void SecondListener();
  void TimeWait();
  void Disconnect();
  void ConnectAgain();
  void SameNames();
  void CloseListener();
  void Privileged();

  // ---- Scenes for established connections (scenes_data.cc)
  int Connected();
  void Talk();
  void FillBuffers();
  void HoldBack();
  void LowWaterMark();
  void HalfClose();
  void End();
  void CloseUnread();
  void AfterTheEnd();
  void ShareDescriptor();
  void ChangeBlocking();
  void SetBuffers(int slot);

  // ---- Calls with anything for arguments (scenes_odd.cc)
  void Options();
  void OptionOf(Step& step);
  void OddOption();
  void OddAddress();
  void OddName();
  void OddData();
  void OddDescriptor();
  void NotASocket();
  void NoDescriptors();
  void AnyCall();

  void AddScene();
  // Adds a random scene, without a preference.
  void AddAnyScene();
  // Adds the draft of a scene that has the rarest situation.
  void AddSeldomScene();
  // Adds the situations of the steps of a scene.
  void NoteSituations();
  // Returns how often the rarest situation was seen.
  int64_t Seldomness() const;

  uint64_t random_;  // The state of SplitMix64.
  const SituationCounts* usual_;
  // Whether sockets are bound to the loopback interface, by an option, and then
  // never share a port. Linux lets two sockets on one port connect to the same
  // address if one is bound to an interface. The FakeKernel does not.
  bool uses_interfaces_;
  Program program_;
  std::array<Guess, kSlots> guesses_;

  // The state of each step's slot before the step.
  std::vector<SlotState> states_;
  std::array<Call, kSlots> last_calls_ = {};
  std::vector<Situation> situations_;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_WRITER_H_

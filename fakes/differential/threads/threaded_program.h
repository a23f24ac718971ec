#ifndef FAKES_DIFFERENTIAL_THREADS_THREADED_PROGRAM_H_
#define FAKES_DIFFERENTIAL_THREADS_THREADED_PROGRAM_H_

#include <cstddef>
#include <string>
#include <vector>

#include "fakes/differential/program.h"

// Programs with threads that block, as data, and the results of running them.

namespace net::differential {

inline constexpr size_t kMostThreads = 3;

// A program of one process. One thread makes the calls of `setup`, which do not
// block. Then all threads begin, and their calls may block.
//
// Slots (program.h) name descriptors. A call of the setup fills the slot of its
// new descriptor. A thread fills only slots that no other thread uses. A slot
// keeps its number after close(2), so a thread can use a number that another
// thread has closed, and that the kernel has given to a new file.
struct ThreadedProgram {
  Program setup;
  std::vector<Program> threads;
  // The number of descriptors that the process can open after the setup. -1: no
  // limit.
  int free_descriptors = -1;

  // Returns the number of calls that threads make.
  size_t thread_calls() const;
  // Returns whether a call sends more than the buffers of a connection hold.
  // How much it sends before it blocks then depends on the kernel's buffers. A
  // call that did not block would also make the received data depend on them.
  // Therefore no socket of such a program is or becomes non-blocking once the
  // threads run, and no send(2) has MSG_DONTWAIT.
  bool overfills_buffers() const;

  friend bool operator==(const ThreadedProgram&,
                         const ThreadedProgram&) = default;
};

// A send(2) of this size overfills the buffers of a connection, even if its
// receiver reads as much as one program can.
inline constexpr size_t kOverfillingSize = size_t{1} << 20;

// The results of one run. Two kernels agree if their texts are equal.
struct ThreadedAnswer {
  // The results of each thread's calls. If a call blocks for good, its result
  // is kBlocked, and the thread makes no more calls.
  std::vector<std::vector<std::string>> threads;
  // The state of each descriptor after all threads have ended. Empty if a
  // thread is blocked for good.
  std::vector<std::string> descriptors;

  bool is_blocked() const;
  // Returns one line for each thread and one for the descriptors.
  std::string ToText() const;
};

// A call blocks for good if all threads have ended or are blocked, so that only
// the expiry of a timer could end it. Time does not pass in these programs.
inline constexpr char kBlocked[] = "blocked";

// The order in which the threads of a program begin.
struct ThreadStart {
  // The threads, each once.
  std::vector<size_t> order;
  // If true, each thread begins when the ones before it have ended or are
  // blocked. If false, all begin at the same time.
  bool one_by_one = true;
  // Whether each call waits until what its thread has sent has arrived, also if
  // all begin at the same time. Linux may deliver late on a busy machine.
  bool awaits_deliveries = false;
};

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_THREADED_PROGRAM_H_

#ifndef FAKES_DIFFERENTIAL_THREADS_GENERATE_THREADS_H_
#define FAKES_DIFFERENTIAL_THREADS_GENERATE_THREADS_H_

#include <cstdint>
#include <vector>

#include "fakes/differential/threads/threaded_program.h"

namespace net::differential {

// Returns a random program with two or three threads. Equal seeds give equal
// programs.
//
// The setup makes a listener, clients that are not connected, and connections.
// The threads make two to eight calls in all, most of them on the same few
// sockets, so that they wait for each other or disturb each other. Two threads
// can make eight calls in so few orders that all can be tried.
ThreadedProgram ThreadedProgramOf(uint64_t seed);

// Returns the order in which the threads of a program begin in the `run`th of
// its runs. Equal seeds give equal orders. In even runs one thread begins after
// the other, in odd ones all at once.
ThreadStart ThreadStartOf(const ThreadedProgram& program, uint64_t seed,
                          int run);

// Returns smaller or simpler programs: without a thread, without some calls,
// with a simpler call.
std::vector<ThreadedProgram> SmallerPrograms(const ThreadedProgram& program);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_THREADS_GENERATE_THREADS_H_

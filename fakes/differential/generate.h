#ifndef FAKES_DIFFERENTIAL_GENERATE_H_
#define FAKES_DIFFERENTIAL_GENERATE_H_

#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {

// Random programs. A program is composed of small scenes (a listener, a client,
// a refused port, a closed connection), each with variations, and of odd calls
// between them. The expected effect of the scenes so far determines which ones
// make sense next. Most programs therefore reach established connections and
// what follows them: half-closes, resets, TIME-WAIT, port conflicts, full
// queues and buffers.
//
// Of several drafts of a scene, most often the one is taken that contains the
// situation that is the most seldom: a call, its argument, the guessed state of
// its socket and the call before it (situations.h). How seldom a situation is
// was counted in programs without this preference. That depends on nothing that
// runs, so that a seed always gives the same program.
//
// Programs shrink by dropping steps and by simplifying steps (shrink.h).
rc::Gen<Program> Programs();

// Returns the program of a seed with its shrinks. Equal seeds give equal
// programs.
rc::Shrinkable<Program> ProgramOf(uint64_t seed);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_GENERATE_H_

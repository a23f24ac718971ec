#ifndef FAKES_DIFFERENTIAL_GENERATE_H_
#define FAKES_DIFFERENTIAL_GENERATE_H_

#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {

// Random programs. A program is composed of small scenes (a listener, a client,
// a refused port, a closed connection), each with variations, and of odd calls
// between them. The expected effects of the scenes so far determine which
// scenes make sense next. Most programs therefore reach established connections
// and later states: half-closes, resets, TIME-WAIT, port conflicts, full queues
// and buffers.
//
// The generator writes several drafts of most scenes, and takes the draft with
// the rarest situation: a call, its argument, the guessed state of its socket
// and the call before it (situations.h). The rarity of situations was counted
// in programs without this preference. The counts do not depend on any run, so
// a seed always gives the same program.
//
// Programs shrink by dropping steps and by simplifying steps (shrink.h).
rc::Gen<Program> Programs();

// Returns the program of a seed with its shrinks. Equal seeds give equal
// programs.
rc::Shrinkable<Program> ProgramOf(uint64_t seed);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_GENERATE_H_

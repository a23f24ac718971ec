#ifndef FAKES_DIFFERENTIAL_GENERATE_H_
#define FAKES_DIFFERENTIAL_GENERATE_H_

#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {

// Random programs. They are made of small plans (a listener, a client, a
// refused port, an ending), each with its variations, and of odd calls between
// them; what the plans before have probably done decides which make sense. So
// most programs come to established connections, and to what follows them:
// half-closes, resets, TIME_WAIT, ports in conflict, full queues and buffers.
//
// They shrink by losing steps, and by having simpler ones (shrink.h).
rc::Gen<Program> Programs();

// The program of a seed, with its shrinks. Equal for equal seeds.
rc::Shrinkable<Program> ProgramOf(uint64_t seed);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_GENERATE_H_

#ifndef FAKES_DIFFERENTIAL_TIMED_GENERATE_TIMED_H_
#define FAKES_DIFFERENTIAL_TIMED_GENERATE_TIMED_H_

#include <cstdint>
#include <vector>

#include "fakes/differential/timed/timed_program.h"

namespace net::differential {

// Returns a random program in which time passes. Equal seeds give equal
// programs.
//
// It begins with a listener and a connection, or with a connection that is not
// accepted, not answered or refused. Its sockets have options with short times.
// Then it sends, receives, ends streams, cuts links and waits. After each wait
// it inspects the state of all sockets.
TimedProgram TimedProgramOf(uint64_t seed);

// Returns smaller or simpler programs: without some steps, with shorter waits.
std::vector<TimedProgram> SmallerPrograms(const TimedProgram& program);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_TIMED_GENERATE_TIMED_H_

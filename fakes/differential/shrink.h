#ifndef FAKES_DIFFERENTIAL_SHRINK_H_
#define FAKES_DIFFERENTIAL_SHRINK_H_

#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {

// Returns a program with its shrinks: without some of the steps, or with one
// step simplified.
rc::Shrinkable<Program> Shrinking(Program program);

// Returns the variations of a step that are a little simpler.
std::vector<Step> SimplerSteps(const Step& step);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_SHRINK_H_

#ifndef FAKES_DIFFERENTIAL_SHRINK_H_
#define FAKES_DIFFERENTIAL_SHRINK_H_

#include "fakes/differential/program.h"
#include "rapidcheck.h"

namespace net::differential {

// A program together with all that are a little smaller: without some of its
// steps, or with one of them simpler.
rc::Shrinkable<Program> Shrinking(Program program);

// The steps that are a little simpler than this one.
std::vector<Step> SimplerSteps(const Step& step);

}  // namespace net::differential

#endif  // FAKES_DIFFERENTIAL_SHRINK_H_

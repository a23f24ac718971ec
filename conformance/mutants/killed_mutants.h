#ifndef CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_
#define CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_

#include <string>

namespace net::conformance {

// Returns the text of conformance/explain/killed_mutants.txt: each case with
// each bug that it must find, and what that is
// (conformance/explain/killed_mutants.h). It is a file, so that a program which
// explains a case has no mutants in it.
std::string KilledMutantsText();

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_

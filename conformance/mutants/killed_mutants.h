#ifndef CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_
#define CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_

#include <string>

namespace net::conformance {

// Returns the text of conformance/explain/killed_mutants.txt: a line for each
// case and each bug that it must find (conformance/explain/killed_mutants.h).
// The text is kept in a file, so that programs that explain cases need not
// contain the mutants.
std::string KilledMutantsText();

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_KILLED_MUTANTS_H_

#ifndef CONFORMANCE_MUTANTS_MUSEUM_H_
#define CONFORMANCE_MUTANTS_MUSEUM_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/mutants/mutation.h"

// A museum of bugs: bugs that socket layers really had, bugs of our own, and
// harmless peculiarities, each as a mutation of system calls. The suite must
// find every bug and accept every peculiarity.

namespace net::conformance {

// The layer that a mutation changes.
enum class Layer {
  kLibrary,  // the calls of net::tcp: for conformance/cases to find
  kKernel,   // the kernel: for conformance/kernel_cases to find
};

// A public report of a bug.
struct Report {
  absl::string_view project;
  int year = 0;  // of the report; 0 if the bug is our own
  absl::string_view link;
  // What the project's users noticed, in our words.
  absl::string_view noticed;
};

struct Mutant {
  absl::string_view name;     // "accept_returns_local_address"
  absl::string_view family;   // "addresses"
  absl::string_view mistake;  // one sentence
  Report report = {};
  Layer layer = Layer::kLibrary;
  // The ids of cases whose requirement it violates. Each must fail, on one
  // address family at least.
  std::vector<absl::string_view> killers;
  Mutation mutation;
};

// The bugs that real socket layers had, and those of our own.
const std::vector<Mutant>& RealBugs();
const std::vector<Mutant>& OwnBugs();

// A peculiarity that a good implementation may have.
struct HarmlessVariant {
  absl::string_view name;
  absl::string_view description;
  // The ids of cases that find it nevertheless, like the lines of a file of
  // expectations. The reasons are:
  // - listen.defaults.other_options, a `should`: options that net::tcp leaves
  //   as they are may have other values.
  // - descriptors.flags_are_atomic: it takes every fcntl(2) for one that sets
  //   flags.
  std::vector<absl::string_view> differs_in = {};
  Mutation mutation;
};
const std::vector<HarmlessVariant>& HarmlessVariants();

// The parts of RealBugs() and OwnBugs(), each with a file of its own.
std::vector<Mutant> BugsOfOptions();
std::vector<Mutant> BugsOfAddresses();
std::vector<Mutant> BugsOfErrors();
std::vector<Mutant> BugsOfDescriptors();
std::vector<Mutant> BugsOfData();
std::vector<Mutant> BugsOfKernels();
std::vector<Mutant> BugsOfEpoll();
std::vector<Mutant> OwnBugsOfOptions();
std::vector<Mutant> OwnBugsOfAddresses();
std::vector<Mutant> OwnBugsOfErrors();
std::vector<Mutant> OwnBugsOfData();
std::vector<Mutant> OwnBugsOfKernels();

}  // namespace net::conformance

#endif  // CONFORMANCE_MUTANTS_MUSEUM_H_

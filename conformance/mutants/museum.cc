#include "conformance/mutants/museum.h"

#include <initializer_list>
#include <iterator>
#include <utility>
#include <vector>

namespace net::conformance {
namespace {

const std::vector<Mutant>* Joined(
    std::initializer_list<std::vector<Mutant> (*)()> parts) {
  auto* const all = new std::vector<Mutant>;
  for (const auto part : parts) {
    std::vector<Mutant> some = part();
    std::move(some.begin(), some.end(), std::back_inserter(*all));
  }
  return all;
}

}  // namespace

const std::vector<Mutant>& RealBugs() {
  static const auto& all =
      *Joined({&BugsOfOptions, &BugsOfAddresses, &BugsOfErrors,
               &BugsOfDescriptors, &BugsOfData, &BugsOfKernels, &BugsOfEpoll});
  return all;
}

const std::vector<Mutant>& OwnBugs() {
  static const auto& all =
      *Joined({&OwnBugsOfOptions, &OwnBugsOfAddresses, &OwnBugsOfErrors,
               &OwnBugsOfData, &OwnBugsOfKernels});
  return all;
}

}  // namespace net::conformance

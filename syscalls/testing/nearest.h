#ifndef SYSCALLS_TESTING_NEAREST_H_
#define SYSCALLS_TESTING_NEAREST_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net {

// Returns how many insertions, deletions, substitutions and swaps of
// neighbours turn one word into the other.
size_t EditDistance(absl::string_view one, absl::string_view other);

// Returns the `words` that `word` may be a misspelling of, nearest first, at
// most three. A word is near if its edit distance from `word` is at most a
// third of the longer of the two, or if it contains `word`.
std::vector<std::string> Nearest(absl::string_view word,
                                 absl::Span<const std::string> words);

// Returns "; did you mean 'listen.plain' or 'listen.port'?", or "" if no word
// is near.
std::string DidYouMean(absl::string_view word,
                       absl::Span<const std::string> words);

}  // namespace net

#endif  // SYSCALLS_TESTING_NEAREST_H_

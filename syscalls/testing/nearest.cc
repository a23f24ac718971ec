#include "syscalls/testing/nearest.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net {
namespace {

constexpr size_t kMost = 3;
// Shorter words are contained in too many other words.
constexpr size_t kShortestPart = 4;

}  // namespace

size_t EditDistance(absl::string_view one, absl::string_view other) {
  // The last three rows of the dynamic-programming table.
  std::vector<size_t> before_last(other.size() + 1);
  std::vector<size_t> last(other.size() + 1);
  std::vector<size_t> current(other.size() + 1);
  for (size_t j = 0; j <= other.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= one.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= other.size(); ++j) {
      const size_t changed = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      current[j] = std::min({changed, last[j] + 1, current[j - 1] + 1});
      if (i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
          one[i - 2] == other[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[other.size()];
}

std::vector<std::string> Nearest(absl::string_view word,
                                 absl::Span<const std::string> words) {
  std::set<std::pair<size_t, std::string>> near;
  for (const std::string& candidate : words) {
    const size_t distance = EditDistance(word, candidate);
    const bool contains =
        word.size() >= kShortestPart && absl::StrContains(candidate, word);
    if (contains || 3 * distance <= std::max(word.size(), candidate.size())) {
      near.emplace(distance, candidate);
    }
  }
  std::vector<std::string> nearest;
  for (const auto& [distance, candidate] : near) {
    // A clearly nearer candidate hides the others.
    if (nearest.size() == kMost || distance > 2 * near.begin()->first) break;
    nearest.push_back(candidate);
  }
  return nearest;
}

std::string DidYouMean(absl::string_view word,
                       absl::Span<const std::string> words) {
  const std::vector<std::string> nearest = Nearest(word, words);
  if (nearest.empty()) return "";
  return absl::StrCat("; did you mean '", absl::StrJoin(nearest, "' or '"),
                      "'?");
}

}  // namespace net

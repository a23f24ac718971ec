// --deviation=NAME: all FakeKernels of the process have that deviation.

#include <string>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fakes/differential/deviations/deviation.h"

namespace net::fake {

struct DeviationFlag {
  std::string name;
};

static bool AbslParseFlag(absl::string_view text, DeviationFlag* flag,
                          std::string* error) {
  for (const Deviation& deviation : Deviations()) {
    if (deviation.name != text) continue;
    flag->name = std::string(text);
    return true;
  }
  *error = absl::StrCat(
      "the deviations are ",
      absl::StrJoin(Deviations(), ", ",
                    [](std::string* out, const Deviation& deviation) {
                      absl::StrAppend(out, deviation.name);
                    }));
  return false;
}

static std::string AbslUnparseFlag(const DeviationFlag& flag) {
  return flag.name;
}

}  // namespace net::fake

ABSL_FLAG(net::fake::DeviationFlag, deviation, {}, "").OnUpdate([] {
  net::fake::SelectDeviation(absl::GetFlag(FLAGS_deviation).name);
});

#ifndef CONFORMANCE_ENGINE_RECORD_H_
#define CONFORMANCE_ENGINE_RECORD_H_

#include <cstdint>
#include <string>

#include "conformance/engine/outcome.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// A trial that has ended.
struct Record {
  Trial trial;
  Verdict verdict;
  int64_t milliseconds = 0;
  std::string version;  // of the implementation, if it has one of its own
};

// One JSON object on one line, without a newline: the fields `case`, `axis`,
// `implementation`, `outcome`, `leak` (see Leak), `level`, `ms`, `requirement`,
// `source`, `message`, `error`, `leaked`, `version`.
std::string RecordToJson(const Record& record);

// The first line of a file of records: {"environment": {...}} with the suite's
// version, the kernel's, the machine, the effective user, and the sysctls on
// which outcomes may depend.
std::string EnvironmentToJson();

}  // namespace net::conformance

#endif  // CONFORMANCE_ENGINE_RECORD_H_

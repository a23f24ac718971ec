#ifndef FAKES_KERNEL_OPTIONS_WITHOUT_EFFECT_H_
#define FAKES_KERNEL_OPTIONS_WITHOUT_EFFECT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace net::fake {

// The ways in which a program passes an option to the kernel.
enum class OptionKind : uint8_t {
  kSocketOption,    // setsockopt(2): level and name.
  kControlMessage,  // sendmsg(2): level and type.
  kFileStatusFlag,  // fcntl(2), F_SETFL: the flag.
  kFcntlCommand,
  kIoctlRequest,
  kMessageFlag,  // A flag of send(2), sendto(2), sendmsg(2) and sendmmsg(2).
  kArgument,     // An argument of a call. It has no number.
};

// The effect of an option that the FakeKernel accepts.
enum class OptionEffect : uint8_t {
  kActs,           // The same as on Linux.
  kNone,           // None here, although Linux has one.
  kNoneOnLinuxToo  // None for TCP over loopback, here and on Linux.
};

// An option that the FakeKernel accepts.
struct AcceptedOption {
  OptionKind kind;
  OptionEffect effect;
  int level;  // 0 if the kind has no levels.
  int64_t name;
  absl::string_view text;  // For example "SO_MARK".
  // kNone: completes "accepted, without effect here, because".
  // kNoneOnLinuxToo: the reason, as a sentence without a full stop.
  absl::string_view reason;
  // If not 0, the row holds only for values that have one of these bits.
  uint32_t bits = 0;
};

// Returns the table of all options that the FakeKernel accepts. Each option
// must have a row; without_effect_test checks it. docs/OPTIONS.md shows the
// table to users.
absl::Span<const AcceptedOption> AcceptedOptions();

// Returns the row of an option that is set to `value` if its effect is kNone.
// Returns null if the option acts, or has no effect on Linux either.
const AcceptedOption* FindWithoutEffect(OptionKind kind, int level,
                                        int64_t name, uint32_t value);

// Returns the tables of docs/OPTIONS.md, in Markdown.
std::string AcceptedOptionsAsMarkdown();

}  // namespace net::fake

#endif  // FAKES_KERNEL_OPTIONS_WITHOUT_EFFECT_H_

#include "fakes/explorer/declaration.h"

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fakes/call.h"
#include "syscalls/errors/errno_symbol.h"
#include "syscalls/syscall_table.h"

namespace net {
namespace {

// Returns how closely a declaration matches a call and an errno; -1 if it does
// not.
int Closeness(const Declaration& declaration, Call call, int error) {
  int closeness = 0;
  if (declaration.call.has_value()) {
    if (*declaration.call != call) return -1;
    closeness += 1;
  }
  if (declaration.error != kAnyErrno) {
    if (declaration.error != error) return -1;
    closeness += 2;
  }
  return closeness;
}

Declaration DefaultFor(Call call, int error) {
  const bool accepts = call == Call::kAccept || call == Call::kAccept4;
  if (accepts && error == ECONNABORTED) {
    return Ignores(call, error, "the next connection may be waiting");
  }
  return error == EINTR && call != Call::kClose ? Retries(call, error)
                                                : Reports(call, error);
}

// Returns "net::Call::kAccept4".
std::string CallExpression(std::optional<Call> call) {
  if (!call.has_value()) return "net::kAnyCall";
  switch (*call) {
#define NET_SYSCALL(method, ...) \
  case Call::k##method:          \
    return "net::Call::k" #method;
#include "syscalls/syscall_table.inc"
  }
  return "";
}

std::string ErrnoExpression(int error) {
  if (error == kAnyErrno) return "net::kAnyErrno";
  return error == 0 ? "0" : ErrnoSymbol(error);
}

absl::string_view HandlingName(Handling handling) {
  switch (handling) {
    case Handling::kReports:
      return "Reports";
    case Handling::kRetries:
      return "Retries";
    case Handling::kTranslates:
      return "Translates";
    case Handling::kIgnores:
      return "Ignores";
  }
  return "";
}

}  // namespace

std::string Declaration::ToString() const {
  std::string text =
      absl::StrCat("net::", HandlingName(handling), "(", CallExpression(call),
                   ", ", ErrnoExpression(error));
  if (handling == Handling::kTranslates) {
    absl::StrAppend(&text, ", ", ErrnoExpression(reported));
  }
  if (handling == Handling::kIgnores) {
    absl::StrAppend(&text, ", \"", reason, "\"");
  }
  return absl::StrCat(text, ")");
}

Declaration Reports(std::optional<Call> call, int error) {
  return {.handling = Handling::kReports, .call = call, .error = error};
}

Declaration Retries(std::optional<Call> call, int error) {
  return {.handling = Handling::kRetries, .call = call, .error = error};
}

Declaration Translates(std::optional<Call> call, int error, int reported) {
  return {.handling = Handling::kTranslates,
          .call = call,
          .error = error,
          .reported = reported};
}

Declaration Ignores(std::optional<Call> call, int error,
                    absl::string_view reason) {
  return {.handling = Handling::kIgnores,
          .call = call,
          .error = error,
          .reason = std::string(reason)};
}

Declaration DeclarationFor(const std::vector<Declaration>& declarations,
                           Call call, int error) {
  const Declaration* best = nullptr;
  int best_closeness = -1;
  for (const Declaration& declaration : declarations) {
    const int closeness = Closeness(declaration, call, error);
    if (closeness >= 0 && closeness >= best_closeness) {
      best = &declaration;
      best_closeness = closeness;
    }
  }
  return best != nullptr ? *best : DefaultFor(call, error);
}

}  // namespace net

#include "syscalls/testing/command_line.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "syscalls/testing/nearest.h"

namespace net {
namespace {

absl::Status Set(absl::CommandLineFlag& flag, absl::string_view value) {
  std::string error;
  if (flag.ParseFrom(value, &error)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag.Name(), "=", value, ": ", error));
}

// Returns true if a flag without "=value" takes the next word. Booleans do not.
bool NeedsValue(const absl::CommandLineFlag& flag) {
  return !flag.IsOfType<bool>();
}

// "--driver-stdio" for FLAGS_driver_stdio.
std::string AsTyped(absl::string_view name) {
  return absl::StrCat("--", absl::StrReplaceAll(name, {{"_", "-"}}));
}

std::vector<std::string> FlagNames() {
  std::vector<std::string> names;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    names.push_back(AsTyped(name));
  }
  return names;
}

absl::Status NoFlag(absl::string_view word, absl::string_view name,
                    absl::Span<const RenamedFlag> renamed) {
  const std::string typed = AsTyped(name);
  for (const RenamedFlag& flag : renamed) {
    if (typed != AsTyped(flag.before)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(typed, " is now ", AsTyped(flag.now)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no flag '", word, "'", DidYouMean(typed, FlagNames())));
}

}  // namespace

absl::Status ParseFlags(absl::Span<char* const> arguments,
                        absl::Span<const RenamedFlag> renamed) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view word = arguments[i];
    const std::string whole(word);
    if (!absl::ConsumePrefix(&word, "--") || word.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", whole, "' is not a flag"));
    }
    const size_t equals = word.find('=');
    const bool has_value = equals != absl::string_view::npos;
    // The name in C++: --driver-stdio is FLAGS_driver_stdio.
    const std::string name =
        absl::StrReplaceAll(word.substr(0, equals), {{"-", "_"}});
    absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    absl::string_view value = has_value ? word.substr(equals + 1) : "true";
    if (flag == nullptr && !has_value) {
      absl::string_view positive = name;
      if (absl::ConsumePrefix(&positive, "no")) {
        flag = absl::FindCommandLineFlag(positive);
        value = "false";
        if (flag != nullptr && NeedsValue(*flag)) flag = nullptr;
      }
    }
    if (flag == nullptr) {
      return NoFlag(whole, name, renamed);
    }
    if (!has_value && NeedsValue(*flag)) {
      if (++i == arguments.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", whole, "' needs a value"));
      }
      value = arguments[i];
    }
    if (absl::Status status = Set(*flag, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string ShellWord(absl::string_view word) {
  const bool is_plain =
      !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               absl::StrContains("-_=./,:+@%", c);
      });
  if (is_plain) return std::string(word);
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

std::string FromCallersFolder(const std::string& path) {
  const char* folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder == nullptr || absl::StartsWith(path, "/")) return path;
  return absl::StrCat(folder, "/", path);
}

}  // namespace net

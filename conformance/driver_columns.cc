#include "conformance/driver_columns.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "conformance/cases/cases.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/runfiles.h"
#include "conformance/engine/trial.h"

namespace net::conformance {
namespace {

// Names of columns, and of the programs in conformance/drivers.
constexpr struct {
  const char* name;
  const char* program;
  bool stdio = false;  // it cannot open descriptors by number
} kDrivers[] = {
    {.name = "python", .program = "python"},
    {.name = "go", .program = "go"},
    {.name = "node", .program = "node"},
    {.name = "rust", .program = "rust"},
    {.name = "java", .program = "java", .stdio = true},
    {.name = "net_tcp_driver", .program = "net_tcp"},
};

}  // namespace

std::string ProgramAsCommand(const std::string& path) {
  // Absolute, for sh(1) would look for a name without a slash on the PATH.
  const std::string program = std::filesystem::absolute(path);
  return absl::StrCat("'", absl::StrReplaceAll(program, {{"'", "'\\''"}}), "'");
}

Column MakeDriverColumn(std::string name, const DriverCommand& command,
                        const DriverSubjectOptions& options) {
  return {.name = std::move(name),
          .cases = AllCases(),
          .start_subject = [command, options] {
            return StartDriver(command, options);
          }};
}

std::vector<Column> DriversOfTheTree(const DriverSubjectOptions& options) {
  std::vector<Column> columns;
  for (const auto& driver : kDrivers) {
    const std::string path =
        absl::StrCat("conformance/drivers/", driver.program);
    const std::optional<std::string> program = FindRunfile(path);
    Column column =
        MakeDriverColumn(driver.name,
                         {.line = ProgramAsCommand(program.value_or(path)),
                          .stdio = driver.stdio},
                         options);
    column.expectations =
        absl::StrCat("conformance/drivers/", driver.name, ".expectations");
    if (!program.has_value()) {
      column.missing = absl::StrCat(
          "its driver was not built, because its toolchain is missing. To "
          "install the toolchains: third_party/install_debian_packages "
          "drivers");
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace net::conformance

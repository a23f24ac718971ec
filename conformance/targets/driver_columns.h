#ifndef CONFORMANCE_TARGETS_DRIVER_COLUMNS_H_
#define CONFORMANCE_TARGETS_DRIVER_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The column of a driver, judged by all cases of implementations.
Column MakeDriverColumn(std::string name, const DriverCommand& command,
                        const DriverSubjectOptions& options);

// Starts the driver of a column, and names the column as the driver names its
// implementation. The name remains if the driver does not work, or has no name
// that can be one.
void NameByGreeting(Column& column);

// A name that a driver gave as one of a column: letters, digits and "-+._",
// "_" for all else, at most 40. "" if that leaves no name.
std::string ColumnNameOf(absl::string_view name);

// The command line that runs a program, for DriverCommand.
std::string ProgramAsCommand(const std::string& path);

// The drivers of this tree, conformance/drivers. One whose toolchain this
// machine lacks has a reason in `missing`.
std::vector<Column> DriversOfTheTree(const DriverSubjectOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_DRIVER_COLUMNS_H_

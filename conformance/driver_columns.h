#ifndef CONFORMANCE_DRIVER_COLUMNS_H_
#define CONFORMANCE_DRIVER_COLUMNS_H_

#include <string>
#include <vector>

#include "conformance/driver_host/driver_process.h"
#include "conformance/driver_host/driver_subject.h"
#include "conformance/engine/trial.h"

namespace net::conformance {

// The column of a driver, judged by all cases of implementations.
Column MakeDriverColumn(std::string name, const DriverCommand& command,
                        const DriverSubjectOptions& options);

// The command line that runs a program, for DriverCommand.
std::string ProgramAsCommand(const std::string& path);

// The drivers of this tree, conformance/drivers. One whose toolchain this
// machine lacks has a reason in `missing`.
std::vector<Column> DriversOfTheTree(const DriverSubjectOptions& options);

}  // namespace net::conformance

#endif  // CONFORMANCE_DRIVER_COLUMNS_H_

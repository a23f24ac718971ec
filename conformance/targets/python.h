#ifndef CONFORMANCE_TARGETS_PYTHON_H_
#define CONFORMANCE_TARGETS_PYTHON_H_

#include <memory>
#include <string>

#include "conformance/suite/implementation.h"
#include "syscalls/syscalls_fwd.h"

namespace net::conformance {

// Makes the implementation for Python's module `socket`, with an interpreter in
// this process: the class Driver of conformance/drivers/python, whose methods
// are called without the driver protocol's channel. `call_through` as in
// MakeAsio(). Throws HarnessError.
std::unique_ptr<Implementation> MakePython(void (*call_through)(Syscalls&));

// Returns why MakePython() cannot work on this machine; "" if it can.
std::string WhyNoPython();

// Returns the interpreter's version: "3.11.2"; "" if there is none.
std::string PythonVersion();

}  // namespace net::conformance

#endif  // CONFORMANCE_TARGETS_PYTHON_H_

// A driver (conformance/drivers/PROTOCOL.md) of MakeImplementation().

#include <cstdlib>
#include <string>

#include "conformance/driver_host/driver_server.h"
#include "conformance/suite/factory.h"
#include "syscalls/syscalls.h"

// The path of the program, without folders.
// NOLINTNEXTLINE(bugprone-exception-escape): an exception ends the driver
int main(int argc, char** argv) {
  const std::string path = argc > 0 ? argv[0] : "driver";
  net::conformance::ServeDriver(
      {.name = path.substr(path.rfind('/') + 1), .version = "", .make = [] {
         return net::conformance::MakeImplementation(net::DefaultSyscalls());
       }});
}

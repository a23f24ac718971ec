#ifndef CONFORMANCE_ONE_FILE_INIT_H_
#define CONFORMANCE_ONE_FILE_INIT_H_

namespace net::conformance {

// Functions for a machine whose only program is this one, for example as /init
// of an initramfs.

// Returns whether this process is the first of the machine.
bool IsInit();

// Mounts /proc and sets the loopback interface up. Ignores failures: the cases
// that need what this kernel lacks have the outcome `precondition`.
void PrepareMachine();

// Switches the machine off.
void PowerOff();

}  // namespace net::conformance

#endif  // CONFORMANCE_ONE_FILE_INIT_H_

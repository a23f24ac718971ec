#ifndef CONFORMANCE_ONE_FILE_INIT_H_
#define CONFORMANCE_ONE_FILE_INIT_H_

namespace net::conformance {

// For a machine whose only program is this one, as /init of an initramfs.

// Returns true if this process is the first of the machine.
bool IsInit();

// Mounts /proc and sets the loopback interface up. What this kernel does not
// have stays missing: the cases that need it are preconditions.
void PrepareMachine();

// Switches the machine off.
void PowerOff();

}  // namespace net::conformance

#endif  // CONFORMANCE_ONE_FILE_INIT_H_

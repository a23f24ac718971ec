"""A rule that runs the conformance suite against your own TCP implementation."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def tcp_conformance_test(
        name,
        implementation = None,
        driver = None,
        driver_stdio = False,
        expectations = None,
        cases = [],
        args = [],
        data = [],
        **kwargs):
    """Tests a TCP implementation by one GoogleTest test for each case and address family.

    Requires exactly one of `implementation` and `driver`. Set `shard_count` to run the cases in parallel.

    Args:
      name: The name of the test.
      implementation: A cc_library that defines net::conformance::MakeImplementation() (conformance/suite/factory.h).
      driver: A program that implements the protocol in conformance/drivers/PROTOCOL.md.
      driver_stdio: Whether the driver uses its standard input and output for the protocol.
      expectations: The file that lists the known deviations (conformance/engine/expectations.h).
      cases: Globs of the ids of the cases to run, such as "listen.*". If empty, all cases run.
      args: Additional arguments, such as "--timeout=10s", the time after which a hanging case is killed.
      data: As for cc_test.
      **kwargs: As for cc_test: shard_count, size, tags...
    """
    if (implementation == None) == (driver == None):
        fail("tcp_conformance_test({}): requires exactly one of `implementation` and `driver`".format(name))

    # Paths are relative to the root of the caller's workspace, in which a test starts. Cases that let system calls fail
    # need the trap.
    files = [Label("//fakes/trap")]
    flags = []
    if driver != None:
        deps = [Label("//conformance/program:driver_test_main")]
        files.append(driver)
        flags.append("--driver=$(rootpath {})".format(driver))
        if driver_stdio:
            flags.append("--driver-stdio")
    else:
        # The first library needs a symbol of the second, so the order matters to the linker.
        deps = [Label("//conformance/program:implementation_test_main"), implementation]
    if expectations != None:
        files.append(expectations)
        flags.append("--expectations=$(rootpath {})".format(expectations))
    if cases:
        flags.append("--cases=" + ",".join(cases))

    cc_test(
        name = name,
        args = flags + args,
        data = files + data,
        deps = deps,
        **kwargs
    )

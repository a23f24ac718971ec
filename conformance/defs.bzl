"""Rules that judge your own implementation of TCP."""

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
    """Makes a test that judges an implementation of TCP: a GoogleTest test for each case and address family.

    Give either `implementation` or `driver`. With hundreds of cases, `shard_count` saves time.

    Args:
      name: name of the test.
      implementation: a cc_library that defines net::conformance::MakeImplementation() (conformance/suite/factory.h).
      driver: a program that speaks the protocol of conformance/drivers/PROTOCOL.md.
      driver_stdio: True if the channel is the driver's standard input and output.
      expectations: the file of known deviations (conformance/engine/expectations.h).
      cases: globs of the cases to run, such as "listen.*"; all cases if empty.
      args: more arguments, such as "--timeout=10s", which kills a case that takes longer.
      data: as cc_test's.
      **kwargs: as cc_test's: shard_count, size, tags...
    """
    if (implementation == None) == (driver == None):
        fail("tcp_conformance_test({}): give either `implementation` or `driver`".format(name))

    # Paths are relative to the top of the caller's workspace, where a test starts.
    files = []
    flags = []
    if driver != None:
        deps = [Label("//conformance/program:driver_test_main")]
        files.append(driver)
        flags.append("--driver=$(rootpath {})".format(driver))
        if driver_stdio:
            flags.append("--driver-stdio")
    else:
        # The first one needs symbols of the second one, so the order matters to the linker.
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

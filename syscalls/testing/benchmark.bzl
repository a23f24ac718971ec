"""A benchmark, and a test that it runs."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def benchmark(name, srcs, deps, data = [], test_args = [], tags = []):
    """Defines a program of Google Benchmark, and the test NAME_test, which checks that the program runs.

    The program measures: bazel run --config=opt //PACKAGE:NAME. The figures of the test mean nothing, because it is not
    optimized and measures each function for at least 10 ms once.

    Args:
      name: name of the program
      srcs: sources of the program
      deps: libraries of the program
      data: files that the program reads
      test_args: further flags for the test
      tags: tags of the program and of the test
    """
    main = name + "_main"
    cc_library(
        name = main,
        testonly = True,
        srcs = srcs,
        data = data,
        tags = tags,
        visibility = ["//visibility:private"],
        deps = deps + ["@google_benchmark//:benchmark"],
        alwayslink = True,
    )
    cc_binary(
        name = name,
        testonly = True,
        tags = tags,
        deps = [":" + main],
    )
    cc_test(
        name = name + "_test",
        size = "small",
        args = [
            "--benchmark_min_time=0.01",
            "--benchmark_repetitions=1",
        ] + test_args,
        tags = tags,
        deps = [":" + main],
    )

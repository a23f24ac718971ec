"""Implementations that are broken on purpose: the conformance suite's own test."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("@rules_shell//shell:sh_test.bzl", "sh_test")

def _mutated_source_impl(ctx):
    ctx.actions.expand_template(
        template = ctx.file.src,
        output = ctx.outputs.out,
        substitutions = {ctx.attr.replace: ctx.attr.by},
    )

_mutated_source = rule(
    implementation = _mutated_source_impl,
    attrs = {
        "by": attr.string(),
        "out": attr.output(),
        "replace": attr.string(),
        "src": attr.label(allow_single_file = True),
    },
)

def part_of_tcp(name, src):
    """One source file of tcp/, or what has become of it."""
    cc_library(
        name = name,
        srcs = [src],
        deps = [
            "//syscalls",
            "//syscalls/errors:error",
            "//syscalls/net:ip",
            "//syscalls/net:socket_names",
            "//tcp:headers",
        ],
        # Wanted by libraries that stand after it on the linker's command line.
        alwayslink = True,
    )

def mutant(name, replace, by, caught_by, part = "tcp"):
    """net::tcp with one mistake, and a test that the suite finds it.

    The test runs the program //conformance over the mutant and expects that
    each of the cases named fails, and says what it requires.

    Args:
      name: the mistake, in a few words.
      replace: text of the source, which must stand there: a mutant without a
        mistake passes the suite, and that fails its test.
      by: what stands there instead.
      caught_by: ids of cases that must fail.
      part: the source file of tcp/ with the mistake: "tcp" or "socket".
    """
    _mutated_source(
        name = name + "_source",
        src = "//tcp:{}.cc".format(part),
        out = name + ".cc",
        replace = replace,
        by = by,
    )
    part_of_tcp(
        name = name + "_" + part,
        src = name + ".cc",
    )
    cc_binary(
        name = name,
        deps = [
            name + "_" + part,
            "intact_" + ("socket" if part == "tcp" else "tcp"),
            "//conformance/program:main",
        ],
    )
    sh_test(
        name = name + "_test",
        size = "small",
        srcs = ["mutant_test.sh"],
        args = ["$(rootpath :%s)" % name] + caught_by,
        data = [name],
    )

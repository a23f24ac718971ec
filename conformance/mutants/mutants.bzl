"""Implementations with deliberate mistakes, which test the conformance suite."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("@rules_shell//shell:sh_test.bzl", "sh_test")

# Built and run once, plainly. The sanitizers have nothing to find here that they do not find in net::tcp and in the suite.
_TAGS = [
    "noasan",
    "notsan",
]

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

def _text_file_impl(ctx):
    ctx.actions.write(ctx.outputs.out, ctx.attr.text)

_text_file = rule(
    implementation = _text_file_impl,
    attrs = {
        "out": attr.output(),
        "text": attr.string(),
    },
)

def part_of_tcp(name, src):
    """One source file of tcp/, original or mutated."""
    cc_library(
        name = name,
        tags = _TAGS,
        srcs = [src],
        deps = [
            "//syscalls",
            "//syscalls/errors:error",
            "//syscalls/net:ip",
            "//syscalls/net:socket_names",
            "//tcp:headers",
        ],
        # Libraries after it on the linker's command line need its symbols.
        alwayslink = True,
    )

def mutant(name, replace, by, caught_by, part = "tcp"):
    """Makes net::tcp with one mistake, and a test that the suite finds the mistake.

    The test runs the program //conformance with the mutant. Each of the named
    cases must fail, and its requirement must be printed.

    Args:
      name: the mistake, in a few words.
      replace: text that the source must contain. If it does not, the mutant is
        intact and passes the suite, which fails the mutant's test.
      by: the text that replaces it.
      caught_by: the ids of the cases that must fail.
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
        tags = _TAGS,
        deps = [
            name + "_" + part,
            "intact_" + ("socket" if part == "tcp" else "tcp"),
            "//conformance/program:main",
        ],
    )
    sh_test(
        name = name + "_test",
        size = "small",
        tags = _TAGS,
        srcs = ["mutant_test.sh"],
        args = ["$(rootpath :%s)" % name] + caught_by,
        data = [name],
    )

def list_of_mutants(name, out):
    """Makes the list of the mutants above it, in the format of conformance/explain/killed_mutants.h.

    Args:
      name: of the target.
      out: the file.
    """
    lines = []
    for rule_name, attributes in sorted(native.existing_rules().items()):
        if attributes["kind"] != "sh_test":
            continue
        lines.append("%s\t\tThe source of net::tcp has this mistake." % rule_name[:-len("_test")])
        lines += ["! " + case for case in attributes["args"][1:]]
    _text_file(
        name = name,
        out = out,
        text = "\n".join(lines) + "\n",
    )

"""Drivers in languages that Bazel has no rules for here."""

load("@driver_toolchains//:defs.bzl", "TOOLCHAINS")
load("@rules_shell//shell:sh_binary.bzl", "sh_binary")

def driver(name, srcs, cmd):
    """Makes a driver: one file that can be run from anywhere, a program or a script with a #! line.

    Args:
      name: the language, a key of TOOLCHAINS.
      srcs: the driver's source, and other files that its build needs.
      cmd: as a genrule's, with {TOOL} for the path of a tool or library of the language. The target is skipped if one
        is not installed.
    """
    toolchain = TOOLCHAINS[name]
    for tool, path in toolchain.tools.items():
        cmd = cmd.replace("{" + tool + "}", path)
    native.genrule(
        name = name + "_file",
        srcs = srcs,
        outs = [name + "_driver"],
        cmd = cmd,
        executable = True,
        target_compatible_with = toolchain.compatible_with,
        visibility = ["//visibility:private"],
    )
    sh_binary(
        name = name,
        srcs = [name + "_driver"],
        target_compatible_with = toolchain.compatible_with,
    )

"""Finds the compilers, interpreters and libraries for //conformance/drivers on this machine.

The repository @driver_toolchains has a defs.bzl with TOOLCHAINS: language -> struct(

    tools:           name of a tool or library -> absolute path
    compatible_with: for target_compatible_with: empty if all of them exist; else a constraint that no platform meets, so
                     that Bazel skips the language's targets
)
"""

# language -> the tools and libraries that it needs.
_TOOLS = {
    "go": ["go"],
    "java": ["gson", "jar", "java", "javac"],
    "node": ["node"],
    "python": ["python3"],
    "rust": ["cargo", "data_encoding", "rustc", "serde_json"],
}

# For each library a file that Debian installs with it. Rust's libraries are folders of /usr/share/cargo/registry with
# the version in the name, so their packages' copyright files are used.
_LIBRARIES = {
    "data_encoding": "/usr/share/doc/librust-data-encoding-dev/copyright",
    "gson": "/usr/share/java/gson.jar",
    "serde_json": "/usr/share/doc/librust-serde-json-dev/copyright",
}

# A program on the PATH may be a wrapper (of pyenv or rustup) that needs HOME, which Bazel's actions do not have. These
# find the tool itself: a command, and a suffix for its output.
_ITSELF = {
    "cargo": (["rustc", "--print", "sysroot"], "/bin/cargo"),
    "go": (["go", "env", "GOROOT"], "/bin/go"),
    "node": (["node", "-p", "process.execPath"], ""),
    "python3": (["python3", "-c", "import sys; print(sys.executable)"], ""),
    "rustc": (["rustc", "--print", "sysroot"], "/bin/rustc"),
}

_SKIPPED = "//conformance/drivers:{} is skipped, because this machine lacks {}: " + \
           "third_party/install_debian_packages drivers"

def _find(repository_ctx, tool):
    if tool in _LIBRARIES:
        return repository_ctx.path(_LIBRARIES[tool])
    if tool not in _ITSELF:
        return repository_ctx.which(tool)
    command, rest = _ITSELF[tool]
    program = repository_ctx.which(command[0])
    if program == None:
        return None
    result = repository_ctx.execute([program] + command[1:])
    if result.return_code != 0:
        return None
    return repository_ctx.path(result.stdout.strip() + rest)

def _driver_toolchains_impl(repository_ctx):
    entries = []
    for language, tools in _TOOLS.items():
        found = {tool: _find(repository_ctx, tool) for tool in tools}
        missing = [tool for tool, path in found.items() if path == None or not path.exists]
        if missing:
            # buildifier: disable=print
            print(_SKIPPED.format(language, ", ".join(missing)))
        entries.append("    {}: struct(\n        tools = {},\n        compatible_with = {},\n    ),\n".format(
            repr(language),
            repr({tool: str(path) for tool, path in found.items() if tool not in missing}),
            "[\"@driver_toolchains//:missing\"]" if missing else "[]",
        ))
    repository_ctx.file("defs.bzl", "TOOLCHAINS = {\n" + "".join(entries) + "}\n")
    repository_ctx.file("BUILD.bazel", """
package(default_visibility = ["//visibility:public"])

# Every platform has the default value, so none meets :missing. (The @platforms of Debian's Bazel 4 has no
# :incompatible.)
constraint_setting(
    name = "toolchain",
    default_constraint_value = ":there",
)

constraint_value(
    name = "there",
    constraint_setting = ":toolchain",
)

constraint_value(
    name = "missing",
    constraint_setting = ":toolchain",
)
""")

# Bazel evaluates the rule again when one of these variables changes. ./bazelw sets the second one to the paths of the
# installed toolchains. For callers of `bazel` itself, `local` evaluates the rule again at each start of Bazel's server.
driver_toolchains = repository_rule(
    implementation = _driver_toolchains_impl,
    environ = [
        "NET_TCP_DRIVER_TOOLCHAINS",
        "PATH",
    ],
    local = True,
)

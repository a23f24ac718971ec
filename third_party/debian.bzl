"""Makes repositories for the dependencies of net_tcp from Debian's packages, without a network.

A workspace that uses net_tcp contains

    local_repository(name = "net_tcp", path = "...")
    load("@net_tcp//third_party:debian.bzl", "net_tcp_dependencies")
    net_tcp_dependencies()

Repository rules write the BUILD files. A local_repository with a relative path would not work, because its path would be
relative to the workspace that loads it, not to this one.
"""

load("//third_party:debian_libraries.bzl", "DEBIAN_LIBRARIES")
load("//third_party:driver_toolchains.bzl", "driver_toolchains")

_MISSING = "{} is missing. ./bazelw installs it; or run: apt-get install {}"

def _linkopts(repository_ctx, libraries):
    """Returns the linker options for `libraries`, which are as in DEBIAN_LIBRARIES."""
    linkopts = []
    for library in libraries:
        if library.startswith("-"):
            linkopts.append(library)
            continue
        result = repository_ctx.execute(["pkg-config", "--libs", library])
        if result.return_code != 0:
            fail(_MISSING.format("pkg-config's " + library, repository_ctx.attr.package) + "\n" + result.stderr)
        linkopts += [word for word in result.stdout.split(" ") if word.strip()]
    return [word.strip() for word in linkopts]

_BUILD_HEAD = """load("@rules_cc//cc:defs.bzl", "cc_library")

package(default_visibility = ["//visibility:public"])
"""

_BUILD_HEADERS = """
# `includes` makes them system headers, which cause no warnings here.
cc_library(
    name = "headers",
    hdrs = glob(["include/**"]),
    includes = ["include"],
)
"""

_BUILD_LIBRARY = """
cc_library(
    name = "{name}",
    linkopts = {linkopts},
    deps = ["//:headers"],
)
"""

def _debian_library_impl(repository_ctx):
    for header in repository_ctx.attr.headers:
        installed = repository_ctx.path("/usr/include/" + header)
        if not installed.exists:
            fail(_MISSING.format(installed, repository_ctx.attr.package))
        repository_ctx.symlink(installed, "include/" + header)

    builds = {"": _BUILD_HEAD + _BUILD_HEADERS}
    for label, libraries in repository_ctx.attr.libraries.items():
        package, name = label[2:].split(":")
        builds[package] = builds.get(package, _BUILD_HEAD) + _BUILD_LIBRARY.format(
            name = name,
            linkopts = repr(_linkopts(repository_ctx, libraries)),
        )
    for package, text in builds.items():
        repository_ctx.file(package + "/BUILD.bazel" if package else "BUILD.bazel", text)

# With `local`, the rule is evaluated again at each start of a Bazel server, which detects upgraded packages.
_debian_library = repository_rule(
    implementation = _debian_library_impl,
    attrs = {
        "headers": attr.string_list(mandatory = True),
        "libraries": attr.string_list_dict(mandatory = True),
        "package": attr.string(mandatory = True),
    },
    local = True,
)

# Compiled from the package's sources, so that the sanitizers instrument it. As upstream, :gtest includes gmock.
_GOOGLETEST_BUILD = _BUILD_HEAD + """
cc_library(
    name = "gtest",
    srcs = [
        "googlemock/src/gmock-all.cc",
        "googletest/src/gtest-all.cc",
    ],
    hdrs = glob(["*/include/**/*.h"]),
    copts = ["-w"],
    includes = [
        "googlemock",
        "googlemock/include",
        "googletest",
        "googletest/include",
    ],
    linkopts = ["-pthread"],
    textual_hdrs = glob(["*/src/*"]),
)

cc_library(
    name = "gtest_main",
    srcs = ["googlemock/src/gmock_main.cc"],
    copts = ["-w"],
    deps = [":gtest"],
)
"""

def _debian_googletest_impl(repository_ctx):
    for folder in ["googletest", "googlemock"]:
        installed = repository_ctx.path("/usr/src/googletest/" + folder)
        if not installed.exists:
            fail(_MISSING.format(installed, "googletest"))
        for part in ["include", "src"]:
            repository_ctx.symlink(installed.get_child(part), folder + "/" + part)
    repository_ctx.file("BUILD.bazel", _GOOGLETEST_BUILD)

_debian_googletest = repository_rule(implementation = _debian_googletest_impl, local = True)

# The rule sets for Bazel 4: its native rules, in the files from which BUILD files for newer Bazel load them. (Debian's
# bazel-rules-cc is too new for Debian's own Bazel, and bazel_tools loads the first two even for a cc_library.)
_NATIVE_RULES = {
    "rules_cc": {"cc/defs.bzl": [
        "cc_binary",
        "cc_import",
        "cc_library",
        "cc_proto_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
        "objc_library",
    ]},
    "rules_java": {"java/defs.bzl": [
        "java_binary",
        "java_import",
        "java_library",
        "java_proto_library",
        "java_runtime",
        "java_test",
        "java_toolchain",
    ]},
    "rules_shell": {
        "shell/sh_binary.bzl": ["sh_binary"],
        "shell/sh_library.bzl": ["sh_library"],
        "shell/sh_test.bzl": ["sh_test"],
    },
}

def _native_rules_impl(repository_ctx):
    for path, rules in repository_ctx.attr.files.items():
        repository_ctx.file(path.rpartition("/")[0] + "/BUILD.bazel", "")
        repository_ctx.file(path, "".join(["{0} = native.{0}\n".format(rule) for rule in rules]))

_native_rules = repository_rule(
    implementation = _native_rules_impl,
    attrs = {"files": attr.string_list_dict(mandatory = True)},
)

def _no_coverage_tools_impl(repository_ctx):
    repository_ctx.file("BUILD.bazel", """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
""")

# Every cc_test refers to Bazel's coverage reporter, which Debian does not have. Only `bazel coverage` would run it.
_no_coverage_tools = repository_rule(implementation = _no_coverage_tools_impl)

def _make(name, rule, **kwargs):
    # In a WORKSPACE, a dependency that the user has defined before takes precedence.
    if not (hasattr(native, "existing_rule") and native.existing_rule(name)):
        rule(name = name, **kwargs)

def make_debian_repositories(prefix = ""):
    """Makes the repositories that Bazel 7 needs, too: see bzlmod.bzl.

    Args:
      prefix: a prefix for the repositories' names.
    """
    _make(prefix + "googletest", _debian_googletest)
    for name, library in DEBIAN_LIBRARIES.items():
        _make(
            prefix + name,
            _debian_library,
            package = library.package,
            headers = library.headers,
            libraries = library.libraries,
        )

def net_tcp_dependencies():
    """Makes all dependencies of net_tcp for a WORKSPACE, with the names of the Bazel central registry."""
    for name, files in _NATIVE_RULES.items():
        _make(name, _native_rules, files = files)
    _make("remote_coverage_tools", _no_coverage_tools)
    _make("driver_toolchains", driver_toolchains)
    make_debian_repositories()

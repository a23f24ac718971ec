"""Module extensions for MODULE.bazel, and for the modules in bzlmod/ under Debian's Bazel 7.

A separate file, because Bazel 4 has no module extensions.
"""

load("//third_party:debian.bzl", "make_debian_repositories")
load("//third_party:debian_libraries.bzl", "DEBIAN_LIBRARIES")
load("//third_party:driver_toolchains.bzl", _driver_toolchains = "driver_toolchains")

def _debian_impl(_module_ctx):
    make_debian_repositories(prefix = "debian_")

# The repositories of a WORKSPACE, with the names debian_NAME. NAME itself is the module in bzlmod/ that refers to it.
debian = module_extension(implementation = _debian_impl)

def _driver_toolchains_impl(_module_ctx):
    _driver_toolchains(name = "driver_toolchains")

# Used with every Bazel 7, also with one that gets its modules from a registry.
driver_toolchains = module_extension(implementation = _driver_toolchains_impl)

_GOOGLETEST_LIBRARIES = [
    "//:gtest",
    "//:gtest_main",
]

def debian_aliases(name):
    """Makes the aliases of a BUILD file in bzlmod/: the libraries of its package, which refer to those of @debian_NAME.

    Args:
      name: the module: "googletest" or a key of DEBIAN_LIBRARIES.
    """
    labels = _GOOGLETEST_LIBRARIES if name == "googletest" else DEBIAN_LIBRARIES[name].libraries
    for label in labels:
        package, target = label[2:].split(":")
        if package == native.package_name():
            native.alias(
                name = target,
                actual = "@debian_{}{}".format(name, label),
                visibility = ["//visibility:public"],
            )

"""For MODULE.bazel, and for the modules in bzlmod/ under Debian's Bazel 7.

(A file of its own: Bazel 4 knows no module extensions.)
"""

load("//third_party:debian.bzl", "make_debian_repositories")
load("//third_party:debian_libraries.bzl", "DEBIAN_LIBRARIES")
load("//third_party:driver_toolchains.bzl", _driver_toolchains = "driver_toolchains")

def _debian_impl(_module_ctx):
    make_debian_repositories(prefix = "debian_")

# The repositories that a WORKSPACE gets, as debian_NAME: NAME itself is the module that stands in front.
debian = module_extension(implementation = _debian_impl)

def _driver_toolchains_impl(_module_ctx):
    _driver_toolchains(name = "driver_toolchains")

# For every Bazel 7, also one that takes its modules from a registry.
driver_toolchains = module_extension(implementation = _driver_toolchains_impl)

_GOOGLETEST_LIBRARIES = [
    "//:gtest",
    "//:gtest_main",
]

def debian_aliases(name):
    """For a BUILD file in bzlmod/: its package's libraries, as aliases to those of @debian_NAME.

    Args:
      name: the module, "googletest" or a key of DEBIAN_LIBRARIES.
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

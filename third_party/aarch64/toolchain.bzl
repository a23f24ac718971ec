"""Describes Debian's cross compiler for arm64 (package g++-aarch64-linux-gnu) to Bazel."""

load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)

_COMPILE = [
    "c-compile",
    "c++-compile",
]
_LINK = [
    "c++-link-executable",
    "c++-link-dynamic-library",
    "c++-link-nodeps-dynamic-library",
]

# Bazel's name of a tool, and that of the program.
_TOOLS = {
    "ar": "ar",
    "cpp": "cpp",
    "gcc": "gcc",
    "gcov": "gcov",
    "ld": "ld",
    "nm": "nm",
    "objdump": "objdump",
    "strip": "strip",
}

def _flags(name, actions, flags, mode = None):
    return feature(
        name = name,
        enabled = True,
        flag_sets = [flag_set(
            actions = actions,
            flag_groups = [flag_group(flags = flags)],
            with_features = [with_feature_set(features = [mode])] if mode else [],
        )],
    )

def _aarch64_config_impl(ctx):
    # Bazel 4's rules_cc has no //cc/common to load it from.
    # buildifier: disable=native-cc-common
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "aarch64-linux-gnu",
        host_system_name = "local",
        target_system_name = "aarch64-linux-gnu",
        target_cpu = "aarch64",
        target_libc = "glibc",
        compiler = "gcc",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [
            tool_path(name = name, path = "/usr/bin/aarch64-linux-gnu-" + program)
            for name, program in _TOOLS.items()
        ],
        cxx_builtin_include_directories = [
            "/usr/aarch64-linux-gnu/include",
            "/usr/lib/gcc-cross/aarch64-linux-gnu",
            "/usr/include",
        ],
        features = [
            feature(name = "opt"),
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            _flags("small", _COMPILE, ["-Os", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"], "opt"),
            _flags("libraries", _LINK, ["-fuse-ld=gold", "-lstdc++", "-lm"]),
            _flags("without_unused", _LINK, ["-Wl,--gc-sections"], "opt"),
        ],
    )

aarch64_config = rule(
    implementation = _aarch64_config_impl,
    provides = [CcToolchainConfigInfo],
)

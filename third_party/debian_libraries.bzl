"""The table of Debian's libraries and their labels, for WORKSPACE and for bzlmod.

Each entry of DEBIAN_LIBRARIES is a repository, with the module's name in the Bazel central registry:

    package:   the Debian package, for the message if it is not installed
    headers:   its files and folders in /usr/include
    libraries: label -> the libraries to link; a word with a leading "-" is a linker flag, any other a pkg-config module,
               which includes its dependencies. [] for a header-only library.

To add a library, add an entry here, its package to debian_packages.txt, a bazel_dep to MODULE.bazel, and its folder to
bzlmod/ (an override in .bazelrc points there).
"""

DEBIAN_LIBRARIES = {
    "abseil-cpp": struct(
        package = "libabsl-dev",
        headers = ["absl"],
        libraries = {
            "//absl/algorithm:algorithm": [],
            "//absl/algorithm:container": [],
            "//absl/base:base": ["absl_base"],
            "//absl/base:config": [],
            "//absl/base:core_headers": [],
            "//absl/cleanup:cleanup": ["absl_cleanup"],
            "//absl/container:btree": ["absl_btree"],
            "//absl/container:fixed_array": ["absl_fixed_array"],
            "//absl/container:flat_hash_map": ["absl_flat_hash_map"],
            "//absl/container:flat_hash_set": ["absl_flat_hash_set"],
            "//absl/container:inlined_vector": ["absl_inlined_vector"],
            "//absl/container:node_hash_map": ["absl_node_hash_map"],
            "//absl/container:node_hash_set": ["absl_node_hash_set"],
            "//absl/debugging:failure_signal_handler": ["absl_failure_signal_handler"],
            "//absl/debugging:stacktrace": ["absl_stacktrace"],
            "//absl/debugging:symbolize": ["absl_symbolize"],
            "//absl/flags:commandlineflag": ["absl_flags_commandlineflag"],
            "//absl/flags:config": ["absl_flags_config"],
            "//absl/flags:flag": ["absl_flags"],
            "//absl/flags:marshalling": ["absl_flags_marshalling"],
            "//absl/flags:parse": ["absl_flags_parse"],
            "//absl/flags:reflection": ["absl_flags_reflection"],
            "//absl/flags:usage": ["absl_flags_usage"],
            "//absl/functional:any_invocable": ["absl_any_invocable"],
            "//absl/functional:bind_front": ["absl_bind_front"],
            "//absl/functional:function_ref": ["absl_function_ref"],
            "//absl/hash:hash": ["absl_hash"],
            "//absl/memory:memory": ["absl_memory"],
            "//absl/meta:type_traits": [],
            "//absl/numeric:bits": ["absl_bits"],
            "//absl/numeric:int128": ["absl_int128"],
            "//absl/random:bit_gen_ref": ["absl_random_bit_gen_ref"],
            "//absl/random:distributions": ["absl_random_distributions"],
            "//absl/random:random": ["absl_random_random"],
            "//absl/status:status": ["absl_status"],
            "//absl/status:statusor": ["absl_statusor"],
            "//absl/strings:cord": ["absl_cord"],
            "//absl/strings:str_format": ["absl_str_format"],
            "//absl/strings:strings": ["absl_strings"],
            "//absl/synchronization:synchronization": ["absl_synchronization"],
            "//absl/time:time": ["absl_time"],
            "//absl/types:span": ["absl_span"],
            "//absl/utility:utility": ["absl_utility"],
        },
    ),
    "asio": struct(
        package = "libasio-dev",
        headers = [
            "asio",
            "asio.hpp",
        ],
        # The registry's //:asio adds OpenSSL, which is not needed here.
        libraries = {"//:asio_no_openssl": []},
    ),
    "google_benchmark": struct(
        package = "libbenchmark-dev",
        headers = ["benchmark"],
        libraries = {
            "//:benchmark": ["benchmark"],
            "//:benchmark_main": ["-lbenchmark_main", "benchmark"],
        },
    ),
    "libuv": struct(
        package = "libuv1-dev",
        headers = [
            "uv",
            "uv.h",
        ],
        libraries = {"//:libuv": ["libuv"]},
    ),
    "nlohmann_json": struct(
        package = "nlohmann-json3-dev",
        headers = ["nlohmann"],
        libraries = {"//:json": []},
    ),
    "rapidcheck": struct(
        package = "librapidcheck-dev",
        headers = [
            "rapidcheck",
            "rapidcheck.h",
        ],
        libraries = {
            "//:rapidcheck": ["-lrapidcheck"],
            "//:rapidcheck_gtest": ["-lrapidcheck"],
        },
    ),
    "zlib": struct(
        package = "zlib1g-dev",
        headers = [
            "zconf.h",
            "zlib.h",
        ],
        libraries = {"//:zlib": ["zlib"]},
    ),
}

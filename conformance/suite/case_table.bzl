"""The rule behind the two tables of cases, conformance/cases and conformance/kernel_cases."""

load("@rules_cc//cc:defs.bzl", "cc_library")

_ALL_CASES = """// Written by the rule case_table() from the list in BUILD.bazel.
#include <vector>

#include "{header}"
#include "conformance/suite/case.h"

namespace net::conformance {{

{declarations}

const std::vector<Case>& {all}() {{
  static const auto& all = *[] {{
    auto* cases = new std::vector<Case>;
    for (const auto* part : {{{parts}}}) {{
      cases->insert(cases->end(), part->begin(), part->end());
    }}
    return cases;
  }}();
  return all;
}}

}}  // namespace net::conformance
"""

def _written_file_impl(ctx):
    ctx.actions.write(ctx.outputs.out, ctx.attr.text)

_written_file = rule(
    implementation = _written_file_impl,
    attrs = {
        "out": attr.output(),
        "text": attr.string(),
    },
)

def _function(part, suffix):
    return "".join([word.capitalize() for word in part.split("_")]) + suffix

def case_table(name, all, header, suffix, parts, helpers, deps):
    """Makes a library that contains the cases of all files of a folder, in the order of `parts`.

    The file listen_port.cc is a part of the table with the suffix "Cases" if it defines
    `const std::vector<Case>& ListenPortCases()` in net::conformance.

    Args:
      name: The name of the library.
      all: The name of the function that returns the cases of all parts. The header declares it.
      header: The header, in this folder.
      suffix: The end of the name of each part's function.
      parts: The files with cases, without .cc, in the order of lists and reports.
      helpers: The other .cc files of the folder.
      deps: As for cc_library.
    """
    listed = [part + ".cc" for part in parts] + helpers
    unlisted = [file for file in native.glob(["*.cc"]) if file not in listed]
    if unlisted:
        fail("{}: neither among `parts` nor among `helpers`: {}".format(name, ", ".join(unlisted)))
    functions = [_function(part, suffix) for part in parts]
    _written_file(
        name = name + "_all",
        out = "all_{}.cc".format(name),
        text = _ALL_CASES.format(
            all = all,
            declarations = "\n".join(["const std::vector<Case>& {}();".format(one) for one in functions]),
            header = native.package_name() + "/" + header,
            parts = ", ".join(["&{}()".format(one) for one in functions]),
        ),
    )

    # For case_hashes.py.
    native.filegroup(
        name = "sources",
        srcs = [part + ".cc" for part in parts],
    )
    cc_library(
        name = name,
        srcs = listed + ["all_{}.cc".format(name)],
        hdrs = native.glob(["*.h"]),
        deps = deps,
    )

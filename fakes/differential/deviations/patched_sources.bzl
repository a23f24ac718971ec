"""Rules that apply deviations.bzl to the FakeKernel's sources."""

load(":deviations.bzl", "DEVIATIONS")

# Adds an #include to INPUT. Fails unless INPUT calls Deviates() once for each NAME: expand_template() ignores a text that
# it does not find, and replaces all occurrences of one that it finds.
#
#     sh -c CHECK -- SOURCE INPUT OUTPUT [NAME REPLACED_TEXT]...
_CHECK = """
source=$1 input=$2 output=$3
shift 3
status=0
while [ $# -gt 0 ]; do
  count=$(grep -c "Deviates(\\"$1\\")" "$input")
  if [ "$count" != 1 ]; then
    status=1
    {
      echo "$source: the deviation $1 of fakes/differential/deviations/deviations.bzl cannot be applied."
      echo "The text that it replaces must occur exactly once, and occurs $count times:"
      echo "$2"
    } >&2
  fi
  shift 2
done
{
  echo '#include "fakes/differential/deviations/deviation.h"'
  cat "$input"
} > "$output"
exit $status
"""

_SourcesInfo = provider(
    doc = "The files of a cc_library.",
    fields = {"hdrs": "list of File", "srcs": "list of File"},
)

def _sources_aspect_impl(_target, ctx):
    return [_SourcesInfo(hdrs = ctx.rule.files.hdrs, srcs = ctx.rule.files.srcs)]

_sources_aspect = aspect(implementation = _sources_aspect_impl)

def _path(file):
    """Returns the path of a source file in its repository."""
    return file.owner.package + "/" + file.owner.name

def _patch(ctx, src, deviations):
    """Returns a copy of `src` that has the deviations."""
    replaced = ctx.actions.declare_file("replaced/" + _path(src))
    ctx.actions.expand_template(
        template = src,
        output = replaced,
        substitutions = {one.replace: one.by for one in deviations},
    )
    patched = ctx.actions.declare_file("patched/" + _path(src))
    arguments = [_path(src), replaced.path, patched.path]
    for one in deviations:
        arguments += [one.name, one.replace]
    ctx.actions.run_shell(
        inputs = [replaced],
        outputs = [patched],
        command = _CHECK,
        arguments = arguments,
        mnemonic = "PatchKernel",
    )
    return patched

def _patched_sources_impl(ctx):
    srcs = [src for library in ctx.attr.libraries for src in library[_SourcesInfo].srcs]
    hdrs = [hdr for library in ctx.attr.libraries for hdr in library[_SourcesInfo].hdrs]
    paths = [_path(src) for src in srcs]
    for one in DEVIATIONS:
        if one.file not in paths:
            fail("The deviation {} changes {}, which is no source of the libraries.".format(one.name, one.file))
    files = []
    for src in srcs:
        deviations = [one for one in DEVIATIONS if one.file == _path(src)]
        files.append(_patch(ctx, src, deviations) if deviations else src)
    return [
        DefaultInfo(files = depset(files)),
        OutputGroupInfo(hdrs = depset(hdrs)),
    ]

patched_sources = rule(
    implementation = _patched_sources_impl,
    attrs = {"libraries": attr.label_list(aspects = [_sources_aspect])},
    doc = "The sources of cc_libraries, with all deviations. Their headers are the output group `hdrs`.",
)

_TABLE = """#include "fakes/differential/deviations/deviation.h"

namespace net::fake {

absl::Span<const Deviation> Deviations() {
  static constexpr Deviation kDeviations[] = {
%s  };
  return kDeviations;
}

}  // namespace net::fake
"""

def _deviation_table_impl(ctx):
    lines = [
        "      {{\"{}\", \"{}\", Deviation::{}}},\n".format(one.name, one.meaning, one.kind)
        for one in DEVIATIONS
    ]
    ctx.actions.write(ctx.outputs.out, _TABLE % "".join(lines))

deviation_table = rule(
    implementation = _deviation_table_impl,
    attrs = {"out": attr.output(mandatory = True)},
    doc = "A source that defines net::fake::Deviations().",
)

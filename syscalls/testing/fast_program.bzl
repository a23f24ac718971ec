"""A rule for benchmarks."""

# Calls between files are inlined; no call checks its stack or keeps a frame pointer.
_COMPILER_FLAGS = ["-flto=auto", "-fno-stack-protector", "-fomit-frame-pointer"]
_LINKER_FLAGS = ["-flto=auto"]

_COPT = "//command_line_option:copt"
_LINKOPT = "//command_line_option:linkopt"
_MODE = "//command_line_option:compilation_mode"

def _fastest_impl(settings, _attr):
    # Older Bazels have an object here.
    if str(settings[_MODE]) != "opt":
        return {_COPT: settings[_COPT], _LINKOPT: settings[_LINKOPT]}
    return {
        _COPT: settings[_COPT] + _COMPILER_FLAGS,
        _LINKOPT: settings[_LINKOPT] + _LINKER_FLAGS,
    }

_fastest = transition(
    implementation = _fastest_impl,
    inputs = [_COPT, _LINKOPT, _MODE],
    outputs = [_COPT, _LINKOPT],
)

def _fast_program_impl(ctx):
    program = ctx.attr.program[0][DefaultInfo]
    link = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = link, target_file = program.files_to_run.executable, is_executable = True)
    return [DefaultInfo(executable = link, runfiles = program.default_runfiles)]

fast_program = rule(
    implementation = _fast_program_impl,
    executable = True,
    attrs = {
        "program": attr.label(mandatory = True, cfg = _fastest, doc = "A cc_binary."),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    doc = "The program, compiled with --config=opt as the fastest one: with it all its libraries. They are compiled for it " +
          "alone, because tests would take long to link so.",
)

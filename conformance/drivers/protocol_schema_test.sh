#!/usr/bin/env bash
# protocol_schema_test.sh TEST ARGS...: with Debian's Python, whatever other is on the PATH: it has the module jsonschema.
exec /usr/bin/python3 "$@"

#!/bin/sh
# The runfiles of a test are where it starts: my_driver.py lies beside this.
exec python3 "$(dirname "$0")/my_driver.py"

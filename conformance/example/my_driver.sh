#!/bin/sh
# my_driver.py is in the same folder of the test's runfiles.
exec python3 "$(dirname "$0")/my_driver.py"

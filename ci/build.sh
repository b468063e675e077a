#!/bin/sh
# Builds everything, or nothing: tsmap build. Its exit code is the step's.
here=${0%/*}
# shellcheck source=SCRIPTDIR/common.sh
. "$here/common.sh"
find_output

status=0
tsmap build "$manifest" --no-progress || status=$?
[ "$status" = 0 ] || fail "$status" "nothing was built"
[ -f "$output/SHA256SUMS" ] || fail 2 "tsmap build left nothing at $output"
tell output "$output"

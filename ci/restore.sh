#!/bin/sh
# Puts what an earlier run built (the archive of pack.sh, FLEET_PREVIOUS) where
# tsmap looks for it, so that the plan says what changes. There is none before
# the first build: a file that is not there is no error.
here=${0%/*}
# shellcheck source=SCRIPTDIR/common.sh
. "$here/common.sh"

archive=${FLEET_PREVIOUS:-}
if [ -z "$archive" ] || [ ! -e "$archive" ]; then
  say "nothing was built before: all is new"
  exit 0
fi
find_output
if [ -e "$output" ] || [ -L "$output" ]; then fail 2 "$output is there already: $archive is left alone"; fi

# As tsmap build leaves them: a folder beside the link.
name=${output##*/}
sets=$(dirname "$output")/.$name.sets
mkdir -p "$sets/previous"
tar -x -p --no-same-owner -f "$archive" -C "$sets/previous" || fail 2 "$archive cannot be unpacked"
(cd "$sets/previous" && sha256sum --check --quiet SHA256SUMS) || fail 2 "$archive is not what its SHA256SUMS says"
ln -s ".$name.sets/previous" "$output"
say "compared with what was built before"

#!/bin/sh
# Makes one archive of what was built, tsmap-artifacts.tar, with the modes of
# its files, which the services' own archives lose. The same set gives the same
# bytes everywhere: sorted names, no links, no owners, one time
# (SOURCE_DATE_EPOCH, or the beginning of 1970).
# Outputs "set", the archive, and "set-sha256".
#
# The archive holds passwords as the hosts read them: mode 0600, and to be kept
# as they are.
here=${0%/*}
# shellcheck source=SCRIPTDIR/common.sh
. "$here/common.sh"
find_output

[ -f "$output/SHA256SUMS" ] || fail 2 "nothing was built at $output"
(cd "$output/" && sha256sum --check --quiet SHA256SUMS) || fail 2 "$output is not what its SHA256SUMS says"

tar=tar
if command -v gtar >/dev/null; then tar=gtar; fi
case $("$tar" --version 2>/dev/null) in *"GNU tar"*) ;; *) fail 2 "GNU tar is needed" ;; esac

archive=$reports/tsmap-artifacts.tar
names=$archive.names
rm -f "$archive.part"
# pack OPERATION TYPE OPTION…: folders come first, with one mode; files have theirs.
pack() {
  operation=$1
  type=$2
  shift 2
  find -L "$output/" -mindepth 1 -type "$type" -printf '%P\0' >"$names"
  LC_ALL=C sort -z -o "$names" "$names"
  "$tar" "$operation" -f "$archive.part" -C "$output/" --format=gnu --dereference --hard-dereference --no-recursion \
    --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner "$@" --null --files-from="$names"
}
pack -c d --mode=0700
pack -r f
rm -f "$names"
mv "$archive.part" "$archive"

sha256=$(sha256sum <"$archive")
sha256=${sha256%% *}
printf '%s  %s\n' "$sha256" "${archive##*/}" >"$archive.sha256"
say "packed, sha256 $sha256"
tell set "$archive"
tell set-sha256 "$sha256"

#!/bin/sh
# Checks what was built: tsmap check, as SARIF in check.sarif, in words in the
# log and the summary, and as a code quality report for GitLab.
# Outputs "sarif" and "findings" (a number). Exit codes are tsmap's: 0 fine,
# 1 findings, after all of that was written, 2 trouble.
here=${0%/*}
# shellcheck source=SCRIPTDIR/common.sh
. "$here/common.sh"

set -- "$manifest" --format sarif
if [ -n "${FLEET_COPIES:-}" ]; then set -- "$@" --copies "$FLEET_COPIES"; fi

sarif=$reports/check.sarif
rm -f "$sarif" "$reports/check.txt" "$reports/codequality.json"
status=0
tsmap check "$@" >"$sarif.part" || status=$?
# 1 is also the code of a program that came to grief in a way of its own: where
# there are findings they can be read.
case $status in
  0 | 1) node "$here/findings.js" text "$sarif.part" >"$reports/check.txt" || status=2 ;;
esac
case $status in
  0 | 1) ;;
  *)
    rm -f "$sarif.part" "$reports/check.txt"
    fail 2 "tsmap check could not tell"
    ;;
esac

mv "$sarif.part" "$sarif"
node "$here/findings.js" codequality "$sarif" >"$reports/codequality.json"
findings=$(wc -l <"$reports/check.txt" | tr -d ' ')
cat "$reports/check.txt"
tell sarif "$sarif"
tell findings "$findings"
if [ "$findings" != 0 ]; then summarize "Check: $findings findings" "$reports/check.txt"; fi
[ "$status" = 0 ] || fail 1 "tsmap check is not content"

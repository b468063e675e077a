#!/bin/sh
# What would change: tsmap plan, in the log, in plan.txt and in the summary.
# Output "plan": none or changes. Exit code 0 for either, 1 for trouble.
here=${0%/*}
# shellcheck source=SCRIPTDIR/common.sh
. "$here/common.sh"

status=0
tsmap plan "$manifest" >"$reports/plan.txt" || status=$?
cat "$reports/plan.txt"

# A program that ends before it has said anything has no plan, whatever its code.
if [ "$status" = 2 ] && [ ! -s "$reports/plan.txt" ]; then status=1; fi
case $status in
  0) plan=none ;;
  2) plan=changes ;;
  *) fail 1 "tsmap plan could not tell" ;;
esac
if [ ! -s "$reports/plan.txt" ]; then echo "Nothing to do." >"$reports/plan.txt"; fi
summarize "Plan: $plan" "$reports/plan.txt"
tell plan "$plan"

# shellcheck shell=sh
# What the steps have in common, whichever service runs them: GitHub by
# action.yml, GitLab by templates/tsmap.yml, or anything with a POSIX shell.
# Each step sources this file first.
#
#   FLEET_MANIFEST  the manifest; default: tsmap.yaml, tsmap.yml or tsmap.json here
#   FLEET_OUTPUT    the link to what is built, relative to the manifest's folder;
#                   default: what the manifest says
#   FLEET_REPORTS   the folder for what the steps tell; default: tsmap-reports
#   FLEET_COPIES    check.sh: the folder with the copies from the hosts
#   FLEET_PREVIOUS  restore.sh: the archive of an earlier run
#
# (TSMAP_… are tsmap's own settings, and reach it as they are.)
#
# Secrets. No step sees one: tsmap reads them itself, from its environment,
# files and programs, and masks them in all that it prints and reports. They
# are not given to the service for masking (::add-mask:: and the like): for
# that a step would have to decrypt them once more and to print them, and a
# service masks only what looks exactly like them. What comes from the
# service's own store of secrets it masks by itself.
set -eu
umask 077

newline='
'

say() { printf '%s\n' "tsmap in CI: $*"; }

# fail CODE MESSAGE
fail() {
  code=$1
  shift
  printf '%s\n' "tsmap in CI: $*" >&2
  exit "$code"
}

# GitHub takes a line of the log that begins with :: for a command. What is
# printed here comes from maps and manifests, that is, from whoever may write
# to them: from here on it is text, until a word that nobody can guess.
if [ "${GITHUB_ACTIONS:-}" = true ]; then
  resume=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$resume"
  trap 'printf "::%s::\n" "$resume"' EXIT
fi

find_manifest() {
  manifest=${FLEET_MANIFEST:-}
  if [ -z "$manifest" ]; then
    for name in tsmap.yaml tsmap.yml tsmap.json; do
      if [ -e "$name" ]; then
        manifest=$name
        break
      fi
    done
    [ -n "$manifest" ] || fail 2 "no tsmap.yaml, tsmap.yml or tsmap.json here"
  fi
  [ -f "$manifest" ] || fail 2 "no such manifest: $manifest"
  # Not as an option.
  case $manifest in -*) manifest=./$manifest ;; esac
}

# The link, with its whole path, by what tsmap itself says.
find_output() {
  output=$(tsmap build "$manifest" --show-settings --json | node -e '
    const { readFileSync } = require("node:fs");
    console.log(JSON.parse(readFileSync(0, "utf8")).find(({ name }) => name === "output").value);' 2>/dev/null) ||
    fail 2 "tsmap does not say where it builds"
  case $output in
    /*) ;;
    *) output=$(cd "$(dirname "$manifest")" && pwd)/$output ;;
  esac
}

find_reports() {
  reports=${FLEET_REPORTS:-tsmap-reports}
  mkdir -p "$reports"
  reports=$(cd "$reports" && pwd)
}

# tell NAME VALUE: an output of the step in GitHub, and for GitLab a variable
# of the jobs behind this one (FLEET_NAME, in a dotenv report).
tell() {
  case $2 in *"$newline"*) fail 2 "a name with a line break: $1" ;; esac
  if [ -n "${GITHUB_OUTPUT:-}" ]; then printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; fi
  printf 'FLEET_%s=%s\n' "$(printf %s "$1" | tr a-z- A-Z_)" "$2" >>"$reports/fleet.env"
}

# GitHub refuses a summary of more than 1 MiB, and a reader one of less.
most=500000

# summarize TITLE FILE: as Markdown, into a file and to GitHub's summary. The
# text is fenced by more backquotes than it has in a row, so that it stays text.
summarize() {
  {
    fence=$(awk '
      { for (line = $0; match(line, /`+/); line = substr(line, RSTART + RLENGTH)) if (RLENGTH > most) most = RLENGTH }
      END { for (i = most < 3 ? 2 : most; i >= 0; i--) printf "`" }' "$2")
    printf '### %s\n\n%stext\n' "$1" "$fence"
    if [ "$(wc -c <"$2")" -le "$most" ]; then
      # With a newline at its end, whether it has one or not.
      awk 1 "$2"
      printf '%s\n\n' "$fence"
    else
      # The last line of the part is none.
      head -c "$most" "$2" | sed -e '$d'
      printf '%s\n\nThe rest is left out here.\n\n' "$fence"
    fi
  } >"$reports/.summary"
  cat "$reports/.summary" >>"$reports/summary.md"
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat "$reports/.summary" >>"$GITHUB_STEP_SUMMARY"; fi
  rm -f "$reports/.summary"
}

find_manifest
find_reports
if [ -n "${FLEET_OUTPUT:-}" ]; then
  TSMAP_OUTPUT=$FLEET_OUTPUT
  export TSMAP_OUTPUT
fi

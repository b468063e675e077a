#!/bin/sh
# Installs tsmakemap of the version FLEET_VERSION, or of that of the action
# itself, and puts its programs into the PATH of the steps behind this one.
# FLEET_VERSION=path takes the tsmap that is in the PATH.
set -eu
version=${FLEET_VERSION:-}
if [ "$version" = path ]; then
  command -v tsmap >/dev/null || {
    echo "tsmap in CI: no tsmap in the PATH" >&2
    exit 2
  }
  exit 0
fi
here=$(cd "${0%/*}" && pwd)
if [ -z "$version" ]; then version=$(node -p 'require(process.argv[1]).version' "$here/../package.json"); fi
folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/tsmakemap.XXXXXX")
# No script of a package is needed, and none is run.
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "tsmakemap@$version"
printf '%s\n' "$folder/node_modules/.bin" >>"${GITHUB_PATH:?}"

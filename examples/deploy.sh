#!/bin/sh
# Plans, builds and checks a fleet, brings its files to the hosts, and checks
# what is there.
#
#   deploy.sh [--dry-run] MANIFEST HOSTS
#
# HOSTS is a folder in which a folder for each host stands for its root.
set -eu

# Written beside the old file, and then in its place: no program reads a half.
# To a host itself, as root:
#   ssh "$1" "umask 077 && cat >$3.new && chown $5:$6 $3.new && chmod $4 $3.new && mv -f $3.new $3" <"$2"
put() { # HOST FILE INSTALL MODE OWNER GROUP
  target=$hosts/$1$3
  mkdir -p "${target%/*}"
  (umask 077 && cp "$2" "$target.new")
  chmod "$4" "$target.new"
  mv -f "$target.new" "$target"
  echo "$1:$3 ($4 $5:$6)"
}

dry_run=
if [ "${1:-}" = --dry-run ]; then dry_run=yes && shift; fi
[ $# = 2 ] || { echo "usage: deploy.sh [--dry-run] MANIFEST HOSTS" >&2 && exit 2; }
manifest=$1 hosts=$2

# In a clone, or where it is a dependency, it is not in the PATH.
command -v tsmap >/dev/null || tsmap() { npx --no-install tsmap "$@"; }

# 0: nothing changes; 2: something does; 1: trouble.
status=0
tsmap plan "$manifest" || status=$?
case $status in 0 | 2) ;; *) exit 1 ;; esac
if [ -n "$dry_run" ]; then exit 0; fi

tsmap build --no-progress "$manifest"
tsmap check "$manifest"

# The folder itself, not the link to it, which another build may switch. If that
# removes the folder meanwhile, this script fails, and is run again.
set=$(cd -P "$(dirname "$manifest")/artifacts" && pwd)
(cd "$set" && sha256sum --check --quiet SHA256SUMS)
list='for (const { host, path, install, mode, owner = "root", group = "0" } of JSON.parse(fs.readFileSync(process.argv[1], "utf8")).files)
  if (install !== undefined) console.log([host, path, install, mode, owner, group].join("\t"));'
lines=$(node -e "$list" "$set/index.json")
echo "$lines" | while IFS='	' read -r host path install mode owner group; do
  put "$host" "$set/$path" "$install" "$mode" "$owner" "$group"
done

tsmap check --copies "$hosts" "$manifest"

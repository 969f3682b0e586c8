# shellcheck shell=bash disable=SC2034
# What every part of ./dev uses: words on the screen, timings, Debian packages, processes.
ALL_PARTS=(tools rust engine registry images postgres helm)
STATE=${CAREEN_DEV_DIR:-$ROOT/.dev}
mkdir -p "$STATE"
STATE=$(cd "$STATE" && pwd)
export DEBIAN_FRONTEND=noninteractive HOME=${HOME:-/root}
export CAREEN_DEV_REGISTRY_PORT=${CAREEN_DEV_REGISTRY_PORT:-5000}
REGISTRY=127.0.0.1:$CAREEN_DEV_REGISTRY_PORT
STARTED_AT=$EPOCHREALTIME
PHASES=()

seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

say() { printf '[%6ss] %s\n' "$(seconds_since "$STARTED_AT")" "$*"; }

# Says what is wrong and, in further arguments, what to do about it; ends everything.
die() {
  printf 'dev: %s\n' "$1" >&2
  shift
  [ $# = 0 ] || printf '     %s\n' "$@" >&2
  exit 1
}

# Runs a function or command as a named, timed phase. Called bare, so that `set -e` holds inside.
phase() {
  local name=$1 from=$EPOCHREALTIME
  shift
  say "$name"
  CURRENT_PHASE=$name
  "$@" </dev/null
  PHASES+=("$name $(seconds_since "$from") s")
  CURRENT_PHASE=
}

print_phases() {
  local code=$? item
  [ ${#PHASES[@]} = 0 ] && [ -z "${CURRENT_PHASE:-}" ] && return
  for item in "${PHASES[@]}"; do say "took: $item"; done
  [ $code = 0 ] || say "failed (exit code $code) in: ${CURRENT_PHASE:-?}"
}
trap print_phases EXIT

# Two set-ups at once would start two engines; the second waits. Children must not inherit the lock.
one_at_a_time() {
  [ -z "${LOCK:-}" ] || return 0 # held already; taking it twice would wait for ever
  command -v flock >/dev/null || return 0
  exec {LOCK}>"$STATE/lock"
  flock -n "$LOCK" || { say "another ./dev is setting up; waiting for it"; flock "$LOCK"; }
}

# Starts a program that outlives this script: daemonize NAME COMMAND…; its pid and log go to the state folder.
daemonize() {
  local name=$1
  shift
  setsid nohup "$@" >"$STATE/$name.log" 2>&1 </dev/null {LOCK}>&- &
  echo $! >"$STATE/$name.pid"
}

# Stops what `daemonize NAME` started, if it still is that program.
stop_daemon() {
  local name=$1 program=$2 pid
  pid=$(cat "$STATE/$name.pid" 2>/dev/null) || { say "$name: not started from here; left alone"; return 0; }
  if is_running "$pid" "$program"; then
    kill "$pid"
    wait_for 30 has_ended "$pid" || die "$name: process $pid does not end"
    say "$name: stopped"
  else
    say "$name: had ended already"
  fi
  rm -f "$STATE/$name.pid"
}

# The program is asked for because numbers come back.
is_running() {
  local pid=$1 program=$2
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$program" ] && ! has_ended "$pid"
}

# A process that nobody reaps (a container's first process often does not) has ended all the same.
has_ended() { [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# Tries a command again and again for so many seconds: wait_for SECONDS COMMAND…
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  while ! "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.1
  done
}

# --- Debian packages

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# Installs Debian packages; where that cannot be done, says so with the list.
apt_install() {
  is_debian || die "missing: $*" "this is not Debian, so install them (these are Debian's names) and run it again"
  [ "$(id -u)" = 0 ] || die "missing: $*" "run this as root, or: apt-get install --no-install-recommends $*"
  say "installing $*"
  apt_update
  apt-get install -y -qq --no-install-recommends "$@" >>"$STATE/apt.log" 2>&1 {LOCK}>&- ||
    die "apt-get could not install $*: $(tail -1 "$STATE/apt.log")" "all of it: $STATE/apt.log"
}

# Once in each call of ./dev, and only if something is to be fetched.
apt_update() {
  [ -z "${APT_UPDATED:-}" ] || return 0
  APT_UPDATED=1
  [ "$(id -u)" != 0 ] || apt-get update -qq >>"$STATE/apt.log" 2>&1 || say "apt-get update failed; trying with the lists at hand"
}

# Unpacks a Debian package under the state folder without installing it, and sets UNPACKED to that folder: the host
# gets no service it did not ask for, and busybox-static does not push out its busybox.
unpack_package() {
  local name=$1
  UNPACKED=$STATE/packages/$name
  [ ! -d "$UNPACKED" ] || return 0
  is_debian || die "the Debian package $name is needed, and this is not Debian"
  apt_update
  rm -rf "$UNPACKED.new"
  mkdir -p "$UNPACKED.new" "$STATE/downloads"
  (cd "$STATE/downloads" && apt-get download -q "$name" >>"$STATE/apt.log" 2>&1) ||
    die "could not download Debian's $name: $(tail -1 "$STATE/apt.log")"
  dpkg -x "$STATE"/downloads/"$name"_*.deb "$UNPACKED.new"
  rm -f "$STATE"/downloads/"$name"_*.deb
  mv "$UNPACKED.new" "$UNPACKED"
}

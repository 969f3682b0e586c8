#!/usr/bin/env bash
#/ The peer of careen's benches: what careen does for a run, done with the docker CLI.
#/
#/   bench-peer.sh sequential N [IMAGE]        a network, two volumes, N containers running `true` one after another
#/   bench-peer.sh parallel N [IMAGE]          the same, all at once
#/   bench-peer.sh diamond [IMAGE]             four containers that sleep 1 s: first, two beside each other, last
#/   bench-peer.sh plain-sequential N [IMAGE]  only `docker run --rm IMAGE true`: no network of its own, no volumes
#/   bench-peer.sh plain-parallel N [IMAGE]
#/   bench-peer.sh plain-diamond [IMAGE]
#/
#/ IMAGE is busybox unless given. Prints the seconds it took, making and removing included, as its only output.
#/ Exits 1 if any container did.
# shellcheck disable=SC2317 # functions are called by name
set -euo pipefail
NAME=careen-peer-$$

main() {
  local mode=${1:-help} from=$EPOCHREALTIME
  [ $# = 0 ] || shift
  case $mode in
    sequential | parallel | plain-sequential | plain-parallel)
      [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || usage
      IMAGE=${2:-busybox} ;;
    diamond | plain-diamond) IMAGE=${1:-busybox} ;;
    *) usage ;;
  esac
  trap 'remove; exit 1' INT TERM
  case $mode in
    plain-*) STEP=plain_step ;;
    *) STEP=step; make ;;
  esac
  local ended=0
  "${mode#plain-}" "${1:-}" || ended=1
  remove
  awk -v from="$from" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", to - from }'
  exit "$ended"
}

usage() { sed -n 's,^#/ \{0\,1\},,p' "$0" >&2; exit 2; }

make() {
  docker network create "$NAME" >/dev/null
  docker volume create "$NAME-workspace" >/dev/null
  docker volume create "$NAME-home" >/dev/null
  MADE=1
}

remove() {
  [ -n "${MADE:-}" ] || return 0
  docker network rm "$NAME" >/dev/null
  docker volume rm "$NAME-workspace" "$NAME-home" >/dev/null
}

# A container as careen makes it for a step: step ID COMMAND…
step() {
  local id=$1
  shift
  docker run --rm --name "$NAME-$id" --network "$NAME" --network-alias "$id" \
    -v "$NAME-workspace:/workspace" -v "$NAME-home:/acb/home" -e HOME=/acb/home -w /workspace "$IMAGE" "$@"
}

plain_step() { shift; docker run --rm "$IMAGE" "$@"; }

sequential() {
  local number
  for number in $(seq "$1"); do "$STEP" "step-$number" true || return 1; done
}

parallel() {
  local number
  local -a commands=()
  for number in $(seq "$1"); do commands+=("step-$number true"); done
  beside "${commands[@]}"
}

diamond() { # the unused argument is the count, which this shape does not have
  "$STEP" first sleep 1 && beside "left sleep 1" "right sleep 1" && "$STEP" last sleep 1
}

# Runs one step for each argument (an id and a command), all at once; fails if one of them did.
beside() {
  local each job failed=0
  local -a jobs=()
  for each in "$@"; do
    # shellcheck disable=SC2086 # an id and plain words
    "$STEP" $each &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  return "$failed"
}

main "$@"

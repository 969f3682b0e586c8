# shellcheck shell=bash disable=SC2153
# Base images: used as they are if present, else pulled if their registry can be reached, else made from Debian packages.

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# The registry that an image name points to.
registry_of() { case $1 in *.*/*) echo "${1%%/*}" ;; *) echo registry-1.docker.io ;; esac; }

# Says whether image names of a registry can be pulled; asked once per registry, since no answer costs seconds.
declare -A REACHABLE
is_reachable() {
  local registry=$1
  [ -z "${CAREEN_DEV_OFFLINE:-}" ] || return 1
  if [ -z "${REACHABLE[$registry]:-}" ]; then
    REACHABLE[$registry]=no
    if [ "$registry" = registry-1.docker.io ] && has_mirror; then REACHABLE[$registry]=yes; fi
    ! curl -s -m 4 -o /dev/null "https://$registry/v2/" || REACHABLE[$registry]=yes
  fi
  [ "${REACHABLE[$registry]}" = yes ]
}

# An engine set up with a mirror of Docker Hub pulls where this machine's curl cannot.
has_mirror() { docker info --format '{{.RegistryConfig.Mirrors}}' 2>/dev/null | grep -q http; }

set_up_images() {
  local recipe image names
  while read -r recipe image names; do
    provide_image "$recipe" "$image"
    # shellcheck disable=SC2086 # names are words without blanks
    provide_names "$image" $names
  done < <(grep -v '^#' scripts/dev/images.txt)
  seed_registry
}

# Images of Docker Hub are fetched now. Others (some are gigabytes) are pulled by the run that names them, if they can be.
provide_image() {
  local recipe=$1 image=$2 registry
  has_image "$image" && return
  registry=$(registry_of "$image")
  if is_reachable "$registry"; then
    [ "$registry" = registry-1.docker.io ] || return 0
    timeout 300 docker pull -q "$image" >/dev/null 2>"$STATE/pull.log" && { say "pulled $image"; return; }
    say "could not pull $image: $(tail -1 "$STATE/pull.log")"
  fi
  make_image "$recipe" "$image"
}

# Gives a stand-in its further names. A name that can be pulled is left for the run that wants it.
provide_names() {
  local image=$1 name
  shift
  for name in "$@"; do
    has_image "$name" || is_reachable "$(registry_of "$name")" || docker tag "$image" "$name"
  done
}

# Published samples pull these from the registry they run against.
seed_registry() {
  registry_answers || return 0
  local image name
  for image in hello-world:latest busybox:latest mcr.microsoft.com/dotnet/core/{sdk:3.1-buster,aspnet:3.1-buster-slim}; do
    name=${image#mcr.microsoft.com/}
    if ! has_image "$image" || registry_has "$name"; then continue; fi
    docker tag "$image" "$REGISTRY/$name"
    docker push -q "$REGISTRY/$name" >/dev/null
    say "pushed $REGISTRY/$name"
  done
}

registry_has() {
  curl -sf -o /dev/null -I -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
    -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/${1%:*}/manifests/${1#*:}"
}

status_images() {
  engine_answers || return 0
  local image present=0 missing=()
  for image in $(grep -v '^#' scripts/dev/images.txt | awk '{ print $2 }') "$HELM_IMAGE"; do
    if has_image "$image"; then present=$((present + 1)); else missing+=("$image"); fi
  done
  say "images: $present present${missing[*]:+, missing: ${missing[*]}}"
  say "stand-ins: $(docker images -q --filter "label=$STAND_IN" | sort -u | wc -l) images carry the label $STAND_IN"
}

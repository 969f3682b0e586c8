# shellcheck shell=bash disable=SC2153
# Newer Docker Engines (Debian trixie's) in containers on the engine at hand: `classic` keeps images as that one does,
# `containerd` in containerd's store, `fragile` is there to be restarted and broken by tests. Reached by TCP with TLS
# and by SSH, both on 127.0.0.1 alone.
NEWER_ENGINES=(classic containerd fragile)
NEWER_STATE=$STATE/newer-engine
NEWER_IMAGE=careen-dev/engine:26-1
# What the tests' steps and builds stand on.
NEWER_IMAGES=(busybox:latest hello-world:latest bash:latest alpine:latest)
# Each checkout has engines of its own.
NEWER_NAME=careen-dev-$(printf %s "$STATE" | cksum | cut -d' ' -f1)

set_up_newer_engine() {
  local kind
  install_newer_engine_tools
  has_image "$NEWER_IMAGE" || make_newer_engine_image
  make_newer_engine_keys
  for kind in "${NEWER_ENGINES[@]}"; do start_newer_engine "$kind"; done
  for kind in "${NEWER_ENGINES[@]}"; do
    wait_for 60 newer_engine_answers "$kind" ||
      die "the newer engine '$kind' did not start" "$(docker logs --tail 3 "$(newer_name "$kind")" 2>&1)"
    describe_newer_engine "$kind"
    share_registry "$kind"
    load_images "$kind"
    say "newer engine '$kind': $(newer_docker "$kind" version --format '{{.Server.Version}}, API {{.Server.APIVersion}}') at $(newer_host "$kind")"
  done
}

install_newer_engine_tools() {
  local pair missing=()
  for pair in openssl:openssl ssh:openssh-client; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

newer_name() { echo "$NEWER_NAME-$1"; }

start_newer_engine() {
  local features=false
  [ "$1" != containerd ] || features=true
  start_engine_container "$(newer_name "$1")" --hostname "newer-$1" --env "CONTAINERD_STORE=$features" \
    --publish 127.0.0.1::2376 --publish 127.0.0.1::22
}

# Its data lies in a volume, because overlay does not stand on overlay. The rights are those that an engine needs, one
# by one: where the engine at hand is a container itself, it has not all of them to give to a privileged one. One that
# outlived the keys it was made with cannot be reached, so it is made anew.
start_engine_container() { # NAME OPTION...
  local name=$1 keys
  shift
  keys=$(newer_keys)
  [ "$(docker container inspect --format '{{index .Config.Labels "careen-dev-keys"}}' "$name" 2>/dev/null)" = "$keys" ] ||
    remove_engine_container "$name" || true
  if ! docker container inspect "$name" >/dev/null 2>&1; then
    docker create --name "$name" --label "careen-dev=$STATE" --label "careen-dev-keys=$keys" \
      --cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
      --security-opt systempaths=unconfined --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw \
      --volume "$name:/var/lib/docker" "$@" "$NEWER_IMAGE" --cgroup-parent="/$name" >/dev/null
    tar -C "$NEWER_STATE/inside" --owner=0 --group=0 -c . | docker cp - "$name:/"
  fi
  docker start "$name" >/dev/null
}

# Fails where there was none.
remove_engine_container() {
  docker container inspect "$1" >/dev/null 2>&1 || return 1
  docker rm -f "$1" >/dev/null && docker volume rm "$1" >/dev/null
}

# The address at which a port of the container is reached.
newer_port() { docker port "$(newer_name "$1")" "$2/tcp" | head -1; }

newer_host() { echo "tcp://$(newer_port "$1" 2376)"; }

newer_docker() {
  local kind=$1
  shift
  DOCKER_HOST=$(newer_host "$kind") DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$NEWER_STATE/client docker "$@"
}

# The bench of whole runs where that engine's own client and socket are; it finds careen and its peer at their paths.
bench_newer_engine() {
  local name bench
  name=$(newer_name classic)
  bench=$(cargo bench --no-run --bench runs 2>&1 | tee /dev/stderr | sed -n 's,.*(\(.*/runs-[0-9a-f]*\)).*,\1,p')
  bench=$(readlink -f "$bench") || die "the bench was not built" "see above"
  tar -C / -c "${bench#/}" "${ROOT#/}/scripts/bench-peer.sh" "$(realpath --relative-to=/ "$(target_folder)/release/careen")" |
    docker cp - "$name:/"
  docker exec "$name" "$bench" --bench "$@"
}

newer_engine_answers() { timeout 10 docker exec "$(newer_name "$1")" docker version && newer_docker "$1" version; }

# What the tests have to know; a file, so that they find the engines when cargo is called by hand, too.
describe_newer_engine() {
  local kind=$1 ssh
  ssh=$(newer_port "$kind" 22)
  ssh-keygen -R "[127.0.0.1]:${ssh##*:}" -f "$NEWER_STATE/ssh/known_hosts" >/dev/null 2>&1 || true
  echo "[127.0.0.1]:${ssh##*:} $(cut -d' ' -f1,2 "$NEWER_STATE/inside/etc/ssh/ssh_host_ed25519_key.pub")" >>"$NEWER_STATE/ssh/known_hosts"
  cat >"$NEWER_STATE/$kind" <<D
host=$(newer_host "$kind")
certificates=$NEWER_STATE/client
ssh=127.0.0.1:${ssh##*:}
ssh_program=$NEWER_STATE/ssh/bin
container=$(newer_name "$kind")
D
}

# The local registry answers on the engine's own 127.0.0.1, too, so that names in it mean the same to all engines.
share_registry() {
  local kind=$1 tunnel=newer-engine-$1-registry ssh
  registry_answers || return 0
  ! newer_registry_answers "$kind" || return 0
  [ ! -e "$STATE/$tunnel.pid" ] || stop_daemon "$tunnel" ssh >/dev/null
  ssh=$(newer_port "$kind" 22)
  daemonize "$tunnel" ssh -F "$NEWER_STATE/ssh/config" -p "${ssh##*:}" -N -o ExitOnForwardFailure=yes \
    -o ServerAliveInterval=15 -R "127.0.0.1:$CAREEN_DEV_REGISTRY_PORT:$REGISTRY" root@127.0.0.1
  wait_for 10 newer_registry_answers "$kind" || die "the registry cannot be shared with the newer engine: $(tail -1 "$STATE/$tunnel.log")"
}

newer_registry_answers() {
  docker exec "$(newer_name "$1")" curl -s -m 5 -o /dev/null "http://$REGISTRY/v2/"
}

load_images() {
  local image missing=()
  for image in "${NEWER_IMAGES[@]}"; do
    newer_docker "$1" image inspect "$image" >/dev/null 2>&1 || ! has_image "$image" || missing+=("$image")
  done
  [ ${#missing[@]} = 0 ] || docker save "${missing[@]}" | docker exec -i "$(newer_name "$1")" docker load -q >/dev/null
}

stop_newer_engine() {
  local kind name
  for kind in "${NEWER_ENGINES[@]}"; do
    name=$(newer_name "$kind")
    [ ! -e "$STATE/newer-engine-$kind-registry.pid" ] || stop_daemon "newer-engine-$kind-registry" ssh >/dev/null
    remove_engine_container "$name" || continue
    rm -f "$NEWER_STATE/$kind"
    say "newer engine '$kind': removed"
  done
}

status_newer_engine() {
  local kind
  for kind in "${NEWER_ENGINES[@]}"; do
    newer_docker "$kind" version --format "newer engine '$kind': {{.Server.Version}}, API {{.Server.APIVersion}}" 2>/dev/null ||
      echo "newer engine '$kind': none"
  done | while read -r line; do say "$line"; done
}

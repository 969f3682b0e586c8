# shellcheck shell=bash
# The Docker engine: the one that answers, else one installed from Debian and started.

engine_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

has_systemd() { [ -d /run/systemd/system ]; }

set_up_engine() {
  find_docker_client
  engine_answers || start_engine
  find_compose
  say "engine $(docker version --format '{{.Server.Version}}, API {{.Server.APIVersion}}') at ${DOCKER_HOST:-the default socket}"
}

# A machine may have an engine (another machine's, or a mounted socket) and no client; then the client is unpacked
# rather than installed, because Debian's package would bring a second engine along.
find_docker_client() {
  export PATH=$PATH:$STATE/packages/docker.io/usr/bin
  command -v docker >/dev/null && return
  if [ -n "${DOCKER_HOST:-}" ] || [ -S /var/run/docker.sock ]; then unpack_package docker.io; fi
}

# Debian's older program does as well as the plugin; without either, docker-compose.yml is not tried.
find_compose() {
  docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null && return
  if is_debian && [ "$(id -u)" = 0 ]; then apt_install docker-compose; fi
}

start_engine() {
  [ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST" \
    "start that one, or unset DOCKER_HOST to have one installed and started here"
  explain_a_closed_socket
  if ! command -v dockerd >/dev/null; then
    apt_install docker.io iptables
    wait_for 3 engine_answers && return # installing may have started it
  fi
  [ "$(id -u)" = 0 ] || die "no Docker engine answers" "run this as root to have it started"
  say "starting the engine"
  if has_systemd; then
    systemctl start docker && touch "$STATE/engine.systemd"
  elif ! pgrep -x -r D,R,S dockerd >/dev/null; then # one that has ended may stay a zombie where nobody reaps
    daemonize engine dockerd
  fi
  wait_for 60 engine_is_settled || true
  engine_answers || die "the engine did not start" "$(engine_log)"
}

# It answers, or the one started here has ended and never will.
engine_is_settled() {
  engine_answers || { [ -s "$STATE/engine.pid" ] && has_ended "$(cat "$STATE/engine.pid")"; }
}

explain_a_closed_socket() {
  [ -S /var/run/docker.sock ] && [ ! -w /var/run/docker.sock ] || return 0
  die "the engine's socket /var/run/docker.sock is not yours to use" "run this as root, or join its group: usermod -aG docker $(id -un)"
}

engine_log() {
  if has_systemd; then echo "see: journalctl -u docker"; else tail -3 "$STATE/engine.log" 2>/dev/null; fi
}

stop_engine() {
  if [ -e "$STATE/engine.systemd" ]; then
    systemctl stop docker.socket docker && rm -f "$STATE/engine.systemd" && say "engine: stopped"
  else
    stop_daemon engine dockerd
  fi
}

status_engine() {
  find_docker_client
  if engine_answers; then
    docker version --format 'engine: {{.Server.Version}}, API {{.Server.APIVersion}}, client {{.Client.Version}}'
  else
    echo "engine: none answers"
  fi | while read -r line; do say "$line"; done
}

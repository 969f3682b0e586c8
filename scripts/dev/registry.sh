# shellcheck shell=bash
# A local registry that needs no password: the one that answers on the port, else Debian's docker-registry as a process.

registry_code() { curl -s -m 5 -o /dev/null -w '%{http_code}' "http://$REGISTRY/v2/" || true; }

registry_answers() { [ "$(registry_code)" = 200 ]; }

set_up_registry() {
  local code
  code=$(registry_code)
  case $code in
    200) ;;
    000) start_registry ;;
    *) die "on $REGISTRY something answers $code, so it is no open registry" "choose another port: CAREEN_DEV_REGISTRY_PORT=5005" ;;
  esac
  say "registry at $REGISTRY"
}

start_registry() {
  local program
  program=$(command -v docker-registry) || { unpack_package docker-registry; program=$UNPACKED/usr/bin/docker-registry; }
  mkdir -p "$STATE/registry"
  registry_config >"$STATE/registry.yml"
  daemonize registry "$program" serve "$STATE/registry.yml"
  wait_for 10 registry_answers || die "the registry did not start: $(tail -1 "$STATE/registry.log")"
}

# Reachable from this machine alone, because it asks nobody for a password.
registry_config() {
  cat <<CONFIG
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: "$STATE/registry"}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: "$REGISTRY"}
CONFIG
}

stop_registry() { stop_daemon registry docker-registry; }

status_registry() {
  if registry_answers; then
    say "registry: $REGISTRY, $(curl -s "http://$REGISTRY/v2/_catalog?n=1000" | grep -o '"[^"]*"' | grep -vc repositories || true) repositories"
  else
    say "registry: none at $REGISTRY"
  fi
}

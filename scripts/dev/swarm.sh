# shellcheck shell=bash disable=SC2153,SC2034
# A Swarm of three nodes, each an engine in a container on the engine at hand: all three are managers, so that any one of
# them may be lost. Made for tests that kill them, and for trying deploy/stack.yml on one machine.
SWARM_NODES=(1 2 3)
SWARM_NAME=$NEWER_NAME-swarm
# What tasks of the tests run in, and what the stack is made of.
SWARM_IMAGES=(busybox:latest postgres:15 registry:2)

run_swarm() {
  case ${1:-} in
    up) set_up tools engine registry images swarm ;;
    down) phase "swarm: down" stop_swarm ;;
    *) die "./dev swarm takes up or down" ;;
  esac
}

set_up_swarm() {
  local node
  # For workers whose clocks differ.
  unpack_package libfaketime
  install_newer_engine_tools
  has_image "$NEWER_IMAGE" || make_newer_engine_image
  make_newer_engine_keys
  docker network inspect "$SWARM_NAME" >/dev/null 2>&1 ||
    docker network create --label "careen-dev=$STATE" "$SWARM_NAME" >/dev/null
  for node in "${SWARM_NODES[@]}"; do start_swarm_node "$node"; done
  for node in "${SWARM_NODES[@]}"; do
    wait_for 60 on_swarm_node "$node" version ||
      die "node $node did not start" "$(docker logs --tail 3 "$(swarm_node "$node")" 2>&1)"
  done
  join_swarm_nodes
  for node in "${SWARM_NODES[@]}"; do load_swarm_images "$node"; done
  describe_swarm
  on_swarm_node 1 node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}' | while read -r node; do say "swarm: $node"; done
}

swarm_node() { echo "$SWARM_NAME-$1"; }

on_swarm_node() {
  local node=$1
  shift
  timeout 300 docker exec -i "$(swarm_node "$node")" docker "$@"
}

swarm_address() { docker inspect -f "{{(index .NetworkSettings.Networks \"$SWARM_NAME\").IPAddress}}" "$(swarm_node "$1")"; }

start_swarm_node() {
  start_engine_container "$(swarm_node "$1")" --hostname "node-$1" --network "$SWARM_NAME" --env CONTAINERD_STORE=false
}

swarm_state() { on_swarm_node "$1" info --format '{{.Swarm.LocalNodeState}}'; }

# Nodes learn of each other by address; the label of the pool lets all of them run tasks, node 3 has the database.
join_swarm_nodes() {
  local node token
  if [ "$(swarm_state 1)" != active ]; then
    on_swarm_node 1 swarm init --advertise-addr "$(swarm_address 1)" >/dev/null
  fi
  token=$(on_swarm_node 1 swarm join-token -q manager)
  for node in "${SWARM_NODES[@]}"; do
    if [ "$(swarm_state "$node")" != active ]; then
      on_swarm_node "$node" swarm join --token "$token" "$(swarm_address 1):2377" >/dev/null
    fi
    on_swarm_node 1 node update --label-add careen.pool=default "node-$node" >/dev/null
  done
  on_swarm_node 1 node update --label-add careen.data=true node-3 >/dev/null
}

load_swarm_images() {
  local image missing=()
  for image in "${SWARM_IMAGES[@]}"; do
    on_swarm_node "$1" image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
  done
  [ ${#missing[@]} = 0 ] || docker save "${missing[@]}" | on_swarm_node "$1" load -q >/dev/null
}

# What the tests have to know, in a file as for the newer engines.
describe_swarm() {
  local node
  for node in "${SWARM_NODES[@]}"; do echo "$(swarm_node "$node") $(swarm_address "$node")"; done >"$STATE/swarm"
}

stop_swarm() {
  local node name
  for node in "${SWARM_NODES[@]}"; do
    name=$(swarm_node "$node")
    remove_engine_container "$name" || continue
    say "swarm: $name removed"
  done
  docker network rm "$SWARM_NAME" >/dev/null 2>&1 || true
  rm -f "$STATE/swarm"
}

status_swarm() {
  [ -s "$STATE/swarm" ] || { say "swarm: none"; return; }
  while read -r name address; do say "swarm: $name at $address"; done <"$STATE/swarm"
}

# shellcheck shell=bash
# A small fleet of its own: a base moves, and every image on it is built again, once and in order.
FLEET=$STATE/fleet

fleet_example() {
  rm -rf "$FLEET" && mkdir -p "$FLEET"
  fleet_task left 'FROM @/base' 'RUN echo left > /left'
  fleet_task right 'FROM @/base' 'RUN echo right > /right'
  fleet_task app 'FROM @/left' 'COPY --from=@/right /right /right'
  fleet_task part 'FROM @/busybox' 'COPY --from=@/base /same /same'
  fleet_base first
  say "nothing is built yet, so all of it is stale"
  fleet patch --all-stale
  fleet_base second
  fleet status
  fleet plan --base "$REGISTRY/careen-fleet/base"
  fleet patch --base "$REGISTRY/careen-fleet/base"
  fleet report
  say "left, right and app were built on the new base, each once; part took nothing new from it, so its digest stayed"
}

fleet() { "$(target_folder)/debug/careen" --db "$FLEET/careen.db" fleet "$@"; }

# fleet_task NAME LINE…: stores a task that builds and pushes an image of these lines; @ is the fleet's place.
fleet_task() {
  local name=$1 folder=$FLEET/$1
  shift
  mkdir -p "$folder"
  printf '%s\n' "$@" | sed "s,@/busybox,$REGISTRY/busybox,; s,@/,$REGISTRY/careen-fleet/,g" >"$folder/Dockerfile"
  "$(target_folder)/debug/careen" --db "$FLEET/careen.db" --quiet task create "$name" \
    --context "$folder" --file Dockerfile --image "$REGISTRY/careen-fleet/$name" >/dev/null
}

# fleet_base WORD: pushes the base by hand, as someone else would; all but one of its files is as before.
fleet_base() {
  say "someone pushes the base: $1"
  docker build -q -t "$REGISTRY/careen-fleet/base" - >/dev/null <<EOF
FROM $REGISTRY/busybox
RUN echo same > /same
RUN echo $1 > /release
EOF
  docker push -q "$REGISTRY/careen-fleet/base" >/dev/null
}

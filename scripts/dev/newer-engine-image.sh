# shellcheck shell=bash disable=SC2153
# The image of a newer engine: Debian trixie with its docker.io and an SSH server, and the keys it is reached with.
NEWER_SUITE=trixie

make_newer_engine_image() {
  local root=$NEWER_STATE/root mirror
  [ "$(id -u)" = 0 ] || die "making $NEWER_IMAGE needs root"
  command -v debootstrap >/dev/null || apt_install debootstrap
  rm -rf "$root" && mkdir -p "$root"
  # shellcheck disable=SC2016 # these names are apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
  say "making $NEWER_IMAGE from ${mirror:-http://deb.debian.org/debian} (about a minute, once)"
  debootstrap --variant=minbase --include=docker.io,docker-cli,iptables,iproute2,procps,curl,openssh-server,tini \
    "$NEWER_SUITE" "$root" "${mirror:-http://deb.debian.org/debian}" >"$STATE/newer-engine.log" 2>&1 ||
    die "debootstrap failed: $(tail -1 "$STATE/newer-engine.log")" "all of it: $STATE/newer-engine.log"
  newer_engine_program >"$root/usr/local/bin/engine"
  chmod 755 "$root/usr/local/bin/engine"
  newer_engine_users "$root"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,info,locale}/* "${root:?}"/dev/* "$root"/etc/ssh/ssh_host_*
  tar -C "$root" --numeric-owner -c . | docker import --change 'ENTRYPOINT ["tini","--","engine"]' --change "ENV PATH=$SYSTEM_PATH" \
    --change "LABEL $STAND_IN=$NEWER_IMAGE" - "$NEWER_IMAGE" >/dev/null
  rm -rf "$root"
}

# Starts dockerd again whenever it ends, so that a test can restart the engine: `pkill dockerd`, by any signal.
newer_engine_program() {
  cat <<'S'
#!/bin/sh
# iptables' older back end works where the kernel loads no modules for this container.
! iptables-legacy -t nat -L -n >/dev/null 2>&1 || update-alternatives --set iptables /usr/sbin/iptables-legacy >/dev/null 2>&1
mkdir -p /etc/docker /run/sshd
echo "{\"features\": {\"containerd-snapshotter\": $CONTAINERD_STORE}}" >/etc/docker/daemon.json
/usr/sbin/sshd
trap 'is_stopping=1; kill "$engine"' TERM INT
while [ -z "${is_stopping:-}" ]; do
  rm -f /run/docker.pid /run/docker/containerd/containerd.pid
  dockerd --host=unix:///run/docker.sock --host=tcp://0.0.0.0:2376 --tlsverify --tlscacert=/etc/docker/tls/ca.pem \
    --tlscert=/etc/docker/tls/cert.pem --tlskey=/etc/docker/tls/key.pem "$@" &
  engine=$!
  # A signal ends the first wait; the second is for the engine's own end.
  wait "$engine"
  wait "$engine"
done
S
}

# root may use the engine; `guest` may not; `bare` finds no docker command; `lonely` finds one, but no engine.
newer_engine_users() {
  local user
  for user in guest bare lonely; do chroot "$1" useradd --create-home --shell /bin/sh "$user"; done
  # An account without a password counts as locked unless it has an impossible one.
  for user in guest bare lonely; do chroot "$1" usermod --password '*' "$user"; done
}

# An authority, a certificate for 127.0.0.1 and one for the client; an SSH key for each side. Made once.
make_newer_engine_keys() {
  local inside=$NEWER_STATE/inside client=$NEWER_STATE/client ssh=$NEWER_STATE/ssh
  [ ! -e "$NEWER_STATE/keys-made" ] || return 0
  rm -rf "$inside" "$client" "$ssh"
  mkdir -p "$inside"/etc/{docker/tls,ssh/sshd_config.d} "$client" "$ssh/bin"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=careen-dev-authority \
    -keyout "$NEWER_STATE/authority-key.pem" -out "$client/ca.pem" 2>/dev/null
  certify server "$inside/etc/docker/tls" "subjectAltName=IP:127.0.0.1,DNS:localhost"
  certify client "$client" "extendedKeyUsage=clientAuth"
  cp "$client/ca.pem" "$inside/etc/docker/tls/"
  make_ssh_keys
  touch "$NEWER_STATE/keys-made"
}

# Tells the keys at hand from others.
newer_keys() { cksum <"$NEWER_STATE/client/ca.pem" | cut -d' ' -f1; }

certify() { # NAME FOLDER EXTENSION
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=careen-dev-$1" -keyout "$2/key.pem" -out "$2/request.pem" 2>/dev/null
  openssl x509 -req -in "$2/request.pem" -CA "$NEWER_STATE/client/ca.pem" -CAkey "$NEWER_STATE/authority-key.pem" -CAcreateserial \
    -days 3650 -extfile <(echo "$3") -out "$2/cert.pem" 2>/dev/null
  rm "$2/request.pem"
}

# The program `ssh` in ssh/bin is the real one with a configuration of its own: the user's stays as it is.
make_ssh_keys() {
  local user key
  ssh-keygen -q -t ed25519 -N '' -C careen-dev -f "$ssh/key"
  ssh-keygen -q -t ed25519 -N '' -C careen-dev-wrong -f "$ssh/wrong-key"
  ssh-keygen -q -t ed25519 -N '' -C careen-dev -f "$inside/etc/ssh/ssh_host_ed25519_key"
  key=$(cat "$ssh/key.pub")
  mkdir "$inside/etc/ssh/keys"
  for user in root guest; do echo "$key" >"$inside/etc/ssh/keys/$user"; done
  echo "command=\"PATH=/nowhere; eval \\\"\$SSH_ORIGINAL_COMMAND\\\"\" $key" >"$inside/etc/ssh/keys/bare"
  echo "command=\"DOCKER_HOST=unix:///nowhere.sock sh -c \\\"\$SSH_ORIGINAL_COMMAND\\\"\" $key" >"$inside/etc/ssh/keys/lonely"
  # Tests are refused on purpose and come many at once; the server must not turn them away for it.
  printf 'AuthorizedKeysFile /etc/ssh/keys/%%u\nPerSourcePenalties no\nMaxStartups 100\n' >"$inside/etc/ssh/sshd_config.d/careen-dev.conf"
  touch "$ssh/known_hosts"
  printf 'IdentitiesOnly yes\nIdentityFile %s\nUserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\n' "$ssh/key" "$ssh/known_hosts" >"$ssh/config"
  printf '#!/bin/sh\nexec %s -F "${CAREEN_TEST_SSH_CONFIG:-%s}" "$@"\n' "$(command -v ssh)" "$ssh/config" >"$ssh/bin/ssh"
  chmod 755 "$ssh/bin/ssh"
}

# shellcheck shell=bash
# Stand-ins for well-known images, made from Debian packages with no image registry. Each behaves like the real one as far
# as builds and steps notice: user land, entry point, command. All carry the label below, so nobody takes them for real.
STAND_IN=careen-dev.stand-in
SYSTEM_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

make_image() {
  CONTEXT=$STATE/image
  rm -rf "$CONTEXT"
  mkdir -p "$CONTEXT"
  "make_$1" "$2"
  rm -rf "$CONTEXT"
  say "made a stand-in for $2"
}

# Builds the context into an image with the Dockerfile on standard input. The old builder is the one that every Debian
# engine has; nothing here needs a network.
build_image() {
  cat >"$CONTEXT/Dockerfile"
  DOCKER_BUILDKIT=0 docker build -q --force-rm --network none --label "$STAND_IN=$1" -t "$1" "$CONTEXT" >/dev/null 2>"$STATE/build.log" ||
    die "could not make $1: $(tail -3 "$STATE/build.log")"
}

# Makes an image of one layer out of a tar on standard input.
import_image() {
  docker import --change 'CMD ["'"$2"'"]' --change "ENV PATH=$SYSTEM_PATH" --change "LABEL $STAND_IN=$1" - "$1" >/dev/null
}

static_program() { # PACKAGE PATH-IN-IT FILE
  unpack_package "$1"
  install -m 755 "$UNPACKED/$2" "$CONTEXT/$3"
}

make_busybox() {
  local applet
  mkdir -p "$CONTEXT"/{bin,sbin,usr/bin,usr/sbin,usr/local/bin,etc,tmp,root,home,dev,proc,sys,var/run,var/www}
  chmod 1777 "$CONTEXT/tmp"
  static_program busybox-static bin/busybox bin/busybox
  for applet in $("$CONTEXT/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$CONTEXT/bin/$applet"
  done
  ln -s /bin/env "$CONTEXT/usr/bin/env"
  printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\nnobody:x:65534:65534::/home:/bin/false\n' >"$CONTEXT/etc/passwd"
  printf 'root:x:0:\nwww-data:x:33:\nnobody:x:65534:\n' >"$CONTEXT/etc/group"
  tar -C "$CONTEXT" --numeric-owner --owner=0 --group=0 -c . | import_image "$1" sh
}

make_hello() {
  static_program busybox-static bin/busybox cat
  printf '\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n' >"$CONTEXT/hello.txt"
  printf 'FROM scratch\nCOPY cat /bin/\nCOPY hello.txt /\nCMD ["/bin/cat", "/hello.txt"]\n' | build_image "$1"
}

make_bash() {
  static_program bash-static bin/bash-static bash
  script entry <<'S'
#!/bin/bash
case ${1:--} in -*) set -- bash "$@" ;; esac
exec "$@"
S
  build_image "$1" <<'D'
FROM busybox:latest
COPY bash /bin/bash
COPY entry /usr/local/bin/docker-entrypoint.sh
RUN ln -s /bin/bash /usr/local/bin/bash
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["bash"]
D
}

# The package manager of this one only nods: what samples add with it, busybox has or the task fails where it uses it.
make_alpine() {
  printf 'ID=alpine\nNAME="Alpine Linux (stand-in)"\nVERSION_ID=3.18.0\n' >"$CONTEXT/os-release"
  echo 3.18.0 >"$CONTEXT/alpine-release"
  script apk <<<$'#!/bin/sh\necho "apk stand-in: $*"'
  curl_script
  build_image "$1" <<'D'
FROM busybox:latest
COPY os-release alpine-release /etc/
COPY apk /sbin/apk
COPY curl /usr/bin/curl
CMD ["/bin/sh"]
D
}

make_curl() {
  curl_script
  printf 'FROM busybox:latest\nCOPY curl /usr/bin/curl\nENTRYPOINT ["curl"]\n' | build_image "$1"
}

# The options of curl that published tasks use, on busybox's wget.
curl_script() {
  script curl <<'S'
#!/bin/sh
url= out=-
while [ $# -gt 0 ]; do
  case $1 in
    --url) url=$2; shift ;;
    -o | --output) out=$2; shift ;;
    -m | --max-time | --retry | --retry-delay) shift ;;
    -*) ;;
    *) url=$1 ;;
  esac
  shift
done
exec wget -q -O "$out" "$url"
S
}

# busybox's httpd has no orderly end as process 1, hence the signal.
make_nginx() {
  echo '<h1>Welcome to nginx! (stand-in)</h1>' >"$CONTEXT/index.html"
  build_image "$1" <<'D'
FROM busybox:latest
COPY index.html /usr/share/nginx/html/
EXPOSE 80
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "80", "-h", "/usr/share/nginx/html"]
D
}

make_debian() {
  local tar=$STATE/debian-bookworm.tar
  [ -s "$tar" ] || bootstrap_debian "$tar"
  import_image "$1" bash <"$tar"
}

# As small as the official slim variant: no documentation, no package lists.
bootstrap_debian() {
  local root=$CONTEXT/root mirror
  [ "$(id -u)" = 0 ] || die "making debian:bookworm-slim needs root"
  command -v debootstrap >/dev/null || apt_install debootstrap
  # shellcheck disable=SC2016 # these names are apt's
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
  say "making a Debian root from ${mirror:-http://deb.debian.org/debian} (about half a minute, once)"
  debootstrap --variant=minbase bookworm "$root" "${mirror:-http://deb.debian.org/debian}" >"$STATE/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $(tail -1 "$STATE/debootstrap.log")" "all of it: $STATE/debootstrap.log"
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,info,locale}/* "$root"/var/log/*.log "${root:?}"/dev/*
  tar -C "$root" --numeric-owner -cf "$1.new" .
  mv "$1.new" "$1"
}

# The client of the engine's own package; the real image also treats a first word that is no program as its sub-command.
make_docker() {
  unpack_package docker.io
  install -m 755 "$UNPACKED/usr/bin/docker" "$CONTEXT/docker"
  script entry <<'S'
#!/bin/sh
case ${1:-} in -*) set -- docker "$@" ;; *) docker help "${1:-}" >/dev/null 2>&1 && set -- docker "$@" ;; esac
exec "$@"
S
  build_image "$1" <<'D'
FROM debian:bookworm-slim
COPY docker /usr/local/bin/docker
COPY entry /usr/local/bin/docker-entrypoint.sh
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["sh"]
D
}

# apt resolves against the image's own list of packages, so exactly what the image lacks is downloaded.
make_python() {
  mkdir -p "$CONTEXT/debs/partial"
  docker run --rm --network none debian:bookworm-slim cat /var/lib/dpkg/status >"$CONTEXT/status"
  apt_update
  apt-get -o Dir::State::status="$CONTEXT/status" -o Dir::Cache::archives="$CONTEXT/debs" -o APT::Sandbox::User=root \
    -o Debug::NoLocking=1 --no-install-recommends --download-only -y install python3 >>"$STATE/apt.log" 2>&1 ||
    die "could not download Python: $(tail -1 "$STATE/apt.log")"
  build_image "$1" <<'D'
FROM debian:bookworm-slim
COPY debs/*.deb /debs/
RUN dpkg --unpack --force-depends /debs/*.deb && dpkg --configure -a && rm -r /debs /var/log/dpkg.log && ln -s /usr/bin/python3 /usr/local/bin/python
CMD ["python3"]
D
}

make_registry() {
  unpack_package docker-registry
  install -m 755 "$UNPACKED/usr/bin/docker-registry" "$CONTEXT/registry"
  printf 'version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: ":5000"}\n' >"$CONTEXT/config.yml"
  build_image "$1" <<'D'
FROM busybox:latest AS shell
FROM debian:bookworm-slim
COPY --from=shell /bin/busybox /usr/bin/wget
COPY registry /usr/bin/registry
COPY config.yml /etc/docker/registry/config.yml
VOLUME ["/var/lib/registry"]
EXPOSE 5000
ENTRYPOINT ["registry"]
CMD ["serve", "/etc/docker/registry/config.yml"]
D
}

# Debian's server with the ways of the official image that docker-compose.yml counts on. Packages are unpacked, not set
# up: their scripts would make a cluster in the image. The compiler behind its slow queries is left out: it is large.
make_postgres() {
  mkdir -p "$CONTEXT/debs/partial"
  docker run --rm --network none debian:bookworm-slim cat /var/lib/dpkg/status >"$CONTEXT/status"
  apt_update
  apt-get -o Dir::State::status="$CONTEXT/status" -o Dir::Cache::archives="$CONTEXT/debs" -o APT::Sandbox::User=root \
    -o Debug::NoLocking=1 --no-install-recommends --download-only -y install postgresql-15 >>"$STATE/apt.log" 2>&1 ||
    die "could not download Postgres: $(tail -1 "$STATE/apt.log")"
  rm -f "$CONTEXT"/debs/libllvm*.deb
  script entry <<'S'
#!/bin/sh
set -eu
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" && chown postgres "$PGDATA" && chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  (umask 077 && printf %s "${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")}" >/tmp/password)
  initdb -U "$user" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --no-locale
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  pg_ctl -w start -o "-c listen_addresses= -c unix_socket_directories=/tmp"
  createdb -h /tmp -U "$user" "${POSTGRES_DB:-$user}" || true
  pg_ctl -w -m fast stop
fi
exec "$@"
S
  build_image "$1" <<'D'
FROM debian:bookworm-slim
COPY debs/*.deb /debs/
RUN for deb in /debs/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -x -C / --keep-directory-symlink || exit 1; done \
 && rm -r /debs && ldconfig && groupadd -r postgres && useradd -r -g postgres -d /var/lib/postgresql postgres
COPY entry /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VOLUME ["/var/lib/postgresql/data"]
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres", "-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp"]
D
}

# A tool that says how it was called: enough to see that a task reaches it.
make_echo() {
  local tool=${1##*/}
  tool=${tool%%:*}
  script "$tool" <<<$'#!/bin/sh\necho "'"$tool"$' stand-in: $*"'
  printf 'FROM bash:latest\nCOPY %s /usr/local/bin/\nENTRYPOINT ["%s"]\nCMD []\n' "$tool" "$tool" | build_image "$1"
}

# So that published ASP.NET Dockerfiles go through: it writes the folder that it is asked to publish to.
make_dotnet() {
  script dotnet <<'S'
#!/bin/sh
echo "dotnet stand-in: $*"
out=
while [ $# -gt 0 ]; do
  [ "$1" != -o ] || out=$2
  shift
done
[ -z "$out" ] || { mkdir -p "$out" && echo stand-in >"$out/WeatherService.dll"; }
S
  printf 'FROM busybox:latest\nCOPY dotnet /usr/bin/dotnet\nCMD ["sh"]\n' | build_image "$1"
}

# Writes standard input to an executable file of the context.
script() {
  cat >"$CONTEXT/$1"
  chmod 755 "$CONTEXT/$1"
}

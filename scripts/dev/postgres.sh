# shellcheck shell=bash
# A private Postgres for tests and benches: Debian's package, a cluster of its own, reachable from this machine alone.
POSTGRES_PORT=${CAREEN_DEV_POSTGRES_PORT:-5433}
# Not under the state folder: the server does not run as root, and may not be able to reach that.
POSTGRES_DIR=${CAREEN_DEV_POSTGRES_DIR:-/var/tmp/careen-postgres-$POSTGRES_PORT}
POSTGRES_URL=postgres://postgres@127.0.0.1:$POSTGRES_PORT/postgres

postgres_programs() { find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1; }

# Postgres refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

postgres_answers() { "$(postgres_programs)/pg_isready" -q -h 127.0.0.1 -p "$POSTGRES_PORT"; }

set_up_postgres() {
  [ -n "$(postgres_programs)" ] || apt_install postgresql
  postgres_answers || start_postgres
  say "postgres at $POSTGRES_URL"
}

start_postgres() {
  local programs
  programs=$(postgres_programs)
  if [ ! -e "$POSTGRES_DIR/PG_VERSION" ]; then
    mkdir -p "$POSTGRES_DIR"
    [ "$(id -u)" != 0 ] || chown postgres "$POSTGRES_DIR"
    as_postgres "$programs/initdb" -D "$POSTGRES_DIR" -U postgres --auth=trust --encoding=UTF8 >/dev/null
  fi
  # The server outlives this script; it must not keep the lock of the set-up with it.
  as_postgres "$programs/pg_ctl" -D "$POSTGRES_DIR" -l "$POSTGRES_DIR/log" -w start \
    -o "-p $POSTGRES_PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300" >/dev/null {LOCK}>&- ||
    die "postgres did not start: $(as_postgres tail -1 "$POSTGRES_DIR/log")" "choose another port: CAREEN_DEV_POSTGRES_PORT=5434"
}

stop_postgres() {
  [ ! -e "$POSTGRES_DIR/postmaster.pid" ] || as_postgres "$(postgres_programs)/pg_ctl" -D "$POSTGRES_DIR" -m fast stop >/dev/null
}

status_postgres() {
  if [ -n "$(postgres_programs)" ] && postgres_answers; then say "postgres: $POSTGRES_URL"; else say "postgres: none on port $POSTGRES_PORT"; fi
}

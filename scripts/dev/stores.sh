# shellcheck shell=bash
# Object stores for tests: moto speaks S3, azurite Azure Blob. Each is a process of this machine that keeps all in memory
# and is reachable from here alone; tests also start ones of their own, to stop them. Nothing of them is part of careen.
MOTO_PIP_PACKAGES=('moto[s3]==5.2.5' 'flask==3.1.3' 'flask-cors==6.0.5')
AZURITE_NPM_PACKAGE=azurite@3.35.0
STORES=$STATE/stores
S3_PORT=${CAREEN_DEV_S3_PORT:-5090}
AZURE_PORT=${CAREEN_DEV_AZURE_PORT:-5091}

set_up_stores() {
  local pair
  mkdir -p "$STORES"
  is_installed moto "${MOTO_PIP_PACKAGES[*]}" || phase "install moto" install_moto
  is_installed azurite "$AZURITE_NPM_PACKAGE" || phase "install azurite" install_azurite
  for pair in "moto:$S3_PORT" "azurite:$AZURE_PORT"; do start_store "${pair%:*}" "${pair#*:}"; done
  export CAREEN_TEST_STORES=required CAREEN_TEST_S3=http://127.0.0.1:$S3_PORT CAREEN_TEST_AZURE=http://127.0.0.1:$AZURE_PORT
  export CAREEN_TEST_MOTO=$STORES/moto CAREEN_TEST_AZURITE=$STORES/azurite
  say "S3 at $CAREEN_TEST_S3, Azure Blob at $CAREEN_TEST_AZURE"
}

is_installed() { [ "$(cat "$STORES/$1.version" 2>/dev/null)" = "$2" ]; }

# Makes a program to which only a port is said, of these versions: write_program NAME VERSIONS COMMAND
write_program() {
  printf '#!/bin/sh\nexec %s\n' "$3" >"$STORES/$1"
  chmod +x "$STORES/$1"
  echo "$2" >"$STORES/$1.version"
}

# Debian's python3 has no pip of its own; with python3-venv it makes an environment that has.
install_moto() {
  python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
  rm -rf "$STORES/moto-environment"
  python3 -m venv "$STORES/moto-environment" >"$STATE/pip.log" 2>&1 &&
    "$STORES/moto-environment/bin/pip" install -q --disable-pip-version-check "${MOTO_PIP_PACKAGES[@]}" >>"$STATE/pip.log" 2>&1 ||
    die "pip could not install ${MOTO_PIP_PACKAGES[*]}: $(tail -1 "$STATE/pip.log")" "all of it: $STATE/pip.log"
  write_program moto "${MOTO_PIP_PACKAGES[*]}" "'$STORES/moto-environment/bin/moto_server' -H 127.0.0.1 -p \"\$1\""
}

# It runs on Debian's node 18, too.
install_azurite() {
  command -v npm >/dev/null || apt_install nodejs npm
  rm -rf "$STORES/azurite-modules" && mkdir -p "$STORES/azurite-modules"
  (
    cd "$STORES/azurite-modules" || exit
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    npm install --no-audit --no-fund --omit=dev --prefix . "$AZURITE_NPM_PACKAGE" >"$STATE/npm.log" 2>&1
  ) || die "npm could not install $AZURITE_NPM_PACKAGE: $(tail -1 "$STATE/npm.log")" "all of it: $STATE/npm.log"
  write_program azurite "$AZURITE_NPM_PACKAGE" "node '$STORES/azurite-modules/node_modules/azurite/dist/src/blob/main.js' --blobHost 127.0.0.1 \
--blobPort \"\$1\" --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --silent"
}

# Any answer at all is one: both refuse who says nothing.
store_answers() { curl -s -m 5 -o /dev/null "http://127.0.0.1:$1/"; }

start_store() {
  local name=$1 port=$2
  store_answers "$port" && return
  daemonize "$name" "$STORES/$name" "$port"
  wait_for 60 store_answers "$port" ||
    die "$name did not start: $(tail -1 "$STATE/$name.log")" "choose another port: CAREEN_DEV_S3_PORT or CAREEN_DEV_AZURE_PORT"
}

stop_stores() { stop_store moto && stop_store azurite; }

# An interpreter runs each, under a name that depends on its version; the folder is ours.
stop_store() {
  local name=$1 pid
  pid=$(cat "$STATE/$name.pid" 2>/dev/null) || return 0
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$STORES/$name-"; then
    kill "$pid"
    wait_for 30 has_ended "$pid" || die "$name: process $pid does not end"
    say "$name: stopped"
  fi
  rm -f "$STATE/$name.pid"
}

status_stores() {
  local pair
  for pair in "S3:$S3_PORT" "Azure Blob:$AZURE_PORT"; do
    if store_answers "${pair#*:}"; then say "${pair%:*}: http://127.0.0.1:${pair#*:}"; else say "${pair%:*}: none on port ${pair#*:}"; fi
  done
}

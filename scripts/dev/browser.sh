# shellcheck shell=bash
# The browser that the tests of the pages drive, and the checker of accessibility that they run in it. Both are for
# tests alone; nothing of them is part of careen.
AXE_NPM_PACKAGE=axe-core@4

set_up_browser() {
  command -v chromedriver >/dev/null && command -v chromium >/dev/null || apt_install chromium chromium-driver
  export CAREEN_TEST_BROWSER=required
  [ -s "$STATE/axe/package/axe.min.js" ] || fetch_axe
  export CAREEN_TEST_AXE=$STATE/axe/package/axe.min.js
}

fetch_axe() {
  command -v npm >/dev/null || apt_install nodejs npm
  rm -rf "$STATE/axe" && mkdir -p "$STATE/axe"
  (
    cd "$STATE/axe" || exit
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    npm pack --fetch-retries=1 "$AXE_NPM_PACKAGE" >"$STATE/npm.log" 2>&1 && tar -xzf ./*.tgz package/axe.min.js
  ) || die "npm could not fetch $AXE_NPM_PACKAGE: $(tail -1 "$STATE/npm.log")" "all of it: $STATE/npm.log"
}

# shellcheck shell=bash
# What compiling needs: a C compiler for the vendored SQLite, libgit2 and zstd; OpenSSL, over which libgit2 speaks
# https and ssh; git and curl; Rust.

set_up_tools() {
  local pair missing=()
  # command:package; a compiler without the C library's headers is no compiler
  for pair in gcc:gcc make:make pkg-config:pkg-config git:git curl:curl ps:procps; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
  pkg-config --exists openssl 2>/dev/null || [ -n "${OPENSSL_DIR:-}" ] || missing+=(libssl-dev)
  [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -n "${SSL_CERT_FILE:-}" ] || ! is_debian || missing+=(ca-certificates)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
}

# The oldest Rust that Cargo.toml allows.
wanted_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml; }

is_at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -1)" = "$2" ]; }

cargo_version() { cargo --version 2>/dev/null | awk '{ print $2 }'; }

set_up_rust() {
  export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  command -v cargo >/dev/null || install_rust
  is_at_least "$(cargo_version)" "$(wanted_rust)" || newer_rust
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then add_components; fi
  say "cargo $(cargo_version)"
}

install_rust() {
  local script=$STATE/rustup-init.sh
  say "installing Rust with rustup"
  curl --proto '=https' --tlsv1.2 -sSf -m 60 https://sh.rustup.rs -o "$script" ||
    die "there is no cargo, and https://sh.rustup.rs cannot be reached" \
      "either put a cargo, rustfmt and clippy of $(wanted_rust) or newer on PATH," \
      "or run a rustup-init of your own, with RUSTUP_DIST_SERVER naming a mirror you can reach"
  sh "$script" -y --no-modify-path --profile minimal -c rustfmt -c clippy >"$STATE/rustup.log" 2>&1 ||
    die "rustup could not install Rust: $(tail -1 "$STATE/rustup.log")" "all of it: $STATE/rustup.log"
  say "Rust is in ${CARGO_HOME:-$HOME/.cargo}/bin; add it to your PATH to call cargo yourself"
}

newer_rust() {
  local problem
  problem="cargo is $(cargo_version), and careen needs $(wanted_rust) or newer"
  command -v rustup >/dev/null || die "$problem" "remove it from PATH to have rustup installed, or put a newer one first"
  say "$problem: asking rustup for stable"
  rustup toolchain install stable --profile minimal -c rustfmt -c clippy >"$STATE/rustup.log" 2>&1 ||
    die "$problem, and rustup could not install it: $(tail -1 "$STATE/rustup.log")"
  export RUSTUP_TOOLCHAIN=stable
}

add_components() {
  command -v rustup >/dev/null || die "cargo has no rustfmt or clippy" "install both for cargo $(cargo_version)"
  rustup component add rustfmt clippy >"$STATE/rustup.log" 2>&1 ||
    die "rustup could not add rustfmt and clippy: $(tail -1 "$STATE/rustup.log")"
}

status_rust() {
  PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  say "rust: cargo $(cargo_version || true) (wanted: $(wanted_rust) or newer)"
}

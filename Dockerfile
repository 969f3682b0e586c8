# The image of careen: server, worker and command line in one program. docker-compose.yml says how they work together.

# Where the program comes from: `compiled` from this folder, or `made` before, in the file `careen` of the context.
ARG PROGRAM=compiled

FROM rust:1-bookworm AS compiled
WORKDIR /src
COPY . .
RUN cargo build --release --locked && install -D target/release/careen /out/usr/local/bin/careen

FROM scratch AS made
COPY careen /out/usr/local/bin/careen
COPY libraries /out/usr/local/lib

# hadolint ignore=DL3006
FROM ${PROGRAM} AS program

FROM debian:bookworm-slim
# Over OpenSSL contexts come from git, over ssh careen reaches engines of other machines.
ARG PACKAGES="ca-certificates libssl3 openssh-client"
RUN if [ -n "$PACKAGES" ]; then \
        apt-get update && apt-get install -y --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=program /out /
RUN ldconfig && mkdir -p /var/lib/careen
# Where database, logs, locks and the key are when nothing else is said.
ENV XDG_DATA_HOME=/var/lib
VOLUME /var/lib/careen
EXPOSE 7420
ENTRYPOINT ["careen"]
CMD ["server", "--listen", "0.0.0.0:7420"]

//! Every option of `docker build` and `docker buildx build`, and what happens with it in a `build`.

use super::apply;
use crate::spec::Build;
use crate::spec::words::options::{Grammar, Row};

/// The options that may stand before and after the context.
pub(super) const GRAMMAR: Grammar<Build> = Grammar {
    rows: &ROWS,
    command: "docker build",
    interspersed: true,
};

const BUILDER: &str = "the builder is the engine's own, set up by careen";
const CLEAN: &str = "no containers are left behind by a build";
const CLIENT: &str = "no docker client runs here that could write a file to its machine";
const LIMITS: &str = "only --memory and --shm-size limit a build";
const OLD: &str = "it only tunes the old builder";
const WHAT: &str = "a `build` step builds; it does not only ask about a build";

const ROWS: [Row<Build>; 58] = [
    Row::value("tag", apply::tag).letter(b't'),
    Row::value("file", apply::file).letter(b'f'),
    Row::value("build-arg", apply::build_arg),
    Row::value("target", apply::target),
    Row::value("label", apply::label),
    Row::value("platform", apply::platform),
    Row::value("network", apply::network),
    Row::value("cache-from", apply::cache_from),
    Row::value("cache-to", apply::cache_to),
    Row::value("no-cache-filter", apply::no_cache_filter),
    Row::value("secret", apply::secret),
    Row::value("add-host", apply::add_host),
    Row::value("shm-size", apply::shm_size),
    Row::value("memory", apply::memory).letter(b'm'),
    Row::value("progress", apply::progress),
    Row::value("isolation", apply::isolation),
    Row::value("provenance", apply::attestation),
    Row::value("sbom", apply::attestation),
    Row::value("output", apply::output).letter(b'o'),
    Row::switch("no-cache", apply::no_cache),
    Row::switch("pull", apply::pull),
    Row::switch("squash", apply::squash),
    Row::switch("quiet", apply::quiet).letter(b'q'),
    Row::switch("load", |_, _| Ok(())),
    Row::switch("rm", |_, _| Ok(())),
    Row::ignore("force-rm", CLEAN).as_switch(),
    Row::ignore("compress", "the context goes to the engine as it is").as_switch(),
    Row::ignore("stream", OLD).as_switch(),
    Row::ignore(
        "disable-content-trust",
        "images are not checked against a notary",
    )
    .as_switch(),
    Row::ignore("debug", "the log of a build is complete as it is")
        .as_switch()
        .letter(b'D'),
    Row::ignore("cpu-period", OLD),
    Row::ignore("cpu-quota", OLD),
    Row::ignore("cpu-shares", OLD).letter(b'c'),
    Row::ignore("cpuset-cpus", OLD),
    Row::ignore("cpuset-mems", OLD),
    Row::ignore("memory-swap", OLD),
    Row::refuse("ssh", "no SSH keys are lent to a build; use --secret"),
    Row::refuse("iidfile", CLIENT),
    Row::refuse("metadata-file", CLIENT),
    Row::refuse("allow", "it would give the build rights on the host"),
    Row::refuse("security-opt", "it could widen what the build may do"),
    Row::refuse(
        "cgroup-parent",
        "it would put the build into a group of the host",
    ),
    Row::refuse("ulimit", LIMITS),
    Row::refuse("detach", "the next step needs the image").as_switch(),
    Row::refuse("builder", BUILDER),
    Row::refuse("server-config", BUILDER),
    Row::refuse("root", BUILDER),
    Row::refuse("policy", BUILDER),
    Row::refuse("attest", "no attestations are made for images"),
    Row::refuse("annotation", "images get labels; use --label"),
    Row::refuse(
        "build-context",
        "a build has one context; copy from an image with COPY --from",
    ),
    Row::refuse("call", WHAT),
    Row::refuse("print", WHAT),
    Row::refuse("invoke", WHAT),
    Row::refuse("on", WHAT),
    Row::refuse("check", WHAT).as_switch(),
    Row::refuse("push", "a `push` step sends the image to its registry").as_switch(),
    Row::refuse("help", WHAT).as_switch(),
];

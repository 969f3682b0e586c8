//! Every option of `docker run`, and what happens with it in a `cmd`.

use super::{apply, mounts, volumes};
use crate::spec::Command;
use crate::spec::words::options::{Grammar, Row};

/// The options that may stand before the image.
pub(super) const GRAMMAR: Grammar<Command> = Grammar {
    rows: &ROWS,
    command: "docker run",
    interspersed: false,
};

const HOST: &str = "it would open the host to the container";
const OTHERS: &str = "steps reach each other by network and workspace only";
const LIMITS: &str = "the limits of a step are --memory, --cpus, --pids-limit and --shm-size";
const NETWORK: &str = "the addresses and names of a run's network are its own";
const HEALTH: &str = "the health check of the image is used as it is";
const CLIENT: &str = "no docker client runs here that could read or write a file of its machine";
const LOGS: &str = "the output of every step is kept by careen itself";
const LINUX: &str = "only Linux containers run here";

const ROWS: [Row<Command>; 103] = [
    Row::value("env", apply::env).letter(b'e'),
    Row::value("volume", volumes::volume).letter(b'v'),
    Row::value("mount", mounts::mount),
    Row::value("tmpfs", volumes::tmpfs),
    Row::value("workdir", apply::working_directory).letter(b'w'),
    Row::value("user", apply::user).letter(b'u'),
    Row::value("entrypoint", apply::entry_point),
    Row::value("network", apply::network),
    Row::value("net", apply::network),
    Row::value("network-alias", apply::network_alias),
    Row::value("net-alias", apply::network_alias),
    Row::value("publish", apply::publish).letter(b'p'),
    Row::value("expose", apply::expose),
    Row::value("memory", apply::memory).letter(b'm'),
    Row::value("cpus", apply::cpus),
    Row::value("pids-limit", apply::pids_limit),
    Row::value("shm-size", apply::shm_size),
    Row::value("add-host", apply::add_host),
    Row::value("platform", apply::platform),
    Row::value("hostname", apply::hostname).letter(b'h'),
    Row::value("label", apply::label).letter(b'l'),
    Row::value("cap-drop", apply::cap_drop),
    Row::value("stop-signal", apply::stop_signal),
    Row::value("pull", apply::pull),
    Row::value("isolation", apply::isolation),
    Row::switch("read-only", apply::read_only),
    Row::switch("init", apply::init),
    Row::switch("tty", apply::tty).letter(b't'),
    Row::switch("interactive", apply::interactive).letter(b'i'),
    Row::switch("detach", apply::detach).letter(b'd'),
    Row::switch("privileged", apply::privileged),
    Row::switch("rm", |_, _| Ok(())),
    Row::switch("quiet", |_, _| Ok(())).letter(b'q'),
    Row::ignore("attach", LOGS).letter(b'a'),
    Row::ignore("detach-keys", "nobody is attached to a step"),
    Row::ignore("sig-proxy", "nobody is attached to a step").as_switch(),
    Row::ignore(
        "disable-content-trust",
        "images are not checked against a notary",
    )
    .as_switch(),
    Row::ignore(
        "stop-timeout",
        "careen gives every step the same time to stop",
    ),
    Row::ignore("log-driver", LOGS),
    Row::ignore("log-opt", LOGS),
    Row::ignore("memory-swappiness", LIMITS),
    Row::ignore("kernel-memory", "engines no longer have this limit"),
    Row::refuse(
        "name",
        "the name of a container comes from the id of its step",
    ),
    Row::refuse("pid", HOST),
    Row::refuse("ipc", HOST),
    Row::refuse("uts", HOST),
    Row::refuse("userns", HOST),
    Row::refuse("cgroupns", HOST),
    Row::refuse("cgroup-parent", HOST),
    Row::refuse("device", HOST),
    Row::refuse("device-cgroup-rule", HOST),
    Row::refuse("device-read-bps", HOST),
    Row::refuse("device-read-iops", HOST),
    Row::refuse("device-write-bps", HOST),
    Row::refuse("device-write-iops", HOST),
    Row::refuse("gpus", HOST),
    Row::refuse(
        "cap-add",
        "it would widen what the container may do; `privileged: true` with --allow privileged is the one way to do so",
    ),
    Row::refuse("security-opt", "it could widen what the container may do"),
    Row::refuse(
        "sysctl",
        "it could change the kernel's settings for other steps",
    ),
    Row::refuse(
        "runtime",
        "it chooses a program of the host to run the container",
    ),
    Row::refuse(
        "oom-score-adj",
        "it could make the host stop other processes first",
    ),
    Row::refuse(
        "oom-kill-disable",
        "it could make the host stop other processes first",
    )
    .as_switch(),
    Row::refuse(
        "use-api-socket",
        "write `-v /var/run/docker.sock:/var/run/docker.sock`, which needs --allow docker-socket",
    )
    .as_switch(),
    Row::refuse("volumes-from", OTHERS),
    Row::refuse("link", OTHERS),
    Row::refuse("volume-driver", "the volumes of a run are local"),
    Row::refuse("storage-opt", "the engine's own storage is used as it is"),
    Row::refuse(
        "restart",
        "a container that starts by itself would outlive its run; `retries` repeats a step",
    ),
    Row::refuse(
        "publish-all",
        "each published port is named; write `-p PORT`",
    )
    .as_switch()
    .letter(b'P'),
    Row::refuse("ip", NETWORK),
    Row::refuse("ip6", NETWORK),
    Row::refuse("link-local-ip", NETWORK),
    Row::refuse("mac-address", NETWORK),
    Row::refuse("dns", NETWORK),
    Row::refuse("dns-opt", NETWORK),
    Row::refuse("dns-option", NETWORK),
    Row::refuse("dns-search", NETWORK),
    Row::refuse("domainname", NETWORK),
    Row::refuse(
        "group-add",
        "write the group with the user, as in `-u user:group`",
    ),
    Row::refuse("ulimit", LIMITS),
    Row::refuse("memory-reservation", LIMITS),
    Row::refuse("memory-swap", LIMITS),
    Row::refuse("cpu-period", LIMITS),
    Row::refuse("cpu-quota", LIMITS),
    Row::refuse("cpu-rt-period", LIMITS),
    Row::refuse("cpu-rt-runtime", LIMITS),
    Row::refuse("cpu-shares", LIMITS).letter(b'c'),
    Row::refuse("cpuset-cpus", LIMITS),
    Row::refuse("cpuset-mems", LIMITS),
    Row::refuse("cpu-count", LINUX),
    Row::refuse("cpu-percent", LINUX),
    Row::refuse("io-maxbandwidth", LINUX),
    Row::refuse("io-maxiops", LINUX),
    Row::refuse("blkio-weight", LIMITS),
    Row::refuse("blkio-weight-device", LIMITS),
    Row::refuse("health-cmd", HEALTH),
    Row::refuse("health-interval", HEALTH),
    Row::refuse("health-retries", HEALTH),
    Row::refuse("health-start-period", HEALTH),
    Row::refuse("health-timeout", HEALTH),
    Row::refuse("no-healthcheck", HEALTH).as_switch(),
    Row::refuse("env-file", CLIENT),
    Row::refuse("label-file", CLIENT),
];

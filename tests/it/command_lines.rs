//! A `cmd` is docker-run options, an image and arguments; all its errors come at once.

use careen::spec::command_line::{parse_cpus, parse_expose, parse_memory, parse_port, read};
use careen::spec::{Command, Grant, PortMapping, Protocol, VolumeSource, VolumeUse};
use careen::text::{Diagnostics, Level};
use proptest::prelude::*;

/// Reads a `cmd` that must have no errors.
fn good(text: &str) -> Command {
    let (command, found) = read(text);
    assert!(!found.has_errors(), "{text}: {found:?}");
    command
}

/// The code and marked text of each finding of one level.
fn marks<'t>(text: &'t str, found: &Diagnostics, level: Level) -> Vec<(&'static str, &'t str)> {
    let of_level = found.iter().filter(|d| d.level == level);
    of_level
        .map(|d| (d.code, d.span.map_or("", |s| &text[s.start..s.end])))
        .collect()
}

fn errors(text: &str) -> Vec<(&'static str, &str)> {
    marks(text, &read(text).1, Level::Error)
}

#[test]
fn the_first_word_after_the_options_is_the_image() {
    let command = good("-e A=b --rm alpine:3 echo -e 'x y' --rm\n");
    assert_eq!(command.image, "alpine:3");
    assert_eq!(command.arguments, ["echo", "-e", "x y", "--rm"]);
    assert_eq!(command.env[0].name, "A");
    assert_eq!(command.env[0].value, "b");
    assert_eq!(good("-- alpine").image, "alpine");
}

#[test]
fn every_spelling_of_a_value_is_read() {
    for text in [
        "-e A=b i",
        "-eA=b i",
        "-e=A=b i",
        "--env A=b i",
        "--env=A=b i",
        "-ite A=b i",
        "-iteA=b i",
        "'-e' \"A=b\" i",
    ] {
        let command = good(text);
        assert_eq!(
            (command.env[0].name.as_str(), command.env[0].value.as_str()),
            ("A", "b"),
            "{text}"
        );
        assert_eq!(command.image, "i", "{text}");
    }
    for (text, expected) in [
        ("-i alpine", true),
        ("--interactive=false alpine", false),
        ("-i=0 alpine", false),
        ("-it alpine", true),
    ] {
        assert_eq!(good(text).interactive, expected, "{text}");
    }
}

#[test]
fn every_supported_option_reaches_the_command() {
    let command = good(
        "-w /w -u 1:2 --entrypoint sh --network web --network-alias x --net-alias y -m 512m --cpus 1.5 \
         --pids-limit 9 --shm-size 1g --read-only --tmpfs /t:size=1m --tmpfs /u --add-host a:1.2.3.4 --add-host b=::1 \
         --platform linux/arm64 -h me -l a=b --label c --cap-drop ALL --stop-signal INT --init -t -d --pull always \
         --expose 80 --expose 90-91/udp --rm=false -q --isolation default i",
    );
    let expected = Command {
        text: command.text.clone(),
        image: "i".into(),
        working_directory: Some("/w".into()),
        user: Some("1:2".into()),
        entry_point: Some("sh".into()),
        network: Some("web".into()),
        network_aliases: vec!["x".into(), "y".into()],
        memory_bytes: Some(512 << 20),
        nano_cpus: Some(1_500_000_000),
        pids_limit: Some(9),
        shm_size_bytes: Some(1 << 30),
        read_only: true,
        tmpfs: vec![
            ("/t".into(), "size=1m".into()),
            ("/u".into(), String::new()),
        ],
        extra_hosts: vec!["a:1.2.3.4".into(), "b:::1".into()],
        platform: Some("linux/arm64".into()),
        hostname: Some("me".into()),
        labels: vec![("a".into(), "b".into()), ("c".into(), String::new())],
        cap_drop: vec!["ALL".into()],
        stop_signal: Some("INT".into()),
        init: true,
        tty: true,
        detach: true,
        pull: true,
        expose: vec![
            (80, None),
            (90, Some(Protocol::Udp)),
            (91, Some(Protocol::Udp)),
        ],
        ..Command::default()
    };
    assert_eq!(command, expected);
}

fn volume(source: VolumeSource, target: &str, read_only: bool) -> VolumeUse {
    VolumeUse {
        source,
        target: target.to_owned(),
        read_only,
    }
}

#[test]
fn names_are_volumes_of_the_run_and_paths_are_the_hosts() {
    let named = |name: &str| VolumeSource::Named(name.to_owned());
    let host = |path: &str| VolumeSource::HostPath(path.to_owned());
    let cases = [
        ("-v data:/d i", volume(named("data"), "/d", false)),
        ("-v data:/d/:ro i", volume(named("data"), "/d", true)),
        ("-v data:/d:rw,z i", volume(named("data"), "/d", false)),
        ("-v /d i", volume(VolumeSource::Anonymous, "/d", false)),
        ("-v /a/../b/./c:/d i", volume(host("/b/c"), "/d", false)),
        (
            "--mount type=volume,src=data,dst=/d,ro i",
            volume(named("data"), "/d", true),
        ),
        (
            "--mount source=data,target=/d,readonly=false i",
            volume(named("data"), "/d", false),
        ),
        (
            "--mount type=bind,source=/a,destination=/d i",
            volume(host("/a"), "/d", false),
        ),
        (
            "--mount target=/d i",
            volume(VolumeSource::Anonymous, "/d", false),
        ),
        (
            "--mount 'type=volume,\"src=data\",dst=/d' i",
            volume(named("data"), "/d", false),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(good(text).volumes, [expected], "{text}");
    }
    let tmpfs = good("--mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700 i").tmpfs;
    assert_eq!(tmpfs, [("/t".to_owned(), "size=1m,mode=700".to_owned())]);
}

#[test]
fn options_that_open_the_host_need_a_grant() {
    let path = |p: &str| Grant::HostPath(p.to_owned());
    let cases = [
        ("alpine", vec![]),
        ("-v data:/d --network web i", vec![]),
        ("--privileged i", vec![Grant::Privileged]),
        ("--privileged --privileged=false i", vec![]),
        ("--network host i", vec![Grant::HostNetwork]),
        ("--net=host i", vec![Grant::HostNetwork]),
        ("-v /etc:/e -v /etc:/f i", vec![path("/etc")]),
        (
            "-v /var/run/docker.sock:/var/run/docker.sock docker ps",
            vec![Grant::DockerSocket],
        ),
        (
            "-v /var/run/../run/docker.sock:/s i",
            vec![Grant::DockerSocket],
        ),
        (
            "--mount type=bind,src=/run/docker.sock,dst=/s i",
            vec![Grant::DockerSocket],
        ),
        (
            "-v /x:/x --privileged --network host i",
            vec![Grant::Privileged, Grant::HostNetwork, path("/x")],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(good(text).grants, expected, "{text}");
    }
}

#[test]
fn options_that_cannot_be_kept_are_refused_by_name() {
    let refused = [
        "--pid host",
        "--ipc=host",
        "--device /dev/kvm",
        "--cap-add SYS_ADMIN",
        "--security-opt seccomp=unconfined",
        "--userns host",
        "--cgroup-parent x",
        "--volumes-from x",
        "--gpus all",
        "--uts host",
        "--name web",
        "--runtime runc",
        "--sysctl a=b",
        "--link x",
        "--restart always",
        "-P",
        "--dns 1.1.1.1",
        "--ulimit nofile=9",
        "--env-file x",
        "--health-cmd x",
        "-c 5",
        "--use-api-socket",
    ];
    for option in refused {
        let text = format!("{option} alpine");
        let (command, found) = read(&text);
        let codes = marks(&text, &found, Level::Error);
        assert_eq!(codes.len(), 1, "{text}: {found:?}");
        assert_eq!(codes[0].0, "option-refused", "{text}");
        assert_eq!(command.image, "alpine", "{text}");
    }
}

#[test]
fn unknown_options_name_the_nearest_known_one() {
    let cases = [
        ("--privilged i", Some("--privileged")),
        ("--volum a:/b i", Some("--volume")),
        ("--enviroment=A=b i", None),
        ("--totally-unknown i", None),
        ("-privileged i", None),
        ("-rm i", Some("--rm")),
        ("-Z i", None),
    ];
    for (text, near) in cases {
        let (_, found) = read(text);
        let help: Vec<_> = found.iter().flat_map(|d| &d.help).collect();
        let expected = near.map(|near| format!("did you mean {near}?"));
        match expected {
            Some(expected) => assert!(help.contains(&&expected), "{text}: {found:?}"),
            None => assert!(found.has_errors(), "{text}"),
        }
    }
}

#[test]
fn all_errors_of_one_cmd_come_at_once_with_their_places() {
    let text = "--cpus x -m 1q --name w --bogus -v ./a:/b -p 99999 -w rel --platform windows/amd64 UPPER echo > f 'x";
    assert_eq!(
        errors(text),
        [
            ("unclosed-quote", "'x"),
            ("option-value", "x"),
            ("option-value", "1q"),
            ("option-refused", "--name"),
            ("option-unknown", "--bogus"),
            ("option-value", "./a:/b"),
            ("option-value", "99999"),
            ("option-value", "rel"),
            ("option-value", "windows/amd64"),
            ("bad-image", "UPPER"),
            ("shell-operator", ">"),
        ]
    );
}

#[test]
fn a_value_inside_a_word_is_marked_by_itself() {
    assert_eq!(errors("--cpus=abc i"), [("option-value", "abc")]);
    assert_eq!(errors("-m9q i"), [("option-value", "9q")]);
    assert_eq!(errors("-p=0 i"), [("option-value", "0")]);
    assert_eq!(errors("'--cpus=a b' i"), [("option-value", "'--cpus=a b'")]);
}

#[test]
fn a_cmd_without_an_image_is_an_error() {
    for text in ["", "  \n", "-e A=b", "--rm", "--", "''"] {
        assert!(read(text).1.has_errors(), "{text:?}");
    }
    assert_eq!(errors(" --rm  "), [("no-image", "--rm")]);
    assert_eq!(errors("alpine -m"), []);
    assert_eq!(errors("-m"), [("option-value", "-m"), ("no-image", "-m")]);
}

#[test]
fn an_operator_is_answered_with_the_line_to_write() {
    let cases = [
        (
            "ubuntu apt update && apt install git",
            "`ubuntu bash -c 'apt update && apt install git'`",
        ),
        (
            "-e A=b bash echo 'x y' > f\n",
            r"`-e A=b bash bash -c 'echo '\''x y'\'' > f'`",
        ),
        ("; alpine", "`IMAGE bash -c '…'`"),
    ];
    for (text, proposal) in cases {
        let (_, found) = read(text);
        let operator = found
            .iter()
            .find(|d| d.code == "shell-operator")
            .expect(text);
        assert!(operator.help[0].contains(proposal), "{:?}", operator.help);
        assert!(operator.help.iter().any(|h| h.contains("sh -c")), "{text}");
    }
}

#[test]
fn what_makes_no_difference_only_warns() {
    let warnings = |text| marks(text, &read(text).1, Level::Warning);
    assert_eq!(warnings("-e HOME alpine"), [("option-dropped", "HOME")]);
    assert!(good("-e HOME alpine").env.is_empty());
    assert_eq!(
        warnings("--log-driver none i"),
        [("option-ignored", "--log-driver")]
    );
    assert_eq!(
        warnings("--sig-proxy=false i"),
        [("option-ignored", "--sig-proxy=false")]
    );
    assert_eq!(warnings("--pull never i"), [("option-dropped", "never")]);
    assert_eq!(warnings("alpine echo $X"), [("shell-expansion", "$X")]);
}

#[test]
fn a_step_joins_one_network_and_never_another_container() {
    assert_eq!(
        good("--network name=web,alias=a,alias=b i").network_aliases,
        ["a", "b"]
    );
    assert_eq!(
        good("--network web --net web i").network.as_deref(),
        Some("web")
    );
    assert_eq!(errors("--network web --net db i"), [("option-value", "db")]);
    assert_eq!(
        errors("--network container:x i"),
        [("option-value", "container:x")]
    );
    assert_eq!(errors("--network name=a,driver-opt=b i").len(), 1);
}

#[test]
fn bad_volumes_are_errors() {
    let cases = [
        "./a:/b",
        "../a:/b",
        "a/b:/c",
        "~/x:/y",
        "x:/y",
        "_x:/y",
        "name:rel",
        "name:/",
        "a:b:c:d",
        "name:/x:wat",
        "name:/x:shared",
        "",
        "c:\\x:/y",
    ];
    for case in cases {
        assert_eq!(errors(&format!("-v '{case}' i")).len(), 1, "{case}");
    }
    for case in [
        "type=bind,src=x,dst=/y",
        "type=npipe,dst=/y",
        "src=data",
        "wat=1,dst=/y",
        "type=bind,dst=/y",
    ] {
        assert_eq!(errors(&format!("--mount {case} i")).len(), 1, "{case}");
    }
}

fn port(address: &str, host: Option<u16>, container_port: u16, protocol: Protocol) -> PortMapping {
    PortMapping {
        host_address: address.to_owned(),
        host_port: host,
        container_port,
        protocol,
    }
}

#[test]
fn ports_are_published_on_this_machine_unless_an_address_is_written() {
    use Protocol::{Sctp, Tcp, Udp};
    let local = "127.0.0.1";
    let cases = [
        ("80", vec![port(local, None, 80, Tcp)]),
        ("8080:80", vec![port(local, Some(8080), 80, Tcp)]),
        (":80", vec![port(local, None, 80, Tcp)]),
        ("8080:80/UDP", vec![port(local, Some(8080), 80, Udp)]),
        (
            "0.0.0.0:8080:80",
            vec![port("0.0.0.0", Some(8080), 80, Tcp)],
        ),
        ("10.0.0.1::80/sctp", vec![port("10.0.0.1", None, 80, Sctp)]),
        ("[::1]:8080:80", vec![port("::1", Some(8080), 80, Tcp)]),
        ("::1:8080:80", vec![port("::1", Some(8080), 80, Tcp)]),
        (
            "7-8:80-81",
            vec![port(local, Some(7), 80, Tcp), port(local, Some(8), 81, Tcp)],
        ),
        (
            "80-81",
            vec![port(local, None, 80, Tcp), port(local, None, 81, Tcp)],
        ),
        (
            "published=8080,target=80,protocol=udp",
            vec![port(local, Some(8080), 80, Udp)],
        ),
        ("target=80", vec![port(local, None, 80, Tcp)]),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_port(text), Ok(expected), "{text}");
    }
    let bad = [
        "",
        "0",
        "65536",
        "a",
        "80/http",
        "1-2:80",
        "7-9:80-81",
        "9-8",
        "-1",
        "+5",
        "80:",
        "8080:",
        "name:1:2",
        "[1.2.3.4]:1:2",
        "1:2:3",
        "80//tcp",
        "target=80,wat=1",
        "１",
    ];
    for text in bad {
        assert!(parse_port(text).is_err(), "{text}");
    }
}

#[test]
fn exposed_ports_are_numbers_or_ranges() {
    assert_eq!(parse_expose("80"), Ok(vec![(80, None)]));
    assert_eq!(
        parse_expose("80-81/tcp"),
        Ok(vec![(80, Some(Protocol::Tcp)), (81, Some(Protocol::Tcp))])
    );
    for text in ["", "8080:80", "x", "80/x", "2-1"] {
        assert!(parse_expose(text).is_err(), "{text}");
    }
}

#[test]
fn memory_is_written_in_dockers_units() {
    let cases = [
        ("0", 0),
        ("32", 32),
        ("32b", 32),
        ("32B", 32),
        ("32k", 32 << 10),
        ("32K", 32 << 10),
        ("32kb", 32 << 10),
        ("32Kb", 32 << 10),
        ("32Kib", 32 << 10),
        ("512m", 512 << 20),
        ("32.5kB", 33_280),
        ("1.5g", 3 << 29),
        ("32.3", 32),
        ("1t", 1 << 40),
        ("2p", 2 << 50),
        ("32 mb", 32 << 20),
        ("0.5m", 1 << 19),
        (".5m", 1 << 19),
    ];
    for (text, bytes) in cases {
        assert_eq!(parse_memory(text), Ok(bytes), "{text}");
    }
    for text in [
        "",
        "hello",
        "-32",
        "32kbb",
        "32 mbs",
        "32xb",
        "32 ib",
        "1bb",
        "1e3",
        "1..2m",
        "32  m",
        "99999999999p",
        ".",
    ] {
        assert!(parse_memory(text).is_err(), "{text}");
    }
}

#[test]
fn cpus_are_counted_in_billionths() {
    let cases = [
        ("1", 1_000_000_000),
        ("0.5", 500_000_000),
        (".25", 250_000_000),
        ("2.", 2_000_000_000),
        ("0", 0),
        ("0.000000001", 1),
        ("1.0000000000", 1_000_000_000),
    ];
    for (text, nano) in cases {
        assert_eq!(parse_cpus(text), Ok(nano), "{text}");
    }
    for text in [
        "",
        ".",
        "x",
        "-1",
        "1e3",
        "0.0000000001",
        "1.2.3",
        "99999999999999999999",
    ] {
        assert!(parse_cpus(text).is_err(), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_cmd_makes_the_reader_stumble(
        words in proptest::collection::vec(
            "--?[a-z-]{1,12}(=[^ ]{0,8})?|-v|-e|-p|--mount|[a-z:/.=,-]{0,12}|['\"$`&;\\\\#~*(é]{1,4}",
            0..8,
        ),
    ) {
        let text = words.join(" ");
        let (command, found) = read(&text);
        prop_assert!(found.has_errors() || !command.image.is_empty());
        for finding in found.iter() {
            let span = finding.span.expect("a place");
            prop_assert!(text.get(span.start..span.end).is_some());
        }
    }
}

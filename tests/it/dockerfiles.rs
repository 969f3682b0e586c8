//! A Dockerfile stands on exactly the images that its builder would fetch, and says where it names each.

use careen::{
    dockerfile::{Dockerfile, Kind, Options, Pin, pin},
    text::{Diagnostics, Source, render},
};
use proptest::prelude::*;

/// What a build needs, each as `KIND image`, with `!` behind the one that it begins with and `(…)` for a platform.
fn bases(text: &str, options: &Options) -> Result<Vec<String>, Diagnostics> {
    let (file, found) = Dockerfile::read(text);
    let Some(file) = file else { return Err(found) };
    let (bases, found) = file.bases(options);
    let Some(bases) = bases else {
        return Err(found);
    };
    let places = bases.places.iter().map(|base| {
        let platform = base.platform.as_ref();
        let platform = platform.map_or(String::new(), |it| format!(" ({it})"));
        let runtime = if base.is_runtime { "!" } else { "" };
        format!("{} {}{platform}{runtime}", base.kind.word(), base.image)
    });
    Ok(places.collect())
}

fn told(words: &[&str]) -> Options {
    let mut options = Options::default();
    for word in words {
        match word.split_once('=') {
            Some(("target", stage)) => options.target = Some(stage.to_owned()),
            Some(("platform", platform)) => options.platform = Some(platform.to_owned()),
            Some((name, value)) => options.build_args.push((name.to_owned(), value.to_owned())),
            None => panic!("{word} says nothing"),
        }
    }
    options
}

/// Each case: a Dockerfile, what its build is told, what it needs.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const STAGES: &[Case] = &[
    ("FROM a", &[], &["FROM a!"]),
    ("from a as b\nfrom B", &[], &["FROM a!"]),
    (
        "FROM a AS Build\nFROM c\nCOPY --from=build /x /",
        &[],
        &["FROM a", "FROM c!"],
    ),
    (
        "FROM a AS b\nFROM c\nCOPY --from=0 /x /",
        &[],
        &["FROM a", "FROM c!"],
    ),
    ("FROM a AS b\nFROM c", &[], &["FROM c!"]),
    (
        "FROM a AS b\nFROM c AS d\nFROM e",
        &["target=D"],
        &["FROM c!"],
    ),
    (
        "FROM a AS b\nFROM c AS d\nFROM e",
        &["target=0"],
        &["FROM a!"],
    ),
    ("FROM a AS b\nFROM b AS c\nFROM c", &[], &["FROM a!"]),
    (
        "FROM scratch\nCOPY --from=a:1 /x /",
        &[],
        &["COPY --from a:1"],
    ),
    (
        "FROM a AS b\nFROM scratch\nCOPY --from=b / /",
        &[],
        &["FROM a"],
    ),
    (
        "FROM x\nCOPY --link --from=later /a /\nFROM c AS later\nFROM d",
        &["target=0"],
        &["FROM x!", "FROM c"],
    ),
    ("FROM a AS b\nFROM c AS b\nFROM b", &[], &["FROM c!"]),
    ("FROM b AS a\nFROM a AS b\nFROM b", &[], &["FROM b!"]),
    ("FROM a\nCOPY --from=scratch / /", &[], &["FROM a!"]),
];

const SOURCES: &[Case] = &[
    (
        "FROM a\nCOPY --from=r.io/n:1 --chown=1 /x /",
        &[],
        &["FROM a!", "COPY --from r.io/n:1"],
    ),
    (
        "FROM a\nRUN --mount=type=bind,from=n:1,target=/n x",
        &[],
        &["FROM a!", "RUN --mount n:1"],
    ),
    (
        "FROM a\nRUN --mount=from=n --mount=type=cache,target=/c,from=m x",
        &[],
        &["FROM a!", "RUN --mount n", "RUN --mount m"],
    ),
    (
        "FROM a\nRUN --mount=type=cache,target=/c x --mount=from=n",
        &[],
        &["FROM a!"],
    ),
    (
        "FROM b AS s\nFROM a\nRUN --mount=from=S,target=/n x",
        &[],
        &["FROM b", "FROM a!"],
    ),
    (
        "FROM a\nRUN --mount=type=bind,\\\nfrom=n,ro x",
        &[],
        &["FROM a!", "RUN --mount n"],
    ),
    (
        "# syntax=docker/dockerfile:1\nFROM a",
        &[],
        &["# syntax docker/dockerfile:1", "FROM a!"],
    ),
    (
        "\u{feff}# syntax=s\nFROM a",
        &[],
        &["# syntax s", "FROM a!"],
    ),
    ("FROM a\nADD https://x/y /\nADD g.tar /", &[], &["FROM a!"]),
    // What stands behind ONBUILD runs where a stage begins with this one.
    ("FROM a\nONBUILD COPY --from=n /x /", &[], &["FROM a!"]),
    (
        "FROM a AS b\nONBUILD COPY --from=n /x /\nFROM b",
        &[],
        &["FROM a!", "COPY --from n"],
    ),
    (
        "FROM a AS b\nONBUILD RUN --mount=from=n x\nFROM b AS c\nFROM c AS d\nFROM b",
        &[],
        &["FROM a!", "RUN --mount n"],
    ),
];

const LINES: &[Case] = &[
    ("FROM \\\n  a \\\n  AS b\nRUN x", &[], &["FROM a!"]),
    ("FROM al\\\npine", &[], &["FROM alpine!"]),
    ("FROM a \\\n# why\n\n AS b\nFROM B", &[], &["FROM a!"]),
    (
        "# escape=`\nFROM `\n a\nRUN dir c:\\\nFROM b",
        &[],
        &["FROM b!"],
    ),
    ("  # x\n\n FROM a\r\nRUN y\r\n", &[], &["FROM a!"]),
    ("FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN x", &[], &["FROM a!"]),
    (
        "FROM a\nRUN python3 <<EOF > out\nFROM b\nEOF\nCOPY --from=n x y",
        &[],
        &["FROM a!", "COPY --from n"],
    ),
    (
        "FROM a\nRUN cat <<A <<-'B'\nFROM b\nA\nFROM c\n\tB\nFROM d",
        &[],
        &["FROM d!"],
    ),
    (
        "FROM a\nCOPY <<EOF /x\nCOPY --from=n a b\nEOF",
        &[],
        &["FROM a!"],
    ),
    (
        "FROM a\nONBUILD RUN cat <<EOF\nFROM b\nEOF",
        &[],
        &["FROM a!"],
    ),
    ("FROM a\nRUN echo \"<<EOF\"\nFROM b", &[], &["FROM b!"]),
    ("FROM a\nCMD cat <<EOF\nFROM b", &[], &["FROM b!"]),
    ("FROM a\nRUN x \\\nFROM b", &[], &["FROM a!"]),
    ("FROM a\nRUN x \\\\\nFROM b", &[], &["FROM b!"]),
    (
        "FROM a\nRUN [\"x\", \"<<E\"]\nRUN [ -f x ]\nSHELL [\"sh\"]",
        &[],
        &["FROM a!"],
    ),
];

const VARIABLES: &[Case] = &[
    ("ARG V=1\nFROM a:$V", &[], &["FROM a:1!"]),
    ("ARG V=1\nFROM a:$V", &["V=2"], &["FROM a:2!"]),
    ("ARG V\nFROM a:${V:-3}", &[], &["FROM a:3!"]),
    ("ARG V=\nFROM a${V:+:}$V", &[], &["FROM a!"]),
    ("ARG A=1 B=2\nFROM a:$A$B", &[], &["FROM a:12!"]),
    (
        "ARG R=h.io\nARG I=$R/x\nFROM $I",
        &["R=r.io"],
        &["FROM r.io/x!"],
    ),
    ("ARG I='b c' \\\n J=\"d\"\nFROM $J", &[], &["FROM d!"]),
    ("ARG V=1\nARG V=2\nFROM a:$V", &[], &["FROM a:2!"]),
    ("FROM a\nARG V=1\nFROM b:${V:-0}", &[], &["FROM b:0!"]),
    ("ARG V=1\nFROM a\nARG V=2\nFROM b:$V", &[], &["FROM b:1!"]),
    ("FROM a\nENV V=1\nFROM b:${V-0}", &[], &["FROM b:0!"]),
    ("FROM a:${V:-0}", &["V=1"], &["FROM a:0!"]),
    ("FROM \"a:1\"", &[], &["FROM a:1!"]),
    ("ARG S=b\nFROM a AS b\nFROM ${S}", &[], &["FROM a!"]),
    ("ARG B=scratch\nFROM $B", &[], &[]),
    (
        "FROM --platform=$BUILDPLATFORM a AS b\nFROM c\nCOPY --from=b x y",
        &["platform=linux/arm64"],
        &["FROM a (linux/amd64)", "FROM c!"],
    ),
    ("FROM --platform=linux/386 a", &[], &["FROM a (linux/386)!"]),
    (
        "FROM a-${TARGETARCH}${TARGETVARIANT}",
        &["platform=linux/arm/v7"],
        &["FROM a-armv7!"],
    ),
    ("FROM a-$TARGETOS", &["TARGETOS=plan9"], &["FROM a-plan9!"]),
    ("ARG V=1.2.3-rc\nFROM a:${V%-*}", &[], &["FROM a:1.2.3!"]),
];

#[test]
fn a_build_stands_on_what_its_builder_would_fetch() {
    for (text, words, expected) in [STAGES, SOURCES, LINES, VARIABLES].concat() {
        let found = bases(text, &told(words));
        assert_eq!(
            found.as_deref(),
            Ok(expected
                .iter()
                .map(|it| (*it).to_owned())
                .collect::<Vec<_>>()
                .as_slice()),
            "{text}"
        );
    }
}

#[test]
fn what_a_builder_would_refuse_is_underlined_with_a_way_out() {
    for (text, words, code, marked, help) in [
        ("", &[][..], "no-stage", "", "FROM image"),
        ("# only a comment", &[], "no-stage", "", "FROM image"),
        ("ARG A=1", &[], "no-stage", "", "FROM image"),
        ("RUN x\nFROM a", &[], "bad-instruction", "RUN", ""),
        (
            "FROM a\nRUNN x",
            &[],
            "bad-instruction",
            "RUNN",
            "did you mean RUN?",
        ),
        (
            "FROM a\n  COPPY é",
            &[],
            "bad-instruction",
            "COPPY",
            "did you mean COPY?",
        ),
        ("FROM $A", &[], "blank-name", "$A", "ARG A=…"),
        (
            "ARG A\nFROM ${A}",
            &[],
            "blank-name",
            "${A}",
            "--build-arg A=…",
        ),
        (
            "ARG VERSION=1\nFROM $VERSON",
            &[],
            "blank-name",
            "$VERSON",
            "did you mean VERSION?",
        ),
        (
            "FROM a\nARG A=b\nFROM $A",
            &[],
            "blank-name",
            "$A",
            "move ARG A there",
        ),
        ("FROM ${A", &[], "bad-variable", "${A", ""),
        (
            "ARG A=${B:?give B}\nFROM a",
            &[],
            "bad-variable",
            "A=${B:?give B}",
            "",
        ),
        (
            "FROM a AS b",
            &["target=c"],
            "no-target",
            "",
            "the stages are b",
        ),
        (
            "FROM a AS build\nFROM a AS test",
            &["target=biuld"],
            "no-target",
            "",
            "did you mean build?",
        ),
        (
            "FROM a",
            &["target=c"],
            "no-target",
            "",
            "FROM image AS name",
        ),
        (
            "FROM a\nCOPY --from=3 x y",
            &[],
            "no-stage-number",
            "3",
            "the last is 0",
        ),
        (
            "FROM a\nCOPY --from=$A x y",
            &[],
            "variable-source",
            "$A",
            "FROM $A AS name",
        ),
        (
            "FROM a\nRUN --mount=type=bind,from=${A} x",
            &[],
            "variable-source",
            "${A}",
            "FROM ${A} AS name",
        ),
        ("FROM a AS b\nCOPY --from=b x y", &[], "circle", "b", ""),
        (
            "FROM x AS a\nCOPY --from=b x y\nFROM a AS b",
            &[],
            "circle",
            "b",
            "",
        ),
        (
            "FROM a AS 1b",
            &[],
            "stage-name",
            "1b",
            "begins with a letter",
        ),
        ("# escape=x\nFROM a", &[], "bad-escape", "x", ""),
        (
            "FROM a\nRUN <<E\nx",
            &[],
            "open-here-document",
            "<<E",
            "says E",
        ),
    ] {
        let found = bases(text, &told(words)).expect_err(text);
        let finding = found.iter().find(|it| it.code == code);
        let finding = finding.unwrap_or_else(|| panic!("{text}: {found:?}"));
        let span = finding.span.map_or(0..0, |span| span.start..span.end);
        assert_eq!(&text[span], marked, "{text}");
        assert!(
            finding.help.join(" ").contains(help),
            "{text}: {:?}",
            finding.help
        );
    }
}

#[test]
fn what_is_odd_is_warned_of() {
    for (text, code) in [
        ("FROM a:1$V", "no-value"),
        ("FROM a AS b\nFROM c AS B", "second-stage"),
        ("FROM a\nRUN x \\\nFROM b", "swallowed-from"),
    ] {
        let (file, mut found) = Dockerfile::read(text);
        let (_, more) = file.expect(text).bases(&Options::default());
        found.extend(more);
        assert_eq!(
            found.iter().map(|it| it.code).collect::<Vec<_>>(),
            [code],
            "{text}"
        );
        assert!(!found.has_errors());
        let source = Source {
            name: "Dockerfile",
            text,
        };
        assert!(render(&source, &found, false).contains("Dockerfile:"));
    }
}

/// Writes a digest behind every image that a text names.
fn pinned(text: &str) -> String {
    let (file, _) = Dockerfile::read(text);
    let (bases, _) = file.expect(text).bases(&Options::default());
    let places = bases.expect(text).places.into_iter();
    let pins: Vec<Pin> = places
        .map(|base| Pin {
            span: base.span,
            text: format!("{}@d", base.image),
        })
        .collect();
    pin(text, &pins)
}

#[test]
fn every_place_can_be_pinned_and_nothing_else_changes() {
    for (text, expected) in [
        (
            "# syntax=s:1 more\nARG V=1\nFROM --platform=linux/386 a:$V AS b\nCOPY --chown=1 --from=c x y\n",
            "# syntax=s:1@d more\nARG V=1\nFROM --platform=linux/386 a:1@d AS b\nCOPY --chown=1 --from=c@d x y\n",
        ),
        (
            "\u{feff}FROM a\r\nRUN --mount=type=bind,from=b,ro \\\r\n --mount=from=c,target=/c x <<E\r\nFROM q\r\nE\r\n",
            "\u{feff}FROM a@d\r\nRUN --mount=type=bind,from=b@d,ro \\\r\n --mount=from=c@d,target=/c x <<E\r\nFROM q\r\nE\r\n",
        ),
        (
            "FROM al\\\npine\nRUN --mount=ro,\\\n# x\nfrom=b,target=/x y",
            "FROM alpine@d\nRUN --mount=ro,\\\n# x\nfrom=b@d,target=/x y",
        ),
        (
            "FROM a AS b\nFROM b\nFROM scratch\nCOPY --from=b / /",
            "FROM a@d AS b\nFROM b\nFROM scratch\nCOPY --from=b / /",
        ),
        (
            "FROM a AS b\nONBUILD COPY --from=n x y\nFROM b AS c\nFROM b\nCOPY --from=c x y",
            "FROM a@d AS b\nONBUILD COPY --from=n@d x y\nFROM b AS c\nFROM b\nCOPY --from=c x y",
        ),
    ] {
        assert_eq!(pinned(text), expected);
    }
}

#[test]
fn a_long_chain_of_stages_is_followed() {
    let mut text = "FROM a AS s0\n".to_owned();
    for stage in 1..20_000 {
        text.push_str(&format!("FROM s{} AS s{stage}\n", stage - 1));
    }
    assert_eq!(
        bases(&text, &Options::default()),
        Ok(vec!["FROM a!".to_owned()])
    );
}

#[test]
fn a_value_cannot_double_itself_without_end() {
    let mut text = "ARG A0=aaaaaaaaaaaaaaaa\n".to_owned();
    for line in 1..64 {
        text.push_str(&format!("ARG A{line}=$A{0}$A{0}\n", line - 1));
    }
    assert!(bases(&format!("{text}FROM $A63"), &Options::default()).is_err());
}

/// A file with everything in it, to break.
const WHOLE: &str = "# syntax=docker/dockerfile:1\n# escape=\\\nARG V=1 W=\"${V:-2}\"\nFROM --platform=$BUILDPLATFORM a:${V%.*} AS b\nRUN --mount=type=bind,\\\nfrom=c,target=/c cat <<E <<-'F' > x\nFROM é\nE\n\tF\nONBUILD COPY --from=d x y\nFROM b\nCOPY --from=0 x y\n";

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_broken_file_is_refused_or_read_and_never_more(
        edits in proptest::collection::vec((0..400_usize, "[\\\\\"'$`{}:<=,# \n\ta-zA-Zé0-9\u{feff}-]{0,3}", 0..6_usize), 1..8),
    ) {
        let mut letters: Vec<char> = WHOLE.chars().collect();
        for (at, text, cut) in edits {
            let at = at.min(letters.len());
            let end = (at + cut).min(letters.len());
            letters.splice(at..end, text.chars());
        }
        let text: String = letters.into_iter().collect();
        let (file, found) = Dockerfile::read(&text);
        prop_assert_eq!(file.is_none(), found.has_errors());
        let source = Source { name: "Dockerfile", text: &text };
        render(&source, &found, false);
        if let Some(file) = file {
            let (bases, found) = file.bases(&Options::default());
            render(&source, &found, false);
            for base in bases.into_iter().flat_map(|it| it.places) {
                let written = &text[base.span.start..base.span.end];
                prop_assert!(!written.is_empty() && !base.image.is_empty());
                if base.kind != Kind::From {
                    prop_assert!(written.replace("\\\n", "").contains(base.image.chars().next().unwrap_or(' ')));
                }
            }
        }
    }
}

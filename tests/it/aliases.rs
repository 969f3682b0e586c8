//! Aliases are found and replaced as ACR's own preprocessor does.

use careen::spec::alias::{
    Aliases, cut, expand, gather, has_aliases, only, read_section, version_text,
};
use careen::text::Span;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn aliases(pairs: &[(&str, &str)]) -> Aliases {
    let texts = pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Aliases {
        texts: texts.collect(),
    }
}

fn expanded(text: &str, directive: char) -> String {
    let known = aliases(&[
        ("a", "X"),
        ("ID", "{{.Run.ID}}"),
        ("two", "1\n2"),
        ("none", ""),
    ]);
    expand(text, directive, &known).0
}

#[test]
fn names_are_replaced_character_by_character() {
    let cases = [
        ("$a.$a/", "X.X/"),
        ("$a_b", "X_b"),
        ("$a-b", "X-b"),
        ("$$a", "$a"),
        ("$nope", "$nope"),
        ("$1", "$1"),
        ("$HOME", "$HOME"),
        ("$(pwd)", "$(pwd)"),
        ("${a}", "${a}"),
        ("$ ", "$ "),
        ("$nope$a", "$nope$a"),
        ("$nope $a", "$nope X"),
        ("$a$a", "XX"),
        ("$a$$a", "X$a"),
        ("$a$", "X$"),
        ("$", "$"),
        ("$$", "$"),
        ("$$$a", "$X"),
        ("$$$$", "$$"),
        ("é$aé", "éXé"),
        ("$a", "X"),
        ("", ""),
        ("- $two\n", "- 1\n2\n"),
        ("[$none]", "[]"),
        ("t:$ID", "t:{{.Run.ID}}"),
        ("t:$ID2", "t:$ID2"),
        ("$A", "$A"),
    ];
    for (text, result) in cases {
        assert_eq!(expanded(text, '$'), result, "{text:?}");
    }
    assert_eq!(expanded("@a $ID a@b @@a", '@'), "X $ID a@b @a");
    assert_eq!(expanded("8🐳a0🐳a🐳a", '🐳'), "8🐳a0🐳aX");
    assert_eq!(expanded("8🐳a.0🐳a🐳a", '🐳'), "8X.0XX");
}

#[test]
fn an_alias_inside_an_alias_stays() {
    let nested = aliases(&[("a", "$b"), ("b", "$a")]);
    assert_eq!(expand("$a$b", '$', &nested).0, "$b$a");
}

#[test]
fn a_place_in_the_result_leads_back_to_what_was_written() {
    let text = "x $a.é $none$ID y $$ z";
    let (result, edits) = expand(
        text,
        '$',
        &aliases(&[("a", "LONG"), ("none", ""), ("ID", "{{i}}")]),
    );
    assert_eq!(result, "x LONG.é {{i}} y $ z");
    let written = |part: &str| {
        let start = result.find(part).expect(part);
        let span = edits.to_old(Span::new(start, start + part.len()));
        &text[span.start..span.end]
    };
    let cases = [
        ("x", "x"),
        ("LONG", "$a"),
        ("ON", "$a"),
        (".é", ".é"),
        ("LONG.é", "$a.é"),
        ("{{i}}", "$ID"),
        ("i}} y", "$ID y"),
        ("y $", "y $$"),
        (" z", " z"),
    ];
    for (part, expected) in cases {
        assert_eq!(written(part), expected, "{part}");
    }
}

#[test]
fn the_first_word_of_a_cmd_needs_no_directive() {
    let known = Aliases::built_in();
    let bash = "mcr.microsoft.com/acr/bash:2ff604c";
    let cases = [
        ("bash echo  hi", Some(format!("{bash} echo  hi"))),
        ("  bash\n", Some(bash.to_owned())),
        ("bash\n  -c x", Some(format!("{bash}\n  -c x"))),
        ("bash:3.0 echo", None),
        ("docker ps", None),
        ("Registry x", Some("{{.Run.Registry}} x".to_owned())),
        ("-e A=b bash", None),
        ("", None),
    ];
    for (cmd, expected) in cases {
        assert_eq!(known.expand_first_word(cmd), expected, "{cmd:?}");
        assert_eq!(Aliases::default().expand_first_word(cmd), None, "{cmd:?}");
    }
}

#[test]
fn the_version_is_read_from_the_raw_text() {
    let cases = [
        ("", None),
        ("\n\nversion  : v1.1.0    \n", Some("v1.1.0")),
        ("build: x\nversion: v1.1.0", Some("v1.1.0")),
        ("versionOfTask:v1.1.0", None),
        ("version", None),
        ("version:v1.1.0\n\t", Some("v1.1.0")),
        ("version:foo:bar", Some("foo:bar")),
        ("version:   \"v1.1.0'", Some("v1.1.0")),
        ("'version'  : v1.1.0", Some("v1.1.0")),
        ("\"version\":\"v1.1.0\"", Some("v1.1.0")),
        (" version: v1.1.0", None),
        ("  x: 1\nversion: a\nversion: b", Some("a")),
        ("version: v1.1.0\r\n", Some("v1.1.0")),
        ("version:", Some("")),
    ];
    for (text, expected) in cases {
        assert_eq!(version_text(text), expected, "{text:?}");
    }
}

#[test]
fn versions_from_v1_1_0_on_have_aliases() {
    for version in ["v1.1.0", "v1.1.0 # note", "v2", "v1.2"] {
        assert!(has_aliases(Some(version)), "{version}");
    }
    for version in ["v1.0.0", "1.1.0", "V1.1.0", "1.0-preview-1", ""] {
        assert!(!has_aliases(Some(version)), "{version}");
    }
    assert!(!has_aliases(None));
}

#[test]
fn the_section_ends_at_the_next_key_and_leaves_its_lines_blank() {
    let text = "version: v1.1.0\nalias :\n  values:\n    a: é\n\n- x\nsteps:\n  - cmd: alias\n";
    let rest = cut(text).expect("a section");
    assert_eq!(rest.lines().count(), text.lines().count());
    let kept: Vec<&str> = rest.lines().map(str::trim_end).collect();
    assert_eq!(
        kept,
        [
            "version: v1.1.0",
            "",
            "",
            "",
            "",
            "",
            "steps:",
            "  - cmd: alias"
        ]
    );
    let section = only(text).expect("a section");
    let kept: Vec<&str> = section.lines().map(str::trim_end).collect();
    assert_eq!(
        kept,
        ["", "alias :", "  values:", "    a: é", "", "- x", "", ""]
    );
    for text in [
        "steps:\n  alias:\n    a: b\n",
        "aliases: 1\n",
        "\"alias\": 1\n",
        "",
    ] {
        assert_eq!((cut(text), only(text)), (None, None), "{text:?}");
    }
}

fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

#[test]
fn nearer_aliases_win() {
    let section =
        read_section("alias:\n  values: {a: values, Registry: mine}\n  src: [one, two]\n")
            .expect("good");
    assert_eq!(section.sources, ["one", "two"]);
    let known = gather(
        &section,
        &files(&[
            ("one", "a: one\nb: one\nc: one\nbash: one"),
            ("two", "a: two\nb: two"),
        ]),
    )
    .expect("good");
    let text = |name: &str| known.texts.get(name).map(String::as_str);
    assert_eq!(text("a"), Some("values"));
    assert_eq!(text("b"), Some("two"));
    assert_eq!(text("c"), Some("one"));
    assert_eq!(text("bash"), Some("one"));
    assert_eq!(text("Registry"), Some("mine"));
    assert_eq!(text("ID"), Some("{{.Run.ID}}"));
    assert_eq!(text("acr"), Some("mcr.microsoft.com/acr/acr-cli:0.19"));
}

#[test]
fn the_text_of_an_alias_is_what_is_written() {
    let section =
        read_section("alias:\n  values: {a: 1.10, b: 010, c: yes, d: ~, e: '1'}\n").expect("good");
    let texts: Vec<&str> = section.values.values().map(String::as_str).collect();
    assert_eq!(texts, ["1.10", "010", "yes", "", "1"]);
}

#[test]
fn a_section_may_be_empty() {
    for text in [
        "",
        "alias:\n",
        "alias:\n  values:\n",
        "alias: {}\n",
        "alias:\n  directive: ''\n",
    ] {
        let section = read_section(text).expect(text);
        assert_eq!(section, Default::default(), "{text:?}");
        assert_eq!(
            gather(&section, &files(&[])).expect(text),
            Aliases::built_in()
        );
    }
    let empty_file = read_section("alias:\n  src: [x]\n").expect("good");
    assert_eq!(
        gather(&empty_file, &files(&[("x", "")])).expect("good"),
        Aliases::built_in()
    );
}

#[test]
fn what_is_wrong_in_a_section_is_said() {
    let cases = [
        (
            "alias:\n  directive: ab\n",
            "$ directive can only be overwritten by a single character",
        ),
        (
            "alias:\n  directive: a\n",
            "overwritten directives may not be alphanumeric characters",
        ),
        (
            "alias:\n  values: {a-b: c}\n",
            "alias key names only support alphanumeric characters",
        ),
        ("alias:\n  values: [a]\n", "error during alias unmarshaling"),
        (
            "alias:\n  values: {a: [b]}\n",
            "error during alias unmarshaling",
        ),
        ("alias:\n  src: one\n", "error during alias unmarshaling"),
        ("alias: x\n", "error during alias unmarshaling"),
    ];
    for (text, message) in cases {
        let found = read_section(text).expect_err(text);
        assert!(
            found.iter().any(|d| d.message.contains(message)),
            "{text:?}: {found:?}"
        );
    }
    let section = read_section("alias:\n  src: [gone, bad]\n").expect("good");
    let found = gather(&section, &files(&[("bad", "a b: c")])).expect_err("two errors");
    let messages: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages.len(), 2);
    assert!(messages[0].contains("`gone` could not be read"));
    assert!(messages[1].contains("in the alias file `bad`: alias key names"));
}

proptest! {
    #[test]
    fn expanding_never_loses_its_place(text in "[$ab \né🐳_]{0,24}", directive in "[$🐳]") {
        let directive = directive.chars().next().expect("one");
        let (result, edits) = expand(&text, directive, &aliases(&[("a", ""), ("b", "é\né"), ("ab", "$a")]));
        for start in 0..=result.len() {
            for end in start..=result.len() {
                let span = edits.to_old(Span::new(start, end));
                prop_assert!(span.start <= span.end && span.end <= text.len());
            }
        }
    }
}

//! A line splits into words as in a POSIX shell, and what needs a shell is seen.

use careen::spec::words::{Broken, Line, findings, split};
use careen::text::Level;
use proptest::prelude::*;

fn texts(line: &str) -> Vec<String> {
    split(line).words.into_iter().map(|w| w.text).collect()
}

#[test]
fn quotes_and_escapes_are_taken_off_as_a_shell_does() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        ("  \t\n ", &[]),
        ("a b  c\td\ne", &["a", "b", "c", "d", "e"]),
        (
            "bash -c 'echo $(date) >> hello.txt'\n",
            &["bash", "-c", "echo $(date) >> hello.txt"],
        ),
        (r#"a"b c"d'e f'g"#, &["ab cde fg"]),
        (r#"'' "" x"#, &["", "", "x"]),
        (r"a\ b \'c\' \\", &["a b", "'c'", r"\"]),
        (r#""a\"b\\c\$d\`e\nf""#, &["a\"b\\c$d`e\\nf"]),
        ("a\\\nb", &["ab"]),
        ("a \\\n b", &["a", "b"]),
        ("\"a\\\nb\"", &["ab"]),
        ("'a\nb'", &["a\nb"]),
        ("x#y '#z' a\\#b", &["x#y", "#z", "a#b"]),
        ("a # b c\nd", &["a", "d"]),
        (
            r#"bash -c "echo $(date "+%F %T")""#,
            &["bash", "-c", r#"echo $(date "+%F %T")"#],
        ),
        (
            r#"sh -c "echo ${X:-"a b"}" c"#,
            &["sh", "-c", r#"echo ${X:-"a b"}"#, "c"],
        ),
        (r#"sh -c "a $(b" c"#, &["sh", "-c", "a $(b", "c"]),
        ("é 'ü ö' ß\\ñ", &["é", "ü ö", "ßñ"]),
        ("a=b --c='d e'", &["a=b", "--c=d e"]),
    ];
    for (line, expected) in cases {
        assert_eq!(texts(line), *expected, "{line:?}");
    }
}

#[test]
fn each_word_knows_where_it_stands() {
    let line = "  docker 'run it' a\\ b \"x\"y ";
    let spans: Vec<&str> = split(line)
        .words
        .iter()
        .map(|w| &line[w.span.start..w.span.end])
        .collect();
    assert_eq!(spans, ["docker", "'run it'", "a\\ b", "\"x\"y"]);
}

#[test]
fn an_unquoted_operator_is_found_and_a_quoted_one_is_not() {
    let found = [
        ("a && b", "&&"),
        ("a&", "&"),
        ("a || b && c", "||"),
        ("a;b", ";"),
        ("echo x >> f", ">>"),
        ("echo x 2>&1", ">&"),
        ("cat <in", "<"),
        ("(a)", "("),
        ("a )", ")"),
        ("echo `date` x", "`date`"),
        ("echo $(date +%F) x", "$(date +%F)"),
        ("echo $(never", "$("),
        ("curl http://x/?a=1&b=2", "&"),
        ("'a'\"b\"|c", "|"),
    ];
    for (line, operator) in found {
        let span = split(line).operator.expect(line);
        assert_eq!(&line[span.start..span.end], operator, "{line:?}");
    }
    let quoted = [
        "'a && b'",
        "\"a; b | c\"",
        r"a \&\& b \; \> \( \)",
        "\"$(x)\" \"`y`\"",
        "'$(x)`y`'",
    ];
    for line in quoted {
        assert_eq!(split(line).operator, None, "{line:?}");
    }
}

#[test]
fn what_an_agent_would_have_expanded_is_kept_and_warned_about() {
    let cases: &[(&str, &[&str])] = &[
        ("echo $X ${Y} \"$Z\"", &["$X", "${Y}", "$Z"]),
        ("\"$(date) `id`\"", &["$(date)", "`", "`"]),
        ("ls *.txt ~/x ~", &["*", "~", "~"]),
        ("$1 $? $$ $@", &["$1", "$?", "$$", "$@"]),
        ("'$X' \\$X \"\\$X\" a~ 'a*' $ \"$\" $= a$", &[]),
        ("\"${X:-a}b\"", &["${X:-a}"]),
    ];
    for (line, expected) in cases {
        let words = split(line);
        let found: Vec<&str> = words
            .expansions
            .iter()
            .map(|e| &line[e.span.start..e.span.end])
            .collect();
        assert_eq!(found, *expected, "{line:?}");
        assert!(words.operator.is_none(), "{line:?}");
        let warnings = findings(&words, line, Line::Cmd);
        assert!(
            warnings.iter().all(|d| d.level == Level::Warning),
            "{line:?}"
        );
        assert_eq!(warnings.is_empty(), expected.is_empty(), "{line:?}");
    }
}

#[test]
fn a_script_with_many_variables_gets_one_warning_that_names_each_once() {
    let line = r#"sh -c "echo $A $B $A""#;
    let found = findings(&split(line), line, Line::Cmd);
    let messages: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].starts_with("`$A`, `$B` reaches the container"),
        "{messages:?}"
    );
}

#[test]
fn what_is_not_closed_is_an_error_at_its_start() {
    let cases = [
        ("echo 'abc", 5, Broken::Quote('\'')),
        ("echo \"a'b", 5, Broken::Quote('"')),
        ("echo \"a\\", 5, Broken::Quote('"')),
        ("echo a\\", 6, Broken::Backslash),
    ];
    for (line, at, kind) in cases {
        let (span, broken) = split(line).broken.expect(line);
        assert_eq!((span.start, broken), (at, kind), "{line:?}");
        assert!(findings(&split(line), line, Line::Cmd).has_errors());
    }
}

#[test]
fn a_dropped_comment_is_warned_about() {
    let line = "a b # c d\ne";
    let found = findings(&split(line), line, Line::Cmd);
    let comment = found.iter().next().expect("one warning");
    assert_eq!(
        (comment.level, comment.code),
        (Level::Warning, "shell-comment")
    );
    let span = comment.span.expect("a place");
    assert_eq!(&line[span.start..span.end], "# c d");
}

#[test]
fn a_hostile_line_is_read_in_one_walk() {
    for piece in [
        "\"$(", "$(", "${", "\"${", "`", "'\"", "\\", "$x", "(", "#", " #", "a ",
    ] {
        let line = piece.repeat(200_000);
        assert!(split(&line).words.len() <= line.len(), "{piece}");
        let quoted = format!("\"{}", piece.replace('"', "").repeat(200_000));
        assert!(split(&quoted).broken.is_some(), "{piece}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// shlex makes an empty word of a joined line between blanks, and reads quotes inside `"$(…)"`
    /// as the outer ones; both differ from a shell and are left out here.
    #[test]
    fn words_agree_with_shlex_where_no_operator_is_found(line in "[ab#$ \t\n'\"\\\\~*éü{}=-]{0,24}") {
        prop_assume!(!line.contains("\\\n") && !line.contains("${"));
        let words = split(&line);
        prop_assume!(words.operator.is_none());
        match shlex::split(&line) {
            Some(expected) => {
                prop_assert!(words.broken.is_none());
                let texts: Vec<String> = words.words.into_iter().map(|w| w.text).collect();
                prop_assert_eq!(texts, expected);
            }
            None => prop_assert!(words.broken.is_some()),
        }
    }

    #[test]
    fn every_span_lies_inside_the_line_and_words_do_not_overlap(line in "\\PC{0,40}|[&|;<>()`$#'\"\\\\ {}\n a]{0,40}") {
        let words = split(&line);
        let mut end = 0;
        for word in &words.words {
            prop_assert!(word.span.start >= end && word.span.end >= word.span.start);
            prop_assert!(line.get(word.span.start..word.span.end).is_some());
            end = word.span.end;
        }
        for finding in findings(&words, &line, Line::Build).iter() {
            let span = finding.span.expect("a place");
            prop_assert!(line.get(span.start..span.end).is_some());
        }
    }
}

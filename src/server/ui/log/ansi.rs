//! Turns a line of a log into markup: colours become classes, everything else is text or is dropped.
//!
//! Nothing of a line is trusted: links and titles (OSC), cursor movements, control bytes and marks that turn the
//! direction of writing are left out, whatever they hold.

use std::{iter::Peekable, str::Chars};

/// The most letters of a line that are shown.
const LETTERS: usize = 8000;
/// Parameters of one sequence; the rest is dropped.
const PARAMETERS: usize = 32;

/// How letters look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    ink: Option<u8>,
    ground: Option<u8>,
    is_bold: bool,
    is_dim: bool,
    is_italic: bool,
    is_underlined: bool,
    is_struck: bool,
    is_inverse: bool,
}

/// Makes markup of a line: text, and `span`s with classes.
pub(super) fn to_html(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = last_writing(&text);
    let (mut out, mut style, mut open) =
        (String::with_capacity(text.len()), Style::default(), false);
    let mut shown = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let changed = match letter {
            '\u{1b}' => escape(&mut letters, style),
            '\u{9b}' => control(&mut letters, style),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => {
                skip_string(&mut letters);
                None
            }
            _ if is_hidden(letter) => None,
            _ if shown >= LETTERS => {
                shown += 1;
                None
            }
            _ => {
                shown += 1;
                push(&mut out, letter);
                None
            }
        };
        if let Some(new) = changed.filter(|new| *new != style && shown < LETTERS) {
            style = new;
            restyle(&mut out, style, &mut open);
        }
    }
    if open {
        out.push_str("</span>");
    }
    if shown > LETTERS {
        out.push_str(&format!(
            "<span class=\"more\"> … {} more letters</span>",
            shown - LETTERS
        ));
    }
    out
}

/// What a carriage return leaves to be seen: progress bars write over themselves.
fn last_writing(text: &str) -> &str {
    let text = text.trim_end_matches('\r');
    text.rsplit_once('\r').map_or(text, |(_, last)| last)
}

fn is_hidden(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (letter.is_control() && letter != '\t')
}

fn push(out: &mut String, letter: char) {
    match letter {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        _ => out.push(letter),
    }
}

/// Reads what follows an escape; gives the new style if it is one.
fn escape(letters: &mut Peekable<Chars<'_>>, style: Style) -> Option<Style> {
    match letters.next()? {
        '[' => return control(letters, style),
        ']' | 'P' | 'X' | '^' | '_' => skip_string(letters),
        // Sequences such as the choice of a character set end with one more letter.
        ' '..='/' => {
            while letters.next_if(|it| (' '..='/').contains(it)).is_some() {}
            letters.next();
        }
        _ => {}
    }
    None
}

/// Skips a string that ends with a bell or a string terminator; one that does not end takes the line with it.
fn skip_string(letters: &mut Peekable<Chars<'_>>) {
    while let Some(letter) = letters.next() {
        match letter {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if letters.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

/// Reads a control sequence; only those that end in `m` say how letters look.
fn control(letters: &mut Peekable<Chars<'_>>, style: Style) -> Option<Style> {
    let (mut parameters, mut number, mut is_private) = (Vec::new(), 0u32, false);
    for letter in letters.by_ref() {
        match letter {
            '0'..='9' => number = (number * 10 + (letter as u32 - '0' as u32)).min(9999),
            ';' | ':' => {
                parameters.push(number);
                number = 0;
            }
            '<'..='?' => is_private = true,
            ' '..='/' => {}
            'm' if !is_private => {
                parameters.push(number);
                parameters.truncate(PARAMETERS);
                return Some(styled(style, &parameters));
            }
            _ => return None,
        }
    }
    None
}

fn styled(mut style: Style, parameters: &[u32]) -> Style {
    let mut rest = parameters.iter().copied();
    while let Some(parameter) = rest.next() {
        match parameter {
            0 => style = Style::default(),
            1 => style.is_bold = true,
            2 => style.is_dim = true,
            3 => style.is_italic = true,
            4 => style.is_underlined = true,
            7 => style.is_inverse = true,
            9 => style.is_struck = true,
            22 => (style.is_bold, style.is_dim) = (false, false),
            23 => style.is_italic = false,
            24 => style.is_underlined = false,
            27 => style.is_inverse = false,
            29 => style.is_struck = false,
            30..=37 => style.ink = Some((parameter - 30) as u8),
            90..=97 => style.ink = Some((parameter - 82) as u8),
            38 => style.ink = colour(&mut rest).or(style.ink),
            39 => style.ink = None,
            40..=47 => style.ground = Some((parameter - 40) as u8),
            100..=107 => style.ground = Some((parameter - 92) as u8),
            48 => style.ground = colour(&mut rest).or(style.ground),
            49 => style.ground = None,
            _ => {}
        }
    }
    style
}

/// Reads a colour of 256 or of all, and takes the nearest of the sixteen that both themes have.
fn colour(rest: &mut impl Iterator<Item = u32>) -> Option<u8> {
    match rest.next()? {
        5 => Some(match rest.next()?.min(255) {
            named @ 0..=15 => named as u8,
            grey @ 232..=255 => nearest([(grey - 232) * 10 + 8; 3]),
            cube => {
                let cube = cube - 16;
                nearest([cube / 36, cube / 6 % 6, cube % 6].map(|it| it * 51))
            }
        }),
        2 => {
            let parts = [rest.next()?, rest.next()?, rest.next()?];
            Some(nearest(parts.map(|it| it.min(255))))
        }
        _ => None,
    }
}

fn nearest(parts: [u32; 3]) -> u8 {
    let most = parts.iter().copied().max().unwrap_or(0);
    if most < 48 {
        return 0;
    }
    let bits = parts
        .iter()
        .zip([1, 2, 4])
        .filter(|(part, _)| **part * 2 > most);
    let hue: u8 = bits.map(|(_, bit)| bit).sum();
    match hue {
        7 if most < 140 => 8,
        hue if most > 200 => hue + 8,
        hue => hue,
    }
}

fn restyle(out: &mut String, style: Style, open: &mut bool) {
    if std::mem::take(open) {
        out.push_str("</span>");
    }
    let mut classes = Vec::new();
    let (ink, ground) = match style.is_inverse {
        true => (style.ground, style.ink),
        false => (style.ink, style.ground),
    };
    classes.extend(ink.map(|it| format!("f{it}")));
    classes.extend(ground.map(|it| format!("g{it}")));
    for (is_so, class) in [
        (style.is_bold, "b"),
        (style.is_dim, "d"),
        (style.is_italic, "i"),
        (style.is_underlined, "u"),
        (style.is_struck, "s"),
        (style.is_inverse && (ink.is_none() || ground.is_none()), "r"),
    ] {
        classes.extend(is_so.then(|| class.to_owned()));
    }
    if !classes.is_empty() {
        out.push_str(&format!("<span class=\"{}\">", classes.join(" ")));
        *open = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes_and_all_else_is_text_or_dropped() {
        for (line, html) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m x", "<span class=\"f1\">red</span> x"),
            ("\x1b[1;92mok", "<span class=\"f10 b\">ok</span>"),
            ("\x1b[38;5;196mx", "<span class=\"f9\">x</span>"),
            (
                "\x1b[38;2;10;200;20mx\x1b[39my",
                "<span class=\"f2\">x</span>y",
            ),
            ("\x1b[7mx", "<span class=\"r\">x</span>"),
            ("<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;"),
            ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
            ("a\x1b]0;title never ends <b>", "a"),
            ("\x1b[2J\x1b[1;1Hx\x1b(By\x1b", "xy"),
            (
                "\u{9b}31mred\u{9d}8;;x\u{9c}!",
                "<span class=\"f1\">red!</span>",
            ),
            ("a\0b\x08c\x7fd\u{202e}e", "abcde"),
            ("10%\r50%\r100%\r", "100%"),
            ("\x1b[999999999999m\x1b[38;5mx", "x"),
            ("\x1b[31\"><img onerror=x>m", "mg onerror=x&gt;m"),
        ] {
            assert_eq!(to_html(line.as_bytes()), html, "{line:?}");
        }
    }

    #[test]
    fn what_is_no_text_or_too_long_is_shown_as_far_as_it_goes() {
        assert_eq!(to_html(b"a\xff<"), "a\u{fffd}&lt;");
        let long = "<".repeat(LETTERS + 5);
        let found = to_html(long.as_bytes());
        assert!(found.ends_with("… 5 more letters</span>"), "{found}");
        assert_eq!(found.matches("&lt;").count(), LETTERS);
    }
}

//! How states, times and lines look.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use crate::{
    engine::{RunState, StepStatus},
    plan::Plan,
};

/// The widest that a step's id is shown.
const ID_WIDTH: usize = 24;
/// Colours by which steps are told apart; red and green are kept for endings.
const COLOURS: [AnsiColor; 5] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::BrightBlack,
];

/// Writes milliseconds the way people read them.
pub fn duration(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..=59 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60..=3599 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// The width of the column of step ids.
pub(super) fn id_width(plan: &Plan) -> usize {
    let widest = plan.steps().iter().map(|step| width(&step.id)).max();
    widest.unwrap_or(0).min(ID_WIDTH)
}

/// A step's id in its column: cut or padded, control characters shown.
pub(super) fn id_cell(id: &str, columns: usize) -> String {
    let mut cell = String::new();
    for c in id.chars().map(|c| if c.is_control() { '?' } else { c }) {
        if width(&cell) + 1 > columns {
            break;
        }
        cell.push(c);
    }
    let pad = columns.saturating_sub(width(&cell));
    cell.extend(std::iter::repeat_n(' ', pad));
    cell
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// The colour of a step's lines.
pub(super) fn colour(step: u32) -> Style {
    let colour = COLOURS[step as usize % COLOURS.len()];
    Style::new().fg_color(Some(colour.into()))
}

/// The mark and style of a status.
pub(super) fn mark(status: StepStatus) -> (&'static str, Style) {
    let coloured = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    match status {
        StepStatus::Waiting => ("·", Style::new().dimmed()),
        StepStatus::Running => ("▸", Style::new()),
        StepStatus::Succeeded => ("✓", coloured(AnsiColor::Green)),
        StepStatus::Failed | StepStatus::Errored => ("✗", coloured(AnsiColor::Red).bold()),
        StepStatus::TimedOut => ("✗", coloured(AnsiColor::Red)),
        StepStatus::Canceled | StepStatus::Skipped => ("–", Style::new().dimmed()),
    }
}

/// What a step's new status is, with times, codes and reasons; `None` when that is not worth a line.
pub(super) fn status_line(state: &RunState, step: u32) -> Option<String> {
    let status = state.step_status(step);
    let progress = state.step(step);
    let took = match (progress.started_at, progress.ended_at) {
        (Some(start), Some(end)) => format!(" in {}", duration(end - start)),
        _ => String::new(),
    };
    let mut line = match status {
        StepStatus::Waiting => return state.reason(step).filter(|it| it.starts_with("held back")),
        StepStatus::Skipped => return None,
        StepStatus::Running if progress.attempt > 1 => {
            format!("running, attempt {}", progress.attempt)
        }
        StepStatus::Running => "running".to_owned(),
        StepStatus::Succeeded if progress.serves => "started, runs on in the background".to_owned(),
        StepStatus::Succeeded => format!("succeeded{took}"),
        StepStatus::Failed => {
            let code = state.exit_code(step).unwrap_or_default();
            format!("failed with exit code {code}{took}")
        }
        StepStatus::Errored | StepStatus::TimedOut | StepStatus::Canceled => {
            format!("{}{took}", status_word(status))
        }
    };
    if let Some(reason) = state.reason(step) {
        line.push_str(": ");
        line.push_str(&visible(&reason));
    }
    if progress.ignored {
        line.push_str(" (ignored)");
    }
    Some(line)
}

/// The word for a status, for people.
pub(super) fn status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::TimedOut => "timed out",
        other => other.as_str(),
    }
}

/// Takes out of a log line what could move the cursor or change the terminal; colours stay.
pub fn tame(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    if !text.contains(|c: char| c.is_control() && c != '\t') {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    // What a progress line wrote over itself is gone on a terminal, too.
    let last = text.trim_end_matches('\r');
    let last = last.rsplit('\r').next().unwrap_or(last);
    let mut rest = last;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        out.push_str(&rest[..at]);
        let (kept, skip) = sequence(&rest[at..]);
        out.push_str(kept);
        rest = &rest[at + skip..];
    }
    out.push_str(rest);
    if out.contains('\u{1b}') {
        out.push_str("\u{1b}[0m");
    }
    out
}

/// Looks at one control character or escape sequence: what of it to keep, and how long it is.
fn sequence(text: &str) -> (&str, usize) {
    let first = text.chars().next().map_or(1, char::len_utf8);
    let Some(inner) = text.strip_prefix("\u{1b}[") else {
        return ("", first);
    };
    let end = inner.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'));
    match end {
        Some(end) if inner[end..].starts_with('m') => (&text[..end + 3], end + 3),
        Some(end) => {
            let last = inner[end..].chars().next().map_or(0, char::len_utf8);
            ("", 2 + end + last)
        }
        None => ("", text.len()),
    }
}

/// A message on one line, control characters taken out.
fn visible(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, id_cell, tame};

    #[test]
    fn times_are_short() {
        assert_eq!(duration(1_234), "1.2 s");
        assert_eq!(duration(61_000), "1 m 01 s");
        assert_eq!(duration(3_660_000), "1 h 01 m");
    }

    #[test]
    fn log_lines_keep_their_colours_and_nothing_else() {
        let cases: [(&[u8], &str); 7] = [
            (b"plain", "plain"),
            (b"\x1b[31mred", "\u{1b}[31mred\u{1b}[0m"),
            (b"a\x1b[2Jb", "ab"),
            (b"a\x1b]0;title\x07b", "a]0;titleb"),
            (b"10%\r50%\r100%\r", "100%"),
            (b"bell\x07\x08", "bell"),
            (b"\xff", "\u{fffd}"),
        ];
        for (line, want) in cases {
            assert_eq!(tame(line), want);
        }
    }

    #[test]
    fn an_id_fills_its_column() {
        assert_eq!(id_cell("ab", 4), "ab  ");
        assert_eq!(id_cell("abcdef", 4), "abcd");
    }
}

//! Which lines of a Dockerfile a part of a build comes from, and how they are shown.

use std::ops::RangeInclusive;

use super::instructions::{Instruction, read};

/// Lines shown before and after those that are meant.
const AROUND: usize = 2;

/// Finds the lines of a vertex, by its name: `[stage 2/3] RUN make` is the second part of that stage.
pub(super) fn of_vertex(text: &str, name: &str) -> Option<RangeInclusive<usize>> {
    let (place, words) = name.strip_prefix('[')?.split_once("] ")?;
    let mut places = place.rsplit(' ');
    let number: usize = places.next()?.split_once('/')?.0.parse().ok()?;
    // Where there are several platforms, they stand first.
    let stage = places.next().filter(|stage| !stage.contains('/'));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let instructions = read(&lines);
    let stages = stages(&instructions);
    let parts = match stage {
        None => &stages.last()?.parts,
        Some(name) => &stages.iter().find(|stage| stage.name == name)?.parts,
    };
    let instruction = parts.get(number.checked_sub(1)?)?;
    let is_same = words.split(' ').next() == Some(instruction.word.as_str());
    is_same.then_some(instruction.line..=instruction.last_line)
}

/// Finds the line that a message names: `dockerfile parse error line 2: …`.
pub(super) fn of_message(text: &str, message: &str) -> Option<RangeInclusive<usize>> {
    let (_, rest) = message
        .split_once("parse error line ")
        .or_else(|| message.split_once("parse error on line "))?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let line = digits.parse::<usize>().ok()?.checked_sub(1)?;
    (line < text.lines().count()).then_some(line..=line)
}

/// Draws lines with their numbers, a mark before those that are meant, and some around them.
pub(super) fn draw(text: &str, meant: RangeInclusive<usize>) -> String {
    let shown = meant.start().saturating_sub(AROUND)..=meant.end().saturating_add(AROUND);
    let lines = text
        .lines()
        .enumerate()
        .filter(|(index, _)| shown.contains(index));
    let line = |(index, line): (usize, &str)| {
        let mark = if meant.contains(&index) { ">>>" } else { "   " };
        format!("{:4} | {mark} {line}\n", index + 1)
    };
    lines.map(line).collect()
}

/// A stage, with the instructions that become vertices.
struct Stage<'a> {
    name: String,
    parts: Vec<&'a Instruction>,
}

fn stages(instructions: &[Instruction]) -> Vec<Stage<'_>> {
    let mut stages: Vec<Stage<'_>> = Vec::new();
    for instruction in instructions {
        match instruction.word.as_str() {
            "FROM" => {
                let name = format!("stage-{}", stages.len());
                let (base, own) = base_and_name(instruction);
                let is_image = base != "scratch" && !stages.iter().any(|it| it.name == base);
                stages.push(Stage {
                    name: own.unwrap_or(name),
                    parts: if is_image {
                        vec![instruction]
                    } else {
                        Vec::new()
                    },
                });
            }
            "RUN" | "COPY" | "ADD" | "WORKDIR" => {
                if let Some(stage) = stages.last_mut() {
                    stage.parts.push(instruction);
                }
            }
            _ => {}
        }
    }
    stages
}

fn base_and_name(from: &Instruction) -> (String, Option<String>) {
    let mut words = from.script_text().split_whitespace();
    let base = words.next().unwrap_or_default().to_lowercase();
    let name = words.next().filter(|word| word.eq_ignore_ascii_case("as"));
    (base, name.and_then(|_| words.next()).map(str::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vertex_is_found_by_its_stage_and_number() {
        let one = "# c\nFROM a\nENV x=1\nRUN a \\\n  b\nWORKDIR /x\nRUN last\n";
        let two =
            "FROM a AS Build\nRUN one\nFROM scratch\nCOPY --from=build a b\nFROM build\nRUN two\n";
        for (text, name, expected) in [
            (one, "[1/4] FROM docker.io/library/a", Some(1..=1)),
            (one, "[2/4] RUN a   b", Some(3..=4)),
            (one, "[4/4] RUN last", Some(6..=6)),
            (one, "[4/4] COPY last", None),
            (one, "[internal] load build context", None),
            (one, "exporting to image", None),
            (two, "[build 2/2] RUN one", Some(1..=1)),
            (two, "[linux/arm64 build 2/2] RUN one", Some(1..=1)),
            (two, "[stage-1 1/1] COPY --from=build a b", Some(3..=3)),
            (two, "[stage-2 1/1] RUN two", Some(5..=5)),
        ] {
            assert_eq!(of_vertex(text, name), expected, "{name}");
        }
    }

    #[test]
    fn a_message_names_its_line() {
        let text = "FROM a\nRUNN x\n";
        let error = "failed to solve: dockerfile parse error line 2: unknown instruction: RUNN";
        assert_eq!(of_message(text, error), Some(1..=1));
        assert_eq!(of_message(text, "dockerfile parse error line 9: x"), None);
        assert_eq!(of_message(text, "exit code: 2"), None);
        assert_eq!(draw(text, 1..=1), "   1 |     FROM a\n   2 | >>> RUNN x\n");
    }
}

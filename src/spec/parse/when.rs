//! Ids and `when`: which steps there are, and which of them wait for which.

use super::codes;
use super::reader::{Entry, Field, Reader};
use crate::spec::When;
use crate::text::{Diagnostic, Span, did_you_mean};
use std::collections::{HashMap, HashSet};

/// The id that ACR keeps for the root of its graph.
const ROOT: &str = "acb_root";

/// A name is compared with this many others to find the one that was meant.
const MOST_CANDIDATES: usize = 1_000;

/// An id and a `when` that are read, but not yet compared with those of the other steps.
pub(super) struct Link {
    /// The id.
    pub id: String,
    /// Where it is given, or where the step is.
    pub span: Span,
    /// The ids waited for, each with its place.
    pub when: Vec<(String, Span)>,
}

/// Reads the `id` of the step at `index`; without one it is made from the index.
pub(super) fn id(reader: &mut Reader<'_>, field: Option<Field<'_>>, index: usize) -> String {
    let Some((field, id)) = field.zip(reader.owned(field)) else {
        return format!("acb_step_{index}");
    };
    let error = |message: String| Diagnostic::error(codes::STEP_ID, message).at(field.span());
    if id == ROOT {
        let finding = error(format!("{ROOT} is a reserved ID, it can't be used"));
        reader.report(finding.help("choose another id"));
    }
    if id.contains(char::is_whitespace) {
        let joined = id.split_whitespace().collect::<Vec<_>>().join("-");
        let finding = error("step ID cannot contain spaces".to_owned());
        reader.report(finding.help(format!("write `id: {joined}`")));
    }
    id
}

/// Keeps what a `when` says until all ids are known.
pub(super) fn entries(entries: Vec<Entry<'_>>) -> Vec<(String, Span)> {
    let owned = entries
        .into_iter()
        .map(|entry| (entry.text.into_owned(), entry.span));
    owned.collect()
}

/// Compares the steps with each other, in file order: each id once, each `when` naming earlier steps.
pub(super) fn resolve(reader: &mut Reader<'_>, links: &[Link]) -> Vec<When> {
    let mut places: HashMap<&str, (usize, Span)> = HashMap::with_capacity(links.len());
    for (index, link) in links.iter().enumerate() {
        match places.get(link.id.as_str()) {
            Some((_, first)) => reader.report(duplicate(link, *first)),
            None => drop(places.insert(&link.id, (index, link.span))),
        }
    }
    let steps = Steps { links, places };
    (0..links.len())
        .map(|index| steps.when(reader, index))
        .collect()
}

fn duplicate(link: &Link, first: Span) -> Diagnostic {
    let finding = Diagnostic::error(
        codes::STEP_ID,
        format!("{} already exists as a vertex", link.id),
    );
    let finding = finding
        .at(link.span)
        .also(first, "the first step with this id is here");
    finding.help(
        "give each step an id of its own; a step without one is called `acb_step_` and its index",
    )
}

struct Steps<'l> {
    links: &'l [Link],
    places: HashMap<&'l str, (usize, Span)>,
}

impl Steps<'_> {
    fn when(&self, reader: &mut Reader<'_>, index: usize) -> When {
        let link = &self.links[index];
        match link.when.as_slice() {
            [] => return When::Previous,
            [(only, _)] if only == "-" => return When::Immediately,
            _ => {}
        }
        let mut seen = HashSet::new();
        let mut parents = Vec::with_capacity(link.when.len());
        for (id, span) in &link.when {
            if !seen.insert(id.as_str()) && id != "-" {
                let message = format!("`{id}` is named twice; once is enough");
                reader.report(Diagnostic::warning(codes::REPEATED, message).at(*span));
            } else if let Some(finding) = self.refusal(reader, index, id) {
                reader.report(finding.at(*span));
            } else {
                parents.push(id.clone());
            }
        }
        When::After(parents)
    }

    /// Says why a step cannot wait for an id.
    fn refusal(&self, reader: &mut Reader<'_>, index: usize, id: &str) -> Option<Diagnostic> {
        let link = &self.links[index];
        let error = |message: String| Diagnostic::error(codes::WHEN, message);
        if id == "-" {
            let message = "step cannot contain other IDs in when if the immediate execution token is specified";
            return Some(error(message.to_owned()).help("remove the `-`, or all other ids"));
        }
        if id == link.id {
            return Some(
                error(format!("Step ID: {id} is self-referenced"))
                    .help("a step cannot wait for itself"),
            );
        }
        let message = format!(
            "{id} does not exist as a vertex [from: {id}, to: {}]",
            link.id
        );
        match self.places.get(id) {
            Some((earlier, _)) if *earlier < index => None,
            Some((_, later)) => Some(
                error(message)
                    .label("a step can only wait for steps above it")
                    .also(*later, "it is declared later, here")
                    .help("move the step that is waited for up, above this one"),
            ),
            None => {
                let earlier = self.links[..index].iter().rev().take(MOST_CANDIDATES);
                let earlier = earlier.map(|link| link.id.as_str());
                let near = reader
                    .may_suggest()
                    .then(|| did_you_mean(id, earlier))
                    .flatten();
                let finding = error(message).label("there is no step with this id");
                Some(match near {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding.help("name a step above this one by its `id`"),
                })
            }
        }
    }
}

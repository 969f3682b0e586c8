//! Follows a build from its last stage to everything that it needs.

use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
};

use super::{
    Base, Bases, Dockerfile, Kind, Options, SCRATCH, Source, Stage, Word, variables::Variables,
};
use crate::text::{Diagnostic, Diagnostics, did_you_mean};

/// Finds the images that a build needs.
pub(super) fn bases(file: &Dockerfile, options: &Options) -> (Option<Bases>, Diagnostics) {
    let mut found = Diagnostics::default();
    let variables = Variables::new(file, options, &mut found);
    let origins = origins(file, &variables, &mut found);
    let Some(target) = target(file, options, &mut found) else {
        return (None, found);
    };
    let mut walk = Walk {
        file,
        variables: &variables,
        origins: &origins,
        found,
        places: Vec::new(),
        edges: Vec::new(),
    };
    walk.from(target);
    walk.check_circles();
    walk.syntax();
    let found = walk.found;
    let mut places = walk.places;
    let first = first_stage(&origins, target);
    let runtime = file.stages[first].image.span;
    for place in &mut places {
        place.is_runtime = place.kind == Kind::From && place.span == runtime;
    }
    places.sort_by_key(|place| place.span);
    // A trigger that fires in two stages stands in the file once.
    places.dedup_by_key(|place| place.span);
    let is_good = !found.has_errors();
    (is_good.then_some(Bases { places }), found)
}

/// What a stage begins with.
#[derive(Debug)]
enum Origin {
    /// A stage before it.
    Stage(usize),
    /// An image from outside.
    Image(String),
    Scratch,
    /// Something that was found wrong.
    Unknown,
}

fn origins(file: &Dockerfile, variables: &Variables<'_>, found: &mut Diagnostics) -> Vec<Origin> {
    let mut names = Names::default();
    let stages = file.stages.iter().enumerate();
    let origin = |(index, stage): (usize, &Stage)| {
        let origin = match variables.fill(&stage.image, found) {
            None => Origin::Unknown,
            Some(name) => match names.find(&name) {
                Some(earlier) => Origin::Stage(earlier),
                None if name == SCRATCH => Origin::Scratch,
                None => Origin::Image(name),
            },
        };
        names.add(stage, index);
        origin
    };
    stages.map(origin).collect()
}

/// Stages by name, in any case; of two with one name the later counts.
#[derive(Default)]
struct Names(std::collections::HashMap<String, usize>);

impl Names {
    fn of(file: &Dockerfile) -> Self {
        let mut names = Self::default();
        for (index, stage) in file.stages.iter().enumerate() {
            names.add(stage, index);
        }
        names
    }

    fn add(&mut self, stage: &Stage, index: usize) {
        if let Some(name) = &stage.name {
            self.0.insert(name.text.to_ascii_lowercase(), index);
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.get(&name.to_ascii_lowercase()).copied()
    }
}

/// The stage to stop at, by name or number.
fn target(file: &Dockerfile, options: &Options, found: &mut Diagnostics) -> Option<usize> {
    let Some(wanted) = &options.target else {
        return file.stages.len().checked_sub(1);
    };
    let number = || {
        wanted
            .parse()
            .ok()
            .filter(|index| *index < file.stages.len())
    };
    if let Some(stage) = Names::of(file).find(wanted).or_else(number) {
        return Some(stage);
    }
    let names = file.stages.iter().filter_map(|stage| stage.name.as_ref());
    let names: Vec<&str> = names.map(|name| name.text.as_str()).collect();
    let mut finding = Diagnostic::error(
        "no-target",
        format!("there is no stage {wanted} to stop at"),
    );
    match did_you_mean(wanted, names.iter().copied()) {
        Some(meant) => finding = finding.help(format!("did you mean {meant}?")),
        None if names.is_empty() => finding = finding.help("name one: FROM image AS name"),
        None => finding = finding.help(format!("the stages are {}", names.join(", "))),
    }
    found.push(finding);
    None
}

/// Follows stages that begin with stages down to the one that does not.
fn first_stage(origins: &[Origin], mut stage: usize) -> usize {
    while let Origin::Stage(earlier) = origins[stage] {
        stage = earlier;
    }
    stage
}

struct Walk<'a> {
    file: &'a Dockerfile,
    variables: &'a Variables<'a>,
    origins: &'a [Origin],
    found: Diagnostics,
    places: Vec<Base>,
    /// Which stage needs which other, and where it says so.
    edges: Vec<(usize, usize, &'a Word)>,
}

impl<'a> Walk<'a> {
    /// Visits the stage and everything it needs, each once.
    fn from(&mut self, target: usize) {
        let names = Names::of(self.file);
        let mut seen = vec![false; self.file.stages.len()];
        let mut open = vec![target];
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            let first_edge = self.edges.len();
            self.stage(index, &names);
            open.extend(self.edges[first_edge..].iter().map(|edge| edge.1));
        }
    }

    fn stage(&mut self, index: usize, names: &Names) {
        let stage: &'a Stage = &self.file.stages[index];
        let mut triggers: &[Source] = &[];
        match &self.origins[index] {
            Origin::Stage(earlier) => {
                self.edges.push((index, *earlier, &stage.image));
                triggers = &self.file.stages[*earlier].triggers;
            }
            Origin::Image(name) => {
                let platform = stage.platform.as_ref();
                let platform = platform.and_then(|it| self.variables.fill(it, &mut self.found));
                self.place(name.clone(), &stage.image, Kind::From, platform);
            }
            Origin::Scratch | Origin::Unknown => {}
        }
        for source in triggers.iter().chain(&stage.sources) {
            self.source(index, source, names);
        }
    }

    fn source(&mut self, index: usize, source: &'a Source, names: &Names) {
        let word = &source.word;
        if source.kind == Kind::Copy
            && let Ok(number) = word.text.parse::<usize>()
        {
            match number < self.file.stages.len() {
                true => self.edges.push((index, number, word)),
                false => self.found.push(self.no_such_number(word)),
            }
        } else if let Some(stage) = names.find(&word.text) {
            self.edges.push((index, stage, word));
        } else if word.text.contains('$') {
            self.found.push(variable_source(word));
        } else if word.text != SCRATCH {
            self.place(word.text.clone(), word, source.kind, None);
        }
    }

    fn place(&mut self, image: String, word: &Word, kind: Kind, platform: Option<String>) {
        self.places.push(Base {
            image,
            span: word.span,
            kind,
            platform,
            is_runtime: false,
        });
    }

    fn syntax(&mut self) {
        if let Some(word) = &self.file.syntax {
            self.place(word.text.clone(), word, Kind::Syntax, None);
        }
    }

    fn no_such_number(&self, word: &Word) -> Diagnostic {
        let last = self.file.stages.len() - 1;
        Diagnostic::error(
            "no-stage-number",
            format!("there is no stage {}", word.text),
        )
        .at(word.span)
        .help(format!("stages count from 0, the last is {last}"))
    }

    /// Refuses stages that need themselves, at one place that says so.
    fn check_circles(&mut self) {
        let mut graph = DiGraph::<(), ()>::with_capacity(self.file.stages.len(), self.edges.len());
        for _ in &self.file.stages {
            graph.add_node(());
        }
        for (from, to, _) in &self.edges {
            graph.add_edge(NodeIndex::new(*from), NodeIndex::new(*to), ());
        }
        let mut circle_of = vec![0; self.file.stages.len()];
        for (number, circle) in kosaraju_scc(&graph).iter().enumerate() {
            circle
                .iter()
                .for_each(|node| circle_of[node.index()] = number);
        }
        // Only a source can name a stage that does not stand before its own.
        let mut forward = self.edges.iter().filter(|edge| edge.1 >= edge.0);
        let closing = forward.find(|edge| circle_of[edge.0] == circle_of[edge.1]);
        if let Some((_, _, word)) = closing {
            let message = format!("a stage that takes from {} is needed to make it", word.text);
            let finding = Diagnostic::error("circle", message);
            self.found.push(finding.at(word.span));
        }
    }
}

fn variable_source(word: &Word) -> Diagnostic {
    Diagnostic::error("variable-source", "no variable is filled in here")
        .at(word.span)
        .help(format!(
            "make it a stage, FROM {} AS name, and take from that",
            word.text
        ))
}

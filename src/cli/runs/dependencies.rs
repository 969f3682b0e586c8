//! What the builds of a run stand on, gathered from its steps.

use comfy_table::{Table, presets};
use serde_json::Value;

use crate::{
    ports::StepRow,
    spec::dependencies::{Dependencies, ImageRecord},
};

/// Lists what each image that was built stands on; an image that was pushed has its digest.
pub(super) fn of(steps: &[StepRow]) -> Vec<Dependencies> {
    let entries = |step: &StepRow| step.images.as_array().cloned().unwrap_or_default();
    let all: Vec<Value> = steps.iter().flat_map(entries).collect();
    let read = |entry: &Value| serde_json::from_value(entry["dependencies"].clone()).ok();
    let built: Vec<Vec<Dependencies>> = all.iter().filter_map(read).collect();
    let mut built: Vec<Dependencies> = built.into_iter().flatten().collect();
    for entry in &all {
        let (image, digest) = (entry["image"].as_str(), entry["digest"].as_str());
        if let Some(pushed) = image.and_then(|image| ImageRecord::of(image, digest)) {
            let images = built.iter_mut().filter_map(|it| it.image.as_mut());
            images
                .filter(|image| is_same(image, &pushed))
                .for_each(|image| image.digest.clone_from(&pushed.digest));
        }
    }
    built
}

fn is_same(one: &ImageRecord, other: &ImageRecord) -> bool {
    (&one.registry, &one.repository, &one.tag) == (&other.registry, &other.repository, &other.tag)
}

/// Prints a row for each base of each image.
pub(super) fn print(dependencies: &[Dependencies]) {
    if dependencies.is_empty() {
        return;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["IMAGE", "STANDS ON", "AT", "DIGEST"]);
    for it in dependencies {
        let image = it.image.as_ref().map_or("–", |image| &image.reference);
        let runtime = it.runtime_dependency.iter().map(|base| (base, "run time"));
        let buildtime = it.buildtime_dependency.iter().flatten();
        let buildtime = buildtime.map(|base| (base, "build time"));
        for (base, at) in runtime.chain(buildtime) {
            let digest = match base.digest.as_str() {
                "" if base.repository == "library/scratch" => "–",
                "" => "unknown",
                digest => digest,
            };
            let cells = [image, &base.reference, at, digest];
            table.add_row(cells.map(|cell| cell.replace(char::is_control, " ")));
        }
    }
    anstream::println!("\n{}", table.trim_fmt());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;
    use crate::{
        engine::StepStatus,
        ports::StepRow,
        spec::dependencies::{KnownBase, record},
    };

    fn row(step: u32, kind: &str, images: serde_json::Value) -> StepRow {
        StepRow {
            step,
            id: kind.to_owned(),
            kind: kind.to_owned(),
            status: StepStatus::Succeeded,
            ignored: false,
            attempts: 1,
            exit_code: Some(0),
            reason: None,
            started_at: None,
            ended_at: None,
            images,
        }
    }

    #[test]
    fn an_image_that_was_pushed_has_its_digest() {
        let base = KnownBase {
            image: "busybox:latest".to_owned(),
            digest: None,
            unknown: None,
            is_runtime: true,
        };
        let tags = ["r.io/a".to_owned(), "r.io/b".to_owned()];
        let record = record(&tags, &[base], "");
        let steps = [
            row(0, "cmd", json!({ "id": "i" })),
            row(
                1,
                "build",
                json!([{ "image": tags, "id": "i", "dependencies": record }]),
            ),
            row(
                2,
                "push",
                json!([{ "image": "r.io/a:latest", "digest": "sha256:p" }]),
            ),
        ];
        let digests: Vec<String> = of(&steps)
            .into_iter()
            .filter_map(|it| Some(it.image?.digest))
            .collect();
        assert_eq!(digests, ["sha256:p", ""]);
    }
}

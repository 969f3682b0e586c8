//! The record of what a build stands on reads word for word as ACR writes it.

use careen::{
    dockerfile::{Dockerfile, Options},
    spec::dependencies::{BaseImage, ImageRecord, KnownBase, base_images, record},
    text::Diagnostics,
};
use serde_json::{Value, json};

fn images(text: &str) -> (Vec<BaseImage>, Diagnostics) {
    let (file, _) = Dockerfile::read(text);
    let (bases, _) = file.expect(text).bases(&Options::default());
    base_images(&bases.expect(text))
}

/// The record of a build by this Dockerfile; every base has the digest `D`.
fn recorded(text: &str, tags: &[&str]) -> Value {
    let known: Vec<KnownBase> = images(text)
        .0
        .iter()
        .map(|it| it.with_digest(Some("D")))
        .collect();
    let tags: Vec<String> = tags.iter().map(|it| (*it).to_owned()).collect();
    json!(record(&tags, &known, "abc"))
}

fn hub(name: &str, tag: &str, reference: &str) -> Value {
    json!({ "registry": "registry.hub.docker.com", "repository": name, "tag": tag, "digest": "D", "reference": reference })
}

#[test]
fn there_is_one_element_for_each_name_of_the_image() {
    let text = "FROM golang AS b\nFROM r.io/base:2\nCOPY --from=b x y";
    let image = |tag: &str| json!({ "registry": "r.io", "repository": "app", "tag": tag, "digest": "", "reference": format!("r.io/app:{tag}") });
    let element = |image: Value| {
        json!({
            "image": image,
            "runtime-dependency": { "registry": "r.io", "repository": "base", "tag": "2", "digest": "D", "reference": "r.io/base:2" },
            "buildtime-dependency": [hub("library/golang", "latest", "golang:latest")],
            "git": { "git-head-revision": "abc" },
        })
    };
    let both = recorded(text, &["r.io/app:1", "r.io/app"]);
    assert_eq!(both, json!([element(image("1")), element(image("latest"))]));
    assert_eq!(recorded(text, &[]), json!([element(Value::Null)]));
    // The order of the keys, too.
    let text = both.to_string();
    assert!(
        text.starts_with(
            r#"[{"image":{"registry":"r.io","repository":"app","tag":"1","digest":"","reference":"#
        ),
        "{text}"
    );
}

#[test]
fn bases_are_filed_under_their_registry() {
    for (image, registry, repository, tag, digest) in [
        (
            "a",
            "registry.hub.docker.com",
            "library/a",
            Some("latest"),
            "",
        ),
        ("u/a:1", "registry.hub.docker.com", "u/a", Some("1"), ""),
        (
            "docker.io/library/a:1",
            "docker.io",
            "library/a",
            Some("1"),
            "",
        ),
        (
            "mcr.microsoft.com/x/y:2",
            "mcr.microsoft.com",
            "x/y",
            Some("2"),
            "",
        ),
        (
            "localhost:5000/a",
            "localhost:5000",
            "a",
            Some("latest"),
            "",
        ),
        ("r.io/a@sha256:DIGEST", "r.io", "a", None, "sha256:DIGEST"),
        (
            "r.io/a:1@sha256:DIGEST",
            "r.io",
            "a",
            Some("1"),
            "sha256:DIGEST",
        ),
    ] {
        let whole = |text: &str| text.replace("DIGEST", &"d".repeat(64));
        let record = ImageRecord::of(&whole(image), None).expect(image);
        assert_eq!(
            (record.registry.as_str(), record.repository.as_str()),
            (registry, repository)
        );
        assert_eq!(
            (record.tag.as_deref(), record.digest),
            (tag, whole(digest)),
            "{image}"
        );
        assert_eq!(
            json!(ImageRecord::of(&whole(image), None))
                .get("tag")
                .is_some(),
            tag.is_some()
        );
    }
}

#[test]
fn an_image_is_named_once_however_it_is_written() {
    let text = "FROM library/golang AS a\nFROM golang AS b\nFROM golang:latest AS c\nFROM scratch\n\
                COPY --from=a x y\nCOPY --from=b x y\nRUN --mount=from=c x";
    let (found, _) = images(text);
    assert_eq!((found.len(), found[0].spans.len()), (1, 3));
    let record = recorded(text, &[]);
    let buildtime = hub("library/golang", "latest", "library/golang:latest");
    assert_eq!(record[0]["buildtime-dependency"], json!([buildtime]));
    let scratch = json!({ "registry": "registry.hub.docker.com", "repository": "library/scratch", "tag": "latest", "digest": "", "reference": "scratch:latest" });
    assert_eq!(record[0]["runtime-dependency"], scratch);
}

#[test]
fn what_is_needed_to_build_and_to_run_is_only_needed_to_run() {
    let record = recorded(
        "FROM a AS b\nFROM --platform=linux/386 a\nCOPY --from=b x y",
        &[],
    );
    assert_eq!(
        record[0]["runtime-dependency"],
        hub("library/a", "latest", "a:latest")
    );
    assert_eq!(record[0]["buildtime-dependency"], Value::Null);
}

#[test]
fn what_is_no_reference_is_underlined() {
    for (text, marked) in [
        ("FROM A:1", "A:1"),
        ("FROM a:", "a:"),
        ("FROM a\nCOPY --from=Build x y", "Build"),
        (
            "FROM a\nRUN --mount=type=bind,from=a@sha256:1 x",
            "a@sha256:1",
        ),
    ] {
        let (_, found) = images(text);
        let span = found.iter().next().and_then(|it| it.span).expect(text);
        assert_eq!(&text[span.start..span.end], marked);
        assert!(found.has_errors());
    }
}

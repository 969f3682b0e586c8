//! The variables that every build has from its platforms.

use super::Options;

/// Names and values of the variables that stand for the platforms of a build; a build argument wins over them.
pub(super) fn variables(options: &Options) -> Vec<(String, String)> {
    let target = options.platform.as_deref();
    let target = target.unwrap_or(&options.build_platform);
    let mut variables = Vec::new();
    for (prefix, platform) in [
        ("BUILD", options.build_platform.as_str()),
        ("TARGET", target),
    ] {
        let mut parts = platform.splitn(3, '/');
        for (name, value) in [
            ("PLATFORM", Some(platform)),
            ("OS", parts.next()),
            ("ARCH", parts.next()),
            ("VARIANT", parts.next()),
        ] {
            variables.push((
                format!("{prefix}{name}"),
                value.unwrap_or_default().to_owned(),
            ));
        }
    }
    let stage = options.target.as_deref().unwrap_or("default");
    variables.push(("TARGETSTAGE".to_owned(), stage.to_owned()));
    for (name, value) in &mut variables {
        let given = options.build_args.iter().rfind(|given| given.0 == *name);
        if let Some((_, given)) = given {
            given.clone_into(value);
        }
    }
    variables
}

//! `careen task` on the local database, without a server.

use crate::{careens::Careen, cli::sh};

#[test]
fn a_task_is_created_changed_shown_and_deleted_and_its_history_stays() {
    let careen = Careen::new();
    careen
        .does(&["task", "create", "-n", "app", "-c", ".", "-f", "acb.yaml"])
        .exits(0);
    careen
        .does(&["task", "create", "-n", "app", "-c", ".", "-f", "acb.yaml"])
        .exits(2)
        .says(&["there is a task app already", "careen task update app"]);
    careen
        .does(&["task", "update", "app", "--timeout", "10m", "--set", "a=1"])
        .exits(0);
    careen.does(&["task", "disable", "app"]).exits(0);
    let shown = careen.json(&["task", "show", "app"]);
    assert_eq!(shown["version"], 3);
    assert_eq!(shown["definition"]["timeout_seconds"], 600);
    assert_eq!(shown["definition"]["status"], "disabled");
    careen
        .does(&["task", "diff", "app", "--from", "1"])
        .exits(0)
        .prints("~ timeout_seconds: 3600 -> 600");
    careen
        .does(&["task", "delete", "app"])
        .exits(2)
        .says(&["--yes"]);
    careen.does(&["task", "delete", "app", "--yes"]).exits(0);
    careen
        .does(&["task", "show", "app"])
        .exits(2)
        .says(&["no task app"]);
    let history = careen.json(&["task", "history", "app"]);
    assert_eq!(history.as_array().map(Vec::len), Some(4));
    assert_eq!(history[0]["definition"], serde_json::Value::Null);
}

#[test]
fn an_image_task_says_in_its_triggers_and_build_what_az_acr_task_says() {
    let careen = Careen::new();
    let words = "task create -n web -c https://example.com/web.git#main -f Dockerfile \
                 -t web:{{.Run.ID}} --arg A=b --registry r.io --commit-trigger-enabled true \
                 --schedule nightly:0_3_*_*_* --base-image-trigger-enabled true";
    let words: Vec<String> = words
        .split_whitespace()
        .map(|it| it.replace('_', " "))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let task = careen.json(&words)["definition"].clone();
    assert_eq!(task["build"]["images"][0], "web:{{.Run.ID}}");
    assert_eq!(task["build"]["arguments"]["A"], "b");
    let source = &task["triggers"]["source"][0];
    assert_eq!(source["repository"], "https://example.com/web.git");
    assert_eq!(source["branch"], "main");
    assert_eq!(task["triggers"]["timer"][0]["name"], "nightly");
    assert_eq!(task["triggers"]["timer"][0]["schedule"], "0 3 * * *");
    let list = careen.does(&["task", "list"]).exits(0);
    assert!(
        list.stdout.contains("BASE_IMAGE, SOURCE, TIMER"),
        "{}",
        list.stdout
    );
}

#[test]
fn a_folder_of_manifests_is_applied_and_a_broken_file_leaves_its_task_as_it_was() {
    let careen = Careen::new();
    careen.file("tasks/one.yaml", "yaml: 'steps: []'\n");
    careen.file("tasks/two.yaml", "yaml: 'steps: []'\npriority: 1\n");
    careen
        .does(&["task", "create", "-n", "by-hand", "--cmd", "busybox true"])
        .exits(0);
    careen
        .does(&["task", "apply", "-f", "tasks", "--dry-run"])
        .exits(0)
        .prints("+ one (new, from one.yaml)");
    careen
        .does(&["task", "apply", "-f", "tasks", "--yes"])
        .exits(0);
    careen
        .does(&["task", "apply", "-f", "tasks", "--yes"])
        .exits(0)
        .prints("nothing to change");
    careen.file("tasks/one.yaml", "yaml: [");
    careen.file("tasks/two.yaml", "yaml: 'steps: []'\npriority: 2\n");
    let applied = careen.does(&["task", "apply", "-f", "tasks", "--yes"]);
    applied
        .exits(2)
        .says(&["one.yaml", "stays as it was"])
        .prints("~ priority: 1 -> 2");
    std::fs::remove_file(careen.path("context/tasks/one.yaml")).unwrap();
    careen
        .does(&["task", "apply", "-f", "tasks", "--yes"])
        .exits(0)
        .prints("- one (its manifest is gone)");
    let names = careen.does(&["task", "list", "--quiet"]).exits(0).stdout;
    assert_eq!(names, "by-hand\ntwo\n");
}

#[test]
fn a_secret_value_is_neither_shown_nor_stored_in_clear_and_a_missing_one_is_refused() {
    let mut careen = Careen::new();
    careen.set("TOKEN", "hunter2-hunter2");
    let create = "task create -n app --cmd true --set-secret TOKEN";
    let words: Vec<&str> = create.split(' ').collect();
    let made = careen.does(&words).exits(0);
    assert!(!made.stdout.contains("hunter2"), "{}", made.stdout);
    for entry in std::fs::read_dir(careen.database().parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes.windows(7).any(|it| it == b"hunter2"));
    }
    careen.file("tasks/x.yaml", "yaml: 'steps: []'\nsecret_values: [KEY]\n");
    careen
        .does(&["task", "apply", "-f", "tasks", "--yes"])
        .exits(2)
        .says(&["no value was ever given for secret KEY"]);
}

#[test]
fn a_task_runs_with_its_values_and_what_the_run_sets_over_them() {
    let Some(mut careen) = Careen::on_docker() else {
        return;
    };
    careen.set("TOKEN", "s3cret-token");
    careen.steps(&sh(
        "one",
        "echo {{.Run.TaskName}} {{.Values.a}} {{.Values.b}} {{.Values.TOKEN}}",
        "",
    ));
    let create = "task create -n greet -c . -f acb.yaml --set a=1 --set b=2 --set-secret TOKEN";
    careen.does(&create.split(' ').collect::<Vec<_>>()).exits(0);
    let ran = careen
        .does(&["task", "run", "greet", "--set", "b=3"])
        .exits(0);
    assert_eq!(ran.stdout, "one | greet 1 3 ***\n");
    assert_eq!(careen.latest()["name"], "greet");
    careen.does(&["task", "disable", "greet"]).exits(0);
    careen
        .does(&["task", "run", "greet"])
        .exits(2)
        .says(&["is disabled", "careen task enable greet"]);
}

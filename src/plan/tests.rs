//! Claims about plans.

use super::{Format, Plan, critical_path, show};
use crate::spec::{EnvVar, Push, Step, StepKind, Task, When};

/// A step that pushes nothing, as plain as can be.
fn step(id: &str, when: When) -> Step {
    Step {
        id: id.to_owned(),
        when,
        ..Step::plain(StepKind::Push(Push::default()))
    }
}

fn after(id: &str, parents: &[&str]) -> Step {
    step(
        id,
        When::After(parents.iter().map(ToString::to_string).collect()),
    )
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan::new(Task {
        steps,
        ..Task::default()
    })
    .unwrap()
}

fn diamond() -> Plan {
    plan(vec![
        step("a", When::Previous),
        after("b", &["a"]),
        after("c", &["a"]),
        after("d", &["b", "c"]),
    ])
}

#[test]
fn a_step_without_when_waits_for_the_one_above_it() {
    let plan = plan(vec![
        step("a", When::Previous),
        step("b", When::Immediately),
        step("c", When::Previous),
    ]);
    assert_eq!(plan.parents(0).count(), 0);
    assert_eq!(plan.parents(1).count(), 0);
    assert_eq!(plan.parents(2).collect::<Vec<_>>(), [1]);
}

#[test]
fn naming_a_parent_twice_is_one_edge() {
    let plan = plan(vec![step("a", When::Previous), after("b", &["a", "a"])]);
    assert_eq!(plan.parents(1).collect::<Vec<_>>(), [0]);
}

#[test]
fn later_and_unknown_ids_make_no_plan() {
    let task = |steps| Task {
        steps,
        ..Task::default()
    };
    let late = Plan::new(task(vec![after("a", &["b"]), step("b", When::Immediately)]));
    assert_eq!(
        late.unwrap_err().to_string(),
        "b does not exist as a vertex [from: b, to: a]"
    );
    let twice = Plan::new(task(vec![
        step("a", When::Previous),
        step("a", When::Previous),
    ]));
    assert_eq!(
        twice.unwrap_err().to_string(),
        "a already exists as a vertex"
    );
}

#[test]
fn the_order_respects_the_graph_and_then_the_file() {
    assert_eq!(diamond().order(), [0, 1, 2, 3]);
    assert_eq!(diamond().levels(), [vec![0], vec![1, 2], vec![3]]);
}

#[test]
fn the_critical_path_follows_the_weights() {
    let path = critical_path(&diamond(), |step| [1, 2, 5, 1][step as usize]);
    assert_eq!((path.steps, path.weight), (vec![0, 2, 3], 7));
    assert!(critical_path(&plan(Vec::new()), |_| 1).steps.is_empty());
}

#[test]
fn only_steps_that_can_meet_another_have_peers() {
    assert_eq!(diamond().may_have_peers(), [false, true, true, false]);
    let mut service = step("web", When::Previous);
    service.detach = true;
    let served = plan(vec![
        step("a", When::Previous),
        service,
        step("b", When::Previous),
    ]);
    assert_eq!(served.may_have_peers(), [false, true, true]);
}

#[test]
fn every_format_names_every_step_and_hostile_ids_stay_inside_their_quotes() {
    let mut odd = step("\"];x", When::Previous);
    odd.env.push(EnvVar {
        name: "A".into(),
        value: "b".into(),
    });
    let plan = plan(vec![odd, step("<b>", When::Previous)]);
    insta::assert_snapshot!(show(&plan, Format::Dot), @r#"
    digraph plan {
      rankdir=LR;
      node [shape=box, fontname="sans-serif"];
      s0 [label="\"];x\npush ", penwidth=2];
      s1 [label="<b>\npush ", penwidth=2];
      s0 -> s1;
    }
    "#);
    insta::assert_snapshot!(show(&plan, Format::Mermaid), @r##"
    flowchart LR
      s0["#quot;];x<br/>push "]
      s1["#lt;b#gt;<br/>push "]
      s0 --> s1
    "##);
    insta::assert_snapshot!(show(&plan, Format::Text), @r#"
    2 steps in 2 levels; steps of one level may run at the same time.

    level 1
      "];x  push   

    level 2
      <b>   push     [after "];x]

    critical path: "];x → <b>
    "#);
}

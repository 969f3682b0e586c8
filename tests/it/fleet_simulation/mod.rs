//! Random fleets under random trouble: each input set is built once, bases first, and nothing is forgotten.

mod checks;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::Rng;
use world::World;

/// How many fleets are tried.
const FLEETS: u64 = 2000;
/// How much happens to each before calm returns.
const TROUBLES: usize = 150;

/// Lets anything happen, then lets everything come to rest, and compares the result with what it must be.
fn simulate(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..TROUBLES {
        happen(&mut world);
    }
    world.come_to_rest();
    world.check_nothing_is_forgotten();
}

fn happen(world: &mut World) {
    match world.random.random_range(0..100) {
        0..5 => world.move_base(),
        5..8 => world.roll_base_back(),
        8..11 => world.commit(),
        11..13 => world.push_by_hand(),
        13..15 => world.lose_old_image(),
        15..17 => world.ask_for_a_rebuild(),
        17..20 => world.retry_what_failed(),
        20..35 => world.hear_a_notification(),
        35..42 => world.record_a_slow_look(),
        42..62 => world.act(),
        62..95 => world.go_on_with_a_run(),
        _ => world.restart(),
    }
}

#[test]
fn every_fleet_is_built_once_in_order_and_to_the_end() {
    let failed: Vec<u64> = (0..FLEETS)
        .filter(|&seed| catch_unwind(AssertUnwindSafe(|| simulate(seed))).is_err())
        .collect();
    assert!(failed.is_empty(), "these seeds failed: {failed:?}");
}

#[test]
fn a_change_that_reaches_no_content_stops_at_the_first_images() {
    for seed in 0..FLEETS / 10 {
        let mut world = World::new(seed);
        world.come_to_rest();
        let (first, before) = (world.children_of_base(0), world.builds());
        world.move_base_without_change(0);
        world.come_to_rest();
        assert_eq!(world.builds() - before, first, "seed {seed}");
    }
}

#[test]
fn what_is_forgotten_of_the_past_changes_nothing_that_is_known_of_the_present() {
    let forgotten: usize = (0..FLEETS / 10)
        .map(|seed| {
            let mut world = World::new(seed);
            for trouble in 0..TROUBLES {
                // Nobody asks again for what is forgotten: bases only move on.
                match world.random.random_range(0..100) {
                    0..6 => world.move_base(),
                    6..9 => world.commit(),
                    9..11 => world.push_by_hand(),
                    11..20 => world.hear_a_notification(),
                    20..25 => world.record_a_slow_look(),
                    25..55 => world.act(),
                    _ => world.go_on_with_a_run(),
                }
                if trouble % 10 == 9 {
                    world.forget_the_past();
                }
            }
            world.come_to_rest();
            world.check_nothing_is_forgotten();
            world.forgotten
        })
        .sum();
    assert!(forgotten > 1000, "only {forgotten} facts were forgotten");
}

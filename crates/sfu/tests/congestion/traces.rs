//! The traces of a call: steady, steps down and up, losses, jitter, others on the link.
//!
//! `cargo test -p taoyao-sfu --test congestion -- --nocapture` prints a row for each call.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::call::Call;
use crate::link::{Link, LinkConfig};

const MBIT: f64 = 1e6;
/// The bounds below hold for the first hundred; the first few are enough to see a change.
const SEEDS: u64 = 5;
/// More than any link here carries.
const PLENTY: f64 = 20.0 * MBIT;

/// A minute on the link, once for each seed.
fn minutes(name: &str, config: &LinkConfig) -> Vec<Call> {
    let calls = (0..SEEDS).map(|seed| {
        let mut call = Call::new(config.clone(), PLENTY, seed);
        call.run_until(60);
        print(name, &call);
        call
    });
    calls.collect()
}

#[expect(clippy::print_stdout, reason = "the table is for who asks for it by `--nocapture`")]
fn print(name: &str, call: &Call) {
    let [a, b, c, d] =
        [(5, 15), (15, 30), (30, 45), (45, 60)].map(|(from, to)| 100.0 * call.utilisation(from, to));
    let (mean, p95) = call.queue_ms(5, 60);
    println!(
        "{name:<24} used {a:>3.0} {b:>3.0} {c:>3.0} {d:>3.0} %   queue {mean:>3.0} ms, p95 {p95:>3.0} ms"
    );
}

fn assert_queue(call: &Call, mean_max: f64, p95_max: f64) {
    let (mean, p95) = call.queue_ms(5, 60);
    assert!(mean <= mean_max && p95 <= p95_max, "queue {mean:.0} ms, p95 {p95:.0} ms");
}

#[test]
fn a_steady_link_is_used_with_a_short_queue() {
    for (name, config) in [
        ("steady 500 kbit/s", LinkConfig::new(&[(0, 0.5 * MBIT)])),
        ("steady 2 Mbit/s", LinkConfig::new(&[(0, 2.0 * MBIT)])),
        ("steady 10 Mbit/s", LinkConfig::new(&[(0, 10.0 * MBIT)])),
    ] {
        for call in minutes(name, &config) {
            for from in [5, 15, 30, 45] {
                assert!(call.utilisation(from, from + 10) >= 0.8);
            }
            assert!(call.seconds_until(0, 0.8, true).is_some_and(|seconds| seconds <= 3.0));
            assert_queue(&call, 75.0, 220.0);
        }
    }
}

#[test]
fn a_step_down_is_followed_at_once() {
    for call in minutes("3 -> 1 Mbit/s", &LinkConfig::new(&[(0, 3.0 * MBIT), (30, MBIT)])) {
        assert!(call.seconds_until(30, 1.0, false).is_some_and(|seconds| seconds <= 2.0));
        assert!(call.queue_ms(33, 60).1 <= 200.0, "the queue has drained after 3 s");
        assert!(call.utilisation(35, 60) >= 0.75);
    }
}

#[test]
fn a_step_up_is_found_by_probes() {
    for call in minutes("1 -> 3 Mbit/s", &LinkConfig::new(&[(0, MBIT), (30, 3.0 * MBIT)])) {
        assert!(call.seconds_until(30, 0.8, true).is_some_and(|seconds| seconds <= 15.0));
        assert!(call.utilisation(45, 60) >= 0.8);
        assert_queue(&call, 60.0, 200.0);
    }
}

#[test]
fn random_loss_is_not_congestion() {
    let config = LinkConfig { loss: 0.05, ..LinkConfig::new(&[(0, 2.0 * MBIT)]) };
    for call in minutes("5 % random loss", &config) {
        assert!(call.utilisation(15, 60) >= 0.75);
        assert_queue(&call, 60.0, 200.0);
    }
}

#[test]
fn bursts_of_loss_are_lived_through() {
    let bursts = Some((Duration::from_secs(3), Duration::from_millis(150)));
    let config = LinkConfig { bursts, ..LinkConfig::new(&[(0, 2.0 * MBIT)]) };
    for call in minutes("150 ms lost every 3 s", &config) {
        assert!(call.utilisation(15, 60) >= 0.6);
    }
}

#[test]
fn jitter_is_not_congestion() {
    let config = LinkConfig { jitter: Duration::from_millis(30), ..LinkConfig::new(&[(0, 2.0 * MBIT)]) };
    for call in minutes("30 ms jitter", &config) {
        assert!(call.utilisation(15, 60) >= 0.75);
        assert_queue(&call, 80.0, 300.0);
    }
}

#[test]
fn a_short_buffer_that_drops_is_not_overrun() {
    let config = LinkConfig { queue: Duration::from_millis(30), ..LinkConfig::new(&[(0, 2.0 * MBIT)]) };
    for call in minutes("30 ms of buffer", &config) {
        assert!(call.utilisation(15, 60) >= 0.7);
        assert!(call.estimate(15, 60) <= 1.15 * 2.0 * MBIT);
    }
}

#[test]
fn what_others_take_is_left_to_them() {
    let config = LinkConfig { cross: Some((MBIT, 30, 45)), ..LinkConfig::new(&[(0, 3.0 * MBIT)]) };
    for call in minutes("1 of 3 Mbit/s taken", &config) {
        assert!(call.seconds_until(30, 1.0, false).is_some_and(|seconds| seconds <= 2.0));
        assert!(call.utilisation(50, 60) >= 0.65);
        assert_queue(&call, 75.0, 250.0);
    }
}

#[test]
fn two_calls_share_a_link() {
    let config = LinkConfig::new(&[(0, 4.0 * MBIT)]);
    let link = Rc::new(RefCell::new(Link::new(config.clone(), 1)));
    let mut calls = [1, 2].map(|seed| Call::over(link.clone(), config.clone(), PLENTY, seed));
    // The second begins ten seconds later; its clock runs on without it until then.
    for turn in 0..90_000 {
        calls[0].turn();
        if turn >= 10_000 { calls[1].turn() } else { calls[1].skip() }
    }
    let [first, second] = [0, 1].map(|n| calls[n].utilisation(40, 90));
    calls.iter().for_each(|call| print("one of two", call));
    assert!((0.8..=1.01).contains(&(first + second)), "{first:.2} and {second:.2}");
    assert!(first.min(second) >= 0.2 * (first + second), "{first:.2} and {second:.2}");
}

#[test]
fn what_is_wanted_is_found_while_less_is_sent() {
    for seed in 0..SEEDS {
        let mut call = Call::new(LinkConfig::new(&[(0, 0.6 * MBIT), (20, 5.0 * MBIT)]), PLENTY, seed);
        // A layer of 300 kbit/s is sent where one of 2 Mbit/s is wanted.
        call.set_source(0.3 * MBIT, 2.0 * MBIT);
        call.run_until(60);
        print("300 kbit/s of 5 Mbit/s", &call);
        assert!(call.estimate(10, 20) <= 0.9 * MBIT, "{}", call.estimate(10, 20));
        assert!(call.estimate(35, 60) >= 1.9 * MBIT, "{}", call.estimate(35, 60));
        assert!(call.estimate(35, 60) <= 3.0 * MBIT, "no more is looked for than is wanted");
    }
}

#[test]
fn silence_lowers_the_estimate_and_feedback_raises_it_again() {
    let mut call = Call::new(LinkConfig::new(&[(0, 2.0 * MBIT)]), PLENTY, 1);
    call.run_until(20);
    call.is_deaf = true;
    call.run_until(25);
    call.is_deaf = false;
    call.run_until(60);
    print("5 s without feedback", &call);
    assert!(call.estimate(24, 25) <= 0.6 * MBIT, "{}", call.estimate(24, 25));
    assert!(call.utilisation(40, 60) >= 0.8);
}

#[test]
fn a_received_estimate_is_a_cap_for_a_while() {
    let mut call = Call::new(LinkConfig::new(&[(0, 2.0 * MBIT)]), PLENTY, 1);
    call.run_until(20);
    call.handle_remb(500_000);
    call.run_until(60);
    assert_eq!(call.estimate(21, 29), 500_000.0);
    assert!(call.utilisation(45, 60) >= 0.8);
}

//! Serving models that are down: they do not even answer golden texts in time.
//!
//! Certification has no time limit, and the item timeout has. So a model whose golden texts take longer than that is
//! certified, and is down from the first time that it is asked for one.

use std::sync::mpsc;
use std::time::Duration;

use inference::{Engine, Health, Outage, SubmitError};
use moderation::{
    BundleRole, DeploymentVersion, Flag, LabelOutcome, PartContent, ScoredEvent, UserText,
};

use crate::fixtures::{Model, PATIENCE, Shelf, TIME, comment, deployment, part, texts, workers};
use crate::graph::Quirk;

const SHORT_PATIENCE: Duration = Duration::from_millis(50);
const SLOW: &str = "somnolently good morning to all";
const CULPRIT: &str = "quizzaciously";

/// Fails on [`CULPRIT`], and takes too long over golden texts that have a certain word.
fn ailing(name: &'static str, golden: &[&'static str]) -> Model {
    let model = Model::new(name, 1).with_golden(golden);
    let slow_on = model.read("somnolently").ids[0];
    let fails_on = model.read(CULPRIT).ids[0];
    assert!(model.read(SLOW).ids.contains(&slow_on));
    model.with_quirk(Quirk::Ails { fails_on, slow_on })
}

fn engine(shelf: &Shelf, count: usize) -> Engine {
    let mut config = shelf.config();
    config.workers = workers(count);
    config.item_timeout = SHORT_PATIENCE;
    config.queue_capacity = 64;
    Engine::start(config).unwrap()
}

type Results = mpsc::Receiver<(usize, ScoredEvent)>;

/// Submits texts without waiting for their scores.
fn submit(engine: &Engine, texts: &[&str]) -> Results {
    let (sender, receiver) = mpsc::sync_channel(texts.len());
    for (number, text) in texts.iter().enumerate() {
        let sender = sender.clone();
        let done = move |scored| sender.send((number, scored)).unwrap();
        engine.submit(comment(number, text), TIME, done).unwrap();
    }
    receiver
}

/// Waits for as many scored events as were submitted, and sorts them as they were.
fn collect(results: &Results, count: usize) -> Vec<(usize, ScoredEvent)> {
    let next = |_| results.recv_timeout(PATIENCE).unwrap();
    let mut all: Vec<_> = (0..count).map(next).collect();
    all.sort_by_key(|(number, _)| *number);
    let numbers: Vec<usize> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..count).collect::<Vec<_>>());
    all
}

/// Waits until the engine says that a model is down, or that all are up.
fn wait_for(engine: &Engine, is_up: bool) -> Health {
    let mut health = engine.health();
    let reached = async {
        let wanted = |health: &Health| (*health == Health::Up) == is_up;
        health.wait_for(wanted).await.unwrap().clone()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let reached = async { tokio::time::timeout(PATIENCE, reached).await };
    runtime.block_on(reached).unwrap()
}

#[test]
fn what_needs_a_model_that_is_down_waits_and_goes_on_under_another_deployment() {
    for sick in [CULPRIT, "somnolently speaking"] {
        let shelf = Shelf::new();
        let engine = engine(&shelf, 1);
        let ailing = deployment([shelf.serve(&ailing("ailing", &[SLOW]))]);
        engine.deploy(DeploymentVersion(1), &ailing).unwrap();
        let mut events = vec![sick, "an innocent text", "another innocent text"];
        let first = submit(&engine, &events);
        let outage = Outage {
            bundle: "ailing 1.0.0".to_owned(),
            reason: "a golden text took too long".to_owned(),
        };
        assert_eq!(wait_for(&engine, false), Health::Down(outage));

        // As many as may wait are taken without waiting for the model.
        let long = "quizzaciously they play ".repeat(60);
        let mut more = texts(3, 60);
        more.push(long);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        let second = submit(&engine, &more);
        assert!(first.try_recv().is_err() && second.try_recv().is_err());
        assert_eq!(*engine.released().borrow(), DeploymentVersion(1));

        let healthy = Model::new("healthy", 2);
        let relief = deployment([shelf.serve(&healthy)]);
        engine.deploy(DeploymentVersion(2), &relief).unwrap();
        let mut results = collect(&first, 3);
        let second = collect(&second, more.len());
        results.extend(second);
        events.extend(more);
        for ((_, scored), text) in results.iter().zip(&events) {
            let expected = LabelOutcome::Scored(healthy.expected(text, 0));
            assert_eq!(scored.scores[0].outcome, expected);
            assert_eq!(scored.deployment_version, DeploymentVersion(2));
            assert_eq!(scored.bundles[0].name, "healthy");
        }
        wait_for(&engine, true);
        engine.stop();
        assert_eq!(*engine.released().borrow(), DeploymentVersion(2));
    }
}

#[test]
fn an_event_of_several_parts_begins_again_as_a_whole() {
    let shelf = Shelf::new();
    let engine = engine(&shelf, 1);
    let ailing = deployment([shelf.serve(&ailing("ailing", &[SLOW]))]);
    engine.deploy(DeploymentVersion(1), &ailing).unwrap();
    let long = "quizzaciously they play all day and night ".repeat(40);
    let mut content = comment("a", "an innocent text");
    let text = PartContent::Text(UserText::new(long.as_str()));
    content.parts.push(part("long", text));
    content.flags.push(Flag::UnknownEnumValue);
    let (sender, receiver) = mpsc::sync_channel(1);
    let done = move |scored: ScoredEvent| sender.send(scored).unwrap();
    engine.submit(content, TIME, done).unwrap();
    wait_for(&engine, false);
    let roomy = Model {
        max_windows: 64,
        ..Model::new("roomy", 2)
    };
    let relief = deployment([shelf.serve(&roomy)]);
    engine.deploy(DeploymentVersion(2), &relief).unwrap();
    let scored = receiver.recv_timeout(PATIENCE).unwrap();
    let expected = |text| LabelOutcome::Scored(roomy.expected(text, 0));
    let found = (scored.scores[0].outcome, scored.scores[2].outcome);
    assert_eq!(found, (expected("an innocent text"), expected(&long)));
    // The first model could not have read all of the long part, the second could.
    assert_eq!(scored.flags, [Flag::UnknownEnumValue]);
}

#[test]
fn work_goes_on_when_the_model_answers_again_and_only_the_culprit_fails() {
    let shelf = Shelf::new();
    let engine = engine(&shelf, 1);
    let golden = [SLOW, SLOW, SLOW, "good morning to all of you"];
    let model = ailing("ailing", &golden);
    let serving = deployment([shelf.serve(&model)]);
    engine.deploy(DeploymentVersion(1), &serving).unwrap();
    let events = [CULPRIT, "an innocent text", "another innocent text"];
    let results = submit(&engine, &events);
    wait_for(&engine, false);
    assert!(results.try_recv().is_err());
    wait_for(&engine, true);
    let results = collect(&results, 3);
    for ((number, scored), text) in results.iter().zip(events) {
        let expected = match number {
            0 => (LabelOutcome::Failed, vec![Flag::InferenceFailed]),
            _ => (LabelOutcome::Scored(model.expected(text, 0)), vec![]),
        };
        assert_eq!((scored.scores[0].outcome, scored.flags.clone()), expected);
    }
}

#[test]
fn stopping_gives_back_what_waits_for_a_model_that_is_down() {
    let shelf = Shelf::new();
    let engine = engine(&shelf, 2);
    let ailing = deployment([shelf.serve(&ailing("ailing", &[SLOW]))]);
    engine.deploy(DeploymentVersion(1), &ailing).unwrap();
    let results = submit(&engine, &[CULPRIT; 40]);
    wait_for(&engine, false);
    engine.stop();
    let nothing = results.try_recv().unwrap_err();
    assert_eq!(nothing, mpsc::TryRecvError::Disconnected);
    let refused = engine.submit(comment("late", "text"), TIME, |_| {});
    assert_eq!(refused, Err(SubmitError::Stopped));
}

#[test]
fn a_shadow_that_is_down_holds_up_nothing() {
    let shelf = Shelf::new();
    let engine = engine(&shelf, 1);
    let serving = Model::new("serving", 2);
    let shadow = ailing("shadow", &[SLOW]);
    let shadow = shelf.place(&shadow, BundleRole::Shadow);
    let both = deployment([shelf.serve(&serving), shadow]);
    engine.deploy(DeploymentVersion(1), &both).unwrap();
    let health = engine.health();
    for _ in 0..3 {
        let results = submit(&engine, &[CULPRIT]);
        let (_, scored) = &collect(&results, 1)[0];
        let expected = LabelOutcome::Scored(serving.expected(CULPRIT, 0));
        let found = (scored.scores[0].outcome, scored.scores[2].outcome);
        assert_eq!(found, (expected, LabelOutcome::Failed));
        assert_eq!(scored.flags, []);
        assert!(!health.has_changed().unwrap());
    }
}

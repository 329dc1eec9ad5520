//! A model that does not answer.

use std::time::{Duration, Instant};

use inference::Engine;
use moderation::{BundleRole, DeploymentVersion, Flag, LabelOutcome};

use crate::fixtures::{Model, PATIENCE, Shelf, TIME, comment, deployment, workers};
use crate::graph::Quirk;

#[test]
fn a_text_that_takes_too_long_times_out_and_the_next_is_scored() {
    let shelf = Shelf::new();
    let plain = Model::new("one", 1);
    let slow = "quizzaciously";
    let model = plain
        .clone()
        .with_quirk(Quirk::HangsOn(plain.read(slow).ids[0]));
    let mut config = shelf.config();
    config.workers = workers(1);
    config.item_timeout = Duration::from_millis(50);
    let engine = Engine::start(config).unwrap();
    engine
        .deploy(DeploymentVersion(1), &deployment([shelf.serve(&model)]))
        .unwrap();
    for round in 0..3 {
        let started = Instant::now();
        let scored = engine.score(comment(round, slow), TIME).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(50) && started.elapsed() < PATIENCE);
        assert!(
            scored
                .scores
                .iter()
                .all(|line| line.outcome == LabelOutcome::TimedOut)
        );
        assert_eq!(
            (scored.scores.len(), scored.flags),
            (2, vec![Flag::TimedOut])
        );

        let text = "a text that takes no time";
        let scored = engine.score(comment(round, text), TIME).unwrap();
        assert_eq!(
            scored.scores[0].outcome,
            LabelOutcome::Scored(model.expected(text, 0))
        );
        assert!(scored.flags.is_empty());
    }
}

#[test]
fn a_shadow_that_takes_too_long_or_fails_takes_nothing_away() {
    let text = "quizzaciously";
    let serving = Model::new("serving", 1);
    let shadow = Model::new("shadow", 2);
    let feature = shadow.read(text).ids[0];
    for (quirk, outcome) in [
        (Quirk::HangsOn(feature), LabelOutcome::TimedOut),
        (Quirk::FailsOn(feature), LabelOutcome::Failed),
    ] {
        let shelf = Shelf::new();
        let shadow = shelf.place(&shadow.clone().with_quirk(quirk), BundleRole::Shadow);
        let mut config = shelf.config();
        config.item_timeout = Duration::from_millis(50);
        let engine = Engine::start(config).unwrap();
        let both = deployment([shadow, shelf.serve(&serving)]);
        engine.deploy(DeploymentVersion(1), &both).unwrap();
        let scored = engine.score(comment("a", text), TIME).unwrap();
        let expected = LabelOutcome::Scored(serving.expected(text, 0));
        let found = (scored.scores[0].outcome, scored.scores[2].outcome);
        assert_eq!(found, (expected, outcome));
        assert_eq!(scored.flags, []);
    }
}

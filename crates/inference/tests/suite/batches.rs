//! Neighbours, cache, workers and the way an event takes change no score; a poisonous text harms only itself.

use std::sync::mpsc;

use inference::{Engine, EngineConfig};
use moderation::{BundleRole, ContentEvent, DeploymentVersion, Flag, LabelOutcome, ScoredEvent};

use crate::fixtures::{Model, PATIENCE, Shelf, TIME, comment, deployment, texts, workers};
use crate::graph::Quirk;

/// Submits everything at once and returns the scored events in the order of their numbers.
pub(crate) fn stream(engine: &Engine, contents: Vec<ContentEvent>) -> Vec<ScoredEvent> {
    let count = contents.len();
    let (sender, receiver) = mpsc::sync_channel(count);
    for (number, content) in contents.into_iter().enumerate() {
        let sender = sender.clone();
        engine
            .submit(content, TIME, move |scored| {
                sender.send((number, scored)).unwrap()
            })
            .unwrap();
    }
    let mut found: Vec<_> = (0..count)
        .map(|_| receiver.recv_timeout(PATIENCE).unwrap())
        .collect();
    found.sort_by_key(|(number, _)| *number);
    assert!(
        found
            .iter()
            .enumerate()
            .all(|(index, (number, _))| index == *number)
    );
    found.into_iter().map(|(_, scored)| scored).collect()
}

pub(crate) fn comments(texts: &[String]) -> Vec<ContentEvent> {
    texts
        .iter()
        .enumerate()
        .map(|(number, text)| comment(number, text))
        .collect()
}

#[test]
fn a_thousand_texts_score_the_same_in_the_stream_and_alone() {
    let shelf = Shelf::new();
    let model = Model::new("one", 1);
    let deployment = deployment([shelf.serve(&model)]);
    let mut texts = texts(11, 1000);
    for repeat in (0..1000).step_by(7) {
        texts[repeat] = texts[repeat / 2].clone();
    }
    let score_stream = |change: fn(&mut EngineConfig)| {
        let mut config = shelf.config();
        change(&mut config);
        let engine = Engine::start(config).unwrap();
        engine.deploy(DeploymentVersion(1), &deployment).unwrap();
        stream(&engine, comments(&texts))
    };
    let expected = score_stream(|_| {});
    for change in [
        |config: &mut EngineConfig| config.cache_entries = 0,
        |config: &mut EngineConfig| (config.cache_entries, config.batch_features) = (0, 1),
        |config: &mut EngineConfig| (config.cache_entries, config.window) = (0, 3),
        |config: &mut EngineConfig| config.workers = workers(5),
        |config: &mut EngineConfig| (config.cache_entries, config.queue_capacity) = (64, 2),
        |config: &mut EngineConfig| config.batch_wait = std::time::Duration::from_millis(2),
    ] {
        assert_eq!(score_stream(change), expected);
    }
    let engine = shelf.engine();
    engine.deploy(DeploymentVersion(1), &deployment).unwrap();
    for (content, (expected, text)) in comments(&texts)
        .into_iter()
        .zip(expected.iter().zip(&texts))
    {
        assert_eq!(engine.score(content, TIME).unwrap(), *expected);
        assert_eq!(
            expected.scores[1].outcome,
            LabelOutcome::Scored(model.expected(text, 1))
        );
    }
}

#[test]
fn scores_that_lean_on_neighbours_by_rounding_are_computed_again_alone() {
    let shelf = Shelf::new();
    // Moves probabilities by up to about a millionth, which flips the rounding of some of many texts.
    let model = Model::new("one", 1).with_quirk(Quirk::LeansOnNeighbours(2e-6));
    let deployment = deployment([shelf.serve(&model)]);
    let texts = texts(5, 400);
    let mut config = shelf.config();
    config.cache_entries = 0;
    let engine = Engine::start(config).unwrap();
    let models = engine.deploy(DeploymentVersion(1), &deployment).unwrap();
    let certification = &models[0].certification;
    assert!(certification.batch_deviation > 0.0, "{certification:?}");
    assert!(certification.epsilon > certification.batch_deviation);
    let together = stream(&engine, comments(&texts));
    for (content, expected) in comments(&texts).into_iter().zip(together) {
        assert_eq!(engine.score(content, TIME).unwrap(), expected);
    }
}

#[test]
fn what_the_cache_knows_of_one_bundle_is_joined_by_what_another_finds() {
    let shelf = Shelf::new();
    let (one, other) = (Model::new("one", 1), Model::new("other", 2));
    let serving = shelf.serve(&one);
    let shadow = shelf.place(&other, BundleRole::Shadow);
    let engine = shelf.engine();
    let text = "a question about something wonderful";
    let expected = |model: &Model| LabelOutcome::Scored(model.expected(text, 0));
    for (version, bundles) in [(1, vec![serving.clone()]), (2, vec![serving, shadow])] {
        let bundles = deployment(bundles);
        engine.deploy(DeploymentVersion(version), &bundles).unwrap();
        let scored = engine.score(comment(version, text), TIME).unwrap();
        assert_eq!(scored.scores.len(), 2 * version as usize);
        assert_eq!(scored.scores[0].outcome, expected(&one));
        for line in scored.scores.get(2).into_iter() {
            assert_eq!(line.outcome, expected(&other));
        }
    }
}

#[test]
fn a_text_that_the_model_cannot_score_fails_alone() {
    let poison = "quizzaciously";
    for quirk in [Quirk::FailsOn, Quirk::LosesItOn] {
        let shelf = Shelf::new();
        let plain = Model::new("one", 1);
        let feature = plain.read(poison).ids[0];
        let model = plain.with_quirk(quirk(feature));
        let engine = shelf.engine();
        engine
            .deploy(DeploymentVersion(1), &deployment([shelf.serve(&model)]))
            .unwrap();
        let mut texts = texts(3, 300);
        texts[150] = format!("{poison} or not");
        let found = stream(&engine, comments(&texts));
        for (number, (scored, text)) in found.iter().zip(&texts).enumerate() {
            let expected = match number {
                150 => (LabelOutcome::Failed, vec![Flag::InferenceFailed]),
                _ => (LabelOutcome::Scored(model.expected(text, 0)), vec![]),
            };
            let found = (scored.scores[0].outcome, scored.flags.clone());
            assert_eq!(found, expected, "{number}");
        }
    }
}

#[test]
fn what_was_submitted_is_finished_when_the_engine_stops() {
    let shelf = Shelf::new();
    let engine = shelf.engine();
    engine
        .deploy(
            DeploymentVersion(1),
            &deployment([shelf.serve(&Model::new("one", 1))]),
        )
        .unwrap();
    let (sender, receiver) = mpsc::sync_channel(500);
    for content in comments(&texts(9, 500)) {
        let sender = sender.clone();
        engine
            .submit(content, TIME, move |_| sender.send(()).unwrap())
            .unwrap();
    }
    engine.stop();
    drop(sender);
    assert_eq!(receiver.try_iter().count(), 500);
    let refused = engine.score(comment("late", "text"), TIME);
    assert_eq!(refused.unwrap_err(), inference::SubmitError::Stopped);
}

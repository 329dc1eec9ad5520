//! Deployments that change while events are scored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use moderation::{DeploymentVersion, LabelOutcome, ScoredEvent};

use crate::fixtures::{Model, PATIENCE, Shelf, TIME, comment, deployment, texts};

const SWAPS: u64 = 12;

#[test]
fn every_event_is_scored_once_under_one_deployment() {
    let shelf = Shelf::new();
    let models = [Model::new("even", 1), Model::new("odd", 2)];
    let deployments = models
        .clone()
        .map(|model| deployment([shelf.serve(&model)]));
    let engine = Arc::new(shelf.engine());
    engine
        .deploy(DeploymentVersion(2), &deployments[0])
        .unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::sync_channel::<(usize, ScoredEvent)>(64);
    let texts = Arc::new(texts(21, 64));
    let producers: Vec<_> = (0..3)
        .map(|producer| {
            let (engine, sender) = (Arc::clone(&engine), sender.clone());
            let (is_over, texts) = (Arc::clone(&is_over), Arc::clone(&texts));
            thread::spawn(move || {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let (number, sender) = (count * 3 + producer, sender.clone());
                    let content = comment(number, &texts[number % texts.len()]);
                    let done = move |scored| sender.send((number, scored)).unwrap();
                    engine.submit(content, TIME, done).unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    drop(sender);
    let swapper = {
        let engine = Arc::clone(&engine);
        thread::spawn(move || {
            for version in 3..3 + SWAPS {
                let deployment = &deployments[version as usize % 2];
                engine
                    .deploy(DeploymentVersion(version), deployment)
                    .unwrap();
            }
            is_over.store(true, Ordering::Relaxed);
        })
    };

    let mut seen = vec![];
    while let Ok((number, scored)) = receiver.recv_timeout(PATIENCE) {
        let model = &models[scored.deployment_version.0 as usize % 2];
        assert_eq!(scored.bundles.len(), 1);
        assert_eq!(scored.bundles[0].name, model.name);
        let expected = model.expected(&texts[number % texts.len()], 0);
        assert_eq!(scored.scores[0].outcome, LabelOutcome::Scored(expected));
        seen.push((number, scored.deployment_version));
    }
    swapper.join().unwrap();
    let submitted: usize = producers
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    seen.sort();
    let numbers: Vec<usize> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers.len(), submitted, "every event is completed once");
    assert!(
        numbers.windows(2).all(|pair| pair[0] != pair[1]),
        "no event is completed twice"
    );
    let mut versions: Vec<_> = seen.into_iter().map(|(_, version)| version).collect();
    versions.sort();
    versions.dedup();
    assert!(
        versions.len() > 2,
        "the swaps happened under traffic: {versions:?}"
    );
    assert_eq!(*engine.released().borrow(), DeploymentVersion(2 + SWAPS));
}

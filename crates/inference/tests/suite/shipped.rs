//! The bundles that ship, as they ship.

use std::path::PathBuf;

use inference::{Engine, EngineConfig, inspect};
use moderation::{BundleRole, DeployedBundle, DeploymentVersion, LabelOutcome, Support, UserText};

use crate::batches::{comments, stream};
use crate::fixtures::{TIME, deployment, texts, workers};

const NAMES: [&str; 2] = ["screen", "screen-lite"];

fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/models")
}

fn engine() -> Engine {
    let config = EngineConfig {
        bundle_directory: models(),
        workers: workers(2),
        ..EngineConfig::default()
    };
    Engine::start(config).unwrap()
}

fn deployed(name: &str, role: BundleRole) -> DeployedBundle {
    let inspection = inspect::inspect(&models().join(name)).unwrap();
    DeployedBundle {
        digest: inspection.digest,
        name: inspection.name,
        version: inspection.version,
        role,
        path: name.to_owned(),
    }
}

#[test]
fn they_are_certified_and_exactly_invariant() {
    for name in NAMES {
        let found = inspect::verify(&models().join(name), None, None).unwrap();
        assert_eq!(
            found.inspection.labels,
            ["hate", "harassment", "spam"],
            "{name}"
        );
        assert_eq!(found.certification.batch_deviation, 0.0, "{name}");
        assert_eq!(found.cpu_class, inference::cpu_class());
    }
}

#[test]
fn they_score_a_thousand_texts_the_same_in_the_stream_and_alone() {
    let engine = engine();
    let both = deployment([
        deployed(NAMES[0], BundleRole::Serving),
        deployed(NAMES[1], BundleRole::Shadow),
    ]);
    engine.deploy(DeploymentVersion(1), &both).unwrap();
    let texts = texts(31, 1000);
    let together = stream(&engine, comments(&texts));
    let others = self::engine();
    others.deploy(DeploymentVersion(1), &both).unwrap();
    for (content, expected) in comments(&texts).into_iter().zip(together) {
        assert_eq!(others.score(content, TIME).unwrap(), expected);
        assert_eq!(expected.scores.len(), 6);
        assert!(expected.scores[0].outcome.score().is_some());
    }
}

#[test]
fn people_see_the_scores_of_the_stream() {
    let text = "you are a wonderful friend and I love the garden";
    for name in NAMES {
        let found = inspect::score(&models().join(name), vec![UserText::new(text)], None).unwrap();
        assert_eq!(found[0].language.unwrap().as_str(), "en");
        assert_eq!((found[0].windows, found[0].scores.len()), (1, 3));
        let harassment = &found[0].scores[1];
        assert_eq!(harassment.support, Support::Supported);
        let LabelOutcome::Scored(score) = harassment.outcome else {
            panic!("{harassment:?}");
        };
        assert!(
            score.thousandths() < 500,
            "{name} takes a kind text for harassment: {score}"
        );
    }
}

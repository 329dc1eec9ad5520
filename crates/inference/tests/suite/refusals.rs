//! Bundles that are refused, with the reason, while what serves goes on serving.

use std::fs;
use std::path::Path;

use inference::Engine;
use inference::bundle::Bundle;
use moderation::{BundleDigest, DeployedBundle, DeploymentVersion, LabelOutcome};

use crate::fixtures::{Model, Shelf, TIME, comment, deployment};
use crate::graph::Quirk;

/// An engine on which a good bundle serves.
struct Served {
    shelf: Shelf,
    engine: Engine,
    good: Model,
}

impl Served {
    fn new() -> Self {
        let (shelf, good) = (Shelf::new(), Model::new("good", 1));
        let engine = shelf.engine();
        let deployment = deployment([shelf.serve(&good)]);
        engine.deploy(DeploymentVersion(1), &deployment).unwrap();
        Self {
            shelf,
            engine,
            good,
        }
    }

    fn refuses(&self, bundle: DeployedBundle, reason: &str) {
        let path = bundle.path.clone();
        let error = self
            .engine
            .deploy(DeploymentVersion(2), &deployment([bundle]))
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(reason), "{path}: {message}");
        assert!(!message.contains('\n'), "{message}");
        // A chain that is printed whole says nothing twice.
        assert!(std::error::Error::source(&error).is_none(), "{message}");
        assert_eq!(self.engine.deployment(), Some(DeploymentVersion(1)));
        let text = "good morning to you";
        let scored = self.engine.score(comment("a", text), TIME).unwrap();
        let expected = LabelOutcome::Scored(self.good.expected(text, 0));
        assert_eq!(
            (scored.scores[0].outcome, scored.deployment_version),
            (expected, DeploymentVersion(1))
        );
    }

    /// Damages a good bundle after its digest was taken.
    fn refuses_tampered(&self, tamper: impl FnOnce(&Path), reason: &str) {
        let bundle = self.shelf.serve(&Model::new("tampered", 3));
        tamper(&self.shelf.path().join("tampered"));
        self.refuses(bundle, reason);
        fs::remove_dir_all(self.shelf.path().join("tampered")).unwrap();
    }

    /// Damages a good bundle before its digest is taken.
    fn refuses_packaged(&self, change: impl FnOnce(&Path), reason: &str) {
        let mut bundle = self.shelf.serve(&Model::new("packaged", 3));
        let directory = self.shelf.path().join("packaged");
        change(&directory);
        if let Ok(changed) = Bundle::read(&directory) {
            bundle.digest = changed.digest().clone();
        } else {
            bundle.digest = self.digest_of(&directory);
        }
        self.refuses(bundle, reason);
    }

    /// Learns the digest of a bundle that cannot be read from the refusal of another.
    fn digest_of(&self, directory: &Path) -> BundleDigest {
        let pinned = BundleDigest::new("0".repeat(64)).unwrap();
        match Bundle::read_pinned(directory, &pinned).unwrap_err() {
            inference::bundle::BundleError::Digest { found, .. } => found,
            error => panic!("{error}"),
        }
    }
}

#[test]
fn files_that_are_not_the_pinned_ones_are_refused() {
    let served = Served::new();
    let model = |directory: &Path| directory.join("model.onnx");
    served.refuses_tampered(
        |directory| {
            let mut content = fs::read(model(directory)).unwrap();
            let middle = content.len() / 2;
            content[middle] ^= 1;
            fs::write(model(directory), content).unwrap();
        },
        "tampered has digest",
    );
    served.refuses_tampered(
        |directory| {
            let content = fs::read(model(directory)).unwrap();
            fs::write(model(directory), &content[..content.len() / 2]).unwrap();
        },
        "is pinned; restore its files",
    );
    served.refuses_tampered(
        |directory| fs::remove_file(model(directory)).unwrap(),
        "model.onnx",
    );
    served.refuses_tampered(
        |directory| {
            let file = directory.join("golden.jsonl");
            fs::rename(&file, directory.join("elsewhere")).unwrap();
            std::os::unix::fs::symlink(directory.join("elsewhere"), file).unwrap();
        },
        "golden.jsonl: it is a link",
    );
    let mut misnamed = served.shelf.serve(&Model::new("misnamed", 3));
    misnamed.version = "2.0.0".to_owned();
    served.refuses(
        misnamed,
        "names bundle misnamed 2.0.0, but its files are misnamed 1.0.0",
    );
}

#[test]
fn paths_out_of_the_bundle_directory_are_refused() {
    let served = Served::new();
    let outside = Shelf::new();
    let bundle = outside.serve(&Model::new("outside", 3));
    std::os::unix::fs::symlink(outside.path(), served.shelf.path().join("door")).unwrap();
    let absolute = outside.path().join("outside").display().to_string();
    for (path, reason) in [
        ("../outside", "`../outside` is not a plain relative path"),
        (absolute.as_str(), "is not a plain relative path"),
        (
            "door/outside",
            "`door/outside` leads out of the bundle directory",
        ),
        ("nowhere", "nowhere"),
    ] {
        let bundle = DeployedBundle {
            path: path.to_owned(),
            ..bundle.clone()
        };
        served.refuses(bundle, reason);
    }
}

#[test]
fn manifests_that_describe_no_servable_model_are_refused() {
    let served = Served::new();
    let check = |from: &'static str, to: &'static str, reason: &str| {
        let change = |directory: &Path| {
            let path = directory.join("model.toml");
            let manifest = fs::read_to_string(&path).unwrap();
            assert!(manifest.contains(from), "{from}");
            fs::write(path, manifest.replacen(from, to, 1)).unwrap();
        };
        served.refuses_packaged(change, reason);
    };
    check(
        "text-hashed-ngrams",
        "text-transformer",
        "unknown variant `text-transformer`",
    );
    check(
        "format = 1",
        "format = 2",
        "format is 2, this build reads 1",
    );
    check(
        "format = 1",
        "format = 1\ncolour = 3",
        "unknown field `colour`",
    );
    check(
        "[\"harassment\", \"spam\"]",
        "[\"spam\", \"spam\"]",
        "names `spam` twice",
    );
    check("[\"harassment\", \"spam\"]", "[]", "labels has 0 entries");
    check(
        "[\"harassment\", \"spam\"]",
        "[\"harassment\", \"spam\", \"hate\"]",
        "calibration.hate is missing",
    );
    check(
        "[calibration.spam]",
        "[calibration.hate]",
        "calibration.hate is for a label that labels does not name",
    );
    check(
        "slope = 1.5",
        "slope = -1.5",
        "needs a slope greater than 0",
    );
    check(
        "label = \"spam\"",
        "label = \"hate\"",
        "support names label `hate`",
    );
    check(
        "language = \"en\"",
        "language = \"de\"",
        "lists `harassment` in `de` twice",
    );
    check(
        "preprocessing = 1",
        "preprocessing = 9",
        "features.preprocessing is 9",
    );
    check(
        "logit_tolerance = 1e-4",
        "logit_tolerance = 1",
        "golden.logit_tolerance is 1",
    );
    check(
        "1.28.0",
        "1.27.0",
        "pins ONNX Runtime 1.27.0, 1.28.0 is loaded",
    );
    check(
        "ids = \"ids\"",
        "ids = \"tokens\"",
        "the graph's inputs are ids, lengths, owners",
    );
}

#[test]
fn golden_texts_that_are_not_met_are_refused() {
    let served = Served::new();
    let change = |change: fn(&str) -> String| {
        move |directory: &Path| {
            let path = directory.join("golden.jsonl");
            let golden = fs::read_to_string(&path).unwrap();
            fs::write(path, change(&golden)).unwrap();
        }
    };
    served.refuses_packaged(
        change(|golden| golden.replace("lovely", "dreadful")),
        "has logit",
    );
    served.refuses_packaged(
        change(|golden| golden.replacen("\"windows\":1", "\"windows\":2", 1)),
        "has 1 windows, expected 2",
    );
    served.refuses_packaged(change(|_| String::new()), "there is no text with a score");
    served.refuses_packaged(
        change(|golden| format!("{golden}{{\"text\":\"secret\"}}\n")),
        "line 4: no object with name",
    );
}

#[test]
fn graphs_that_cannot_be_served_are_refused() {
    let served = Served::new();
    let check = |quirk, reason: &str| {
        let bundle = served.shelf.serve(&Model::new("odd", 3).with_quirk(quirk));
        served.refuses(bundle, reason);
    };
    check(
        Quirk::OtherInputs,
        "the graph's inputs are lengths, owners, tokens, but the manifest says",
    );
    check(Quirk::OneLabelMore, "the graph's `logits` is Tensor");
    check(
        Quirk::LeansOnNeighbours(0.1),
        "with the other texts in its batch",
    );
    let golden_feature = Model::new("odd", 3).read("what a lovely day it is").ids[0];
    check(
        Quirk::LosesItOn(golden_feature),
        "answers NaN or infinity for label `harassment`",
    );
    check(
        Quirk::FailsOn(golden_feature),
        "inference failed with runtime code",
    );
    // The columns of the output are another label each than the golden texts say.
    let swap_columns = |directory: &Path| {
        let path = directory.join("golden.jsonl");
        let golden = fs::read_to_string(&path).unwrap();
        let mut swapped = String::new();
        for line in golden.lines() {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            for key in ["logits", "scores"] {
                line[key].as_array_mut().unwrap().reverse();
            }
            swapped += &format!("{line}\n");
        }
        fs::write(path, swapped).unwrap();
    };
    served.refuses_packaged(swap_columns, "has logit");
    let truncate = |directory: &Path| {
        let path = directory.join("model.onnx");
        let content = fs::read(&path).unwrap();
        fs::write(path, &content[..content.len() / 2]).unwrap();
    };
    served.refuses_packaged(truncate, "the runtime cannot load model.onnx");
}

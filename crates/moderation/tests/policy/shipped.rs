//! The policies in `deploy/policies` are what they say they are.

use std::path::{Path, PathBuf};

use moderation::policy::{CompiledPolicy, Policy, lint};
use moderation::{ActionKind, PolicyVersion};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies")
}

fn documents(directory: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let documents: Vec<_> = paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    assert!(!documents.is_empty());
    documents
}

#[test]
fn every_shipped_policy_is_free_of_findings() {
    let mut all = documents(&directory());
    all.extend(documents(&directory().join("examples")));
    for (path, document) in all {
        let policy =
            Policy::parse(&document).unwrap_or_else(|findings| panic!("{path:?}: {findings:#?}"));
        assert_eq!(lint(&policy), [], "{path:?}");
        CompiledPolicy::compile(&policy, PolicyVersion(1)).unwrap();
    }
}

#[test]
fn the_default_policy_is_safe_to_switch_on() {
    let document = std::fs::read_to_string(directory().join("default.toml")).unwrap();
    let policy = Policy::parse(&document).unwrap();
    let live: Vec<ActionKind> = policy
        .rules
        .iter()
        .filter(|rule| rule.acts())
        .flat_map(|rule| rule.actions.iter().chain(&rule.interim))
        .map(|action| action.kind)
        .collect();
    let harmless = [
        ActionKind::Demote,
        ActionKind::Label,
        ActionKind::FilterForTarget,
        ActionKind::LimitComments,
    ];
    assert!(!live.is_empty());
    assert!(live.iter().all(|kind| harmless.contains(kind)), "{live:?}");
}

//! Whether a set of bundles may become a deployment version, and what it changes.

use std::collections::{BTreeMap, BTreeSet};

use moderation::{BundleRole, DeployedBundle, Deployment};

/// More bundles than this no classifier holds in memory.
const MAX_BUNDLES: usize = 32;
/// Longest name, version or path of a bundle, in bytes.
const MAX_TEXT_BYTES: usize = 256;

/// Says what is wrong with a deployment, in people's words.
///
/// # Errors
/// The first thing that is.
pub(crate) fn check_deployment(deployment: &Deployment) -> Result<(), String> {
    let bundles = &deployment.bundles;
    if bundles.len() > MAX_BUNDLES {
        return Err(format!(
            "a deployment has at most {MAX_BUNDLES} bundles, not {}",
            bundles.len()
        ));
    }
    if !bundles
        .iter()
        .any(|bundle| bundle.role == BundleRole::Serving)
    {
        return Err("a deployment needs at least one bundle with the role serving".to_owned());
    }
    for bundle in bundles {
        check_texts(bundle)?;
    }
    check_unique(bundles, "path", |bundle| bundle.path.as_str())?;
    check_unique(bundles, "digest", |bundle| bundle.digest.as_str())
}

fn check_texts(bundle: &DeployedBundle) -> Result<(), String> {
    for (field, text) in [
        ("name", &bundle.name),
        ("version", &bundle.version),
        ("path", &bundle.path),
    ] {
        if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
            return Err(format!(
                "a bundle's {field} has at most {MAX_TEXT_BYTES} bytes and no control characters"
            ));
        }
    }
    Ok(())
}

fn check_unique<'a>(
    bundles: &'a [DeployedBundle],
    field: &str,
    value: impl Fn(&'a DeployedBundle) -> &'a str,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let repeated = bundles.iter().map(value).find(|value| !seen.insert(*value));
    repeated.map_or(Ok(()), |value| {
        Err(format!("two bundles have the {field} {value}"))
    })
}

/// Says what changes from one deployment to another, one sentence a bundle.
pub(crate) fn differences(old: Option<&Deployment>, new: &Deployment) -> Vec<String> {
    let before = by_name(old.map_or(&[], |old| old.bundles.as_slice()));
    let after = by_name(&new.bundles);
    let mut sentences = Vec::new();
    for (key, bundle) in &after {
        let now = described(bundle);
        match before.get(key).map(|bundle| described(bundle)) {
            None => sentences.push(format!("bundle {}: added {now}", key.0)),
            Some(earlier) if earlier != now => {
                sentences.push(format!("bundle {}: {earlier} -> {now}", key.0));
            }
            Some(_) => {}
        }
    }
    for (key, bundle) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        sentences.push(format!("bundle {}: removed {}", key.0, described(bundle)));
    }
    let scope = old.map(|old| old.direct_messages);
    if scope.is_some_and(|scope| scope != new.direct_messages) {
        let was = scope.map_or("", |scope| scope.as_str());
        sentences.push(format!("direct messages: {was} -> {}", new.direct_messages));
    }
    sentences
}

/// A name may stand several times, such as once serving and once in shadow: its place among them tells them apart.
fn by_name(bundles: &[DeployedBundle]) -> BTreeMap<(&str, usize), &DeployedBundle> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    bundles
        .iter()
        .map(|bundle| {
            let place = places.entry(&bundle.name).or_default();
            *place += 1;
            ((bundle.name.as_str(), *place), bundle)
        })
        .collect()
}

fn described(bundle: &DeployedBundle) -> String {
    let digest = bundle.digest.as_str();
    let short = digest.get(..12).unwrap_or(digest);
    format!(
        "{} ({short}, {}, at {})",
        bundle.version, bundle.role, bundle.path
    )
}

#[cfg(test)]
mod tests {
    use moderation::{BundleDigest, DirectMessageScope};

    use super::*;

    fn bundle(name: &str, digit: &str, role: BundleRole) -> DeployedBundle {
        DeployedBundle {
            digest: BundleDigest::new(digit.repeat(64)).unwrap(),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            role,
            path: format!("{name}-{digit}"),
        }
    }

    fn deployment(bundles: Vec<DeployedBundle>) -> Deployment {
        Deployment {
            bundles,
            direct_messages: DirectMessageScope::Reported,
        }
    }

    #[track_caller]
    fn check(bundles: Vec<DeployedBundle>, expected: &str) {
        let error = check_deployment(&deployment(bundles))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains(expected) && error.is_empty() == expected.is_empty(),
            "{error}"
        );
    }

    #[test]
    fn what_cannot_run_is_refused() {
        use BundleRole::{Serving, Shadow};
        check(vec![bundle("a", "1", Serving)], "");
        check(
            vec![bundle("a", "1", Serving), bundle("a", "2", Shadow)],
            "",
        );
        check(vec![], "role serving");
        check(vec![bundle("a", "1", Shadow)], "role serving");
        check(
            vec![bundle("a", "1", Serving), bundle("b", "1", Shadow)],
            "two bundles have the digest",
        );
        let mut same_path = bundle("a", "2", Shadow);
        same_path.path = "a-1".to_owned();
        check(
            vec![bundle("a", "1", Serving), same_path],
            "two bundles have the path a-1",
        );
        check(vec![bundle("a\n", "1", Serving)], "control characters");
        check(
            vec![bundle(&"x".repeat(300), "1", Serving)],
            "at most 256 bytes",
        );
        check(
            vec![bundle("a", "1", Serving); 33],
            "at most 32 bundles, not 33",
        );
    }

    #[track_caller]
    fn check_differences(old: Option<&Deployment>, new: &Deployment, expected: &[&str]) {
        assert_eq!(differences(old, new), expected);
    }

    #[test]
    fn differences_are_told_by_bundle() {
        use BundleRole::{Serving, Shadow};
        let one = deployment(vec![bundle("a", "1", Serving)]);
        let two = deployment(vec![bundle("a", "2", Serving), bundle("b", "3", Shadow)]);
        check_differences(
            None,
            &one,
            &["bundle a: added 1.0.0 (111111111111, serving, at a-1)"],
        );
        check_differences(Some(&one), &one, &[]);
        check_differences(
            Some(&one),
            &two,
            &[
                "bundle a: 1.0.0 (111111111111, serving, at a-1) -> 1.0.0 (222222222222, serving, at a-2)",
                "bundle b: added 1.0.0 (333333333333, shadow, at b-3)",
            ],
        );
        let mut open = two.clone();
        open.bundles.pop();
        open.direct_messages = DirectMessageScope::All;
        check_differences(
            Some(&two),
            &open,
            &[
                "bundle b: removed 1.0.0 (333333333333, shadow, at b-3)",
                "direct messages: reported -> all",
            ],
        );
    }
}

//! Which crate may depend on which. The table is the architecture: change it where that changes, and for no other reason.

use crate::members::members;

/// What each library and service may depend on among the workspace's crates.
///
/// `moderation` comes with `moderation-wire`, whose conversions return its types. Services never depend on each other:
/// they meet in topics and gRPC.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("moderation", &[]),
    ("moderation-wire", &["moderation"]),
    ("kafka-pipeline", &[]),
    ("service-runtime", &[]),
    // `service-runtime`, for it owns the stages' readiness on the control topic and their liveness while they follow it.
    (
        "control-state",
        &[
            "moderation",
            "moderation-wire",
            "kafka-pipeline",
            "service-runtime",
        ],
    ),
    ("inference", &["moderation"]),
    ("classifier", LIBRARIES),
    ("enforcer", LIBRARIES),
    ("control-plane", LIBRARIES),
    // It must build where nothing else does, to say what is missing.
    ("xtask", &[]),
];

const LIBRARIES: &[&str] = &[
    "moderation",
    "moderation-wire",
    "kafka-pipeline",
    "service-runtime",
    "control-state",
    "inference",
];

/// Members that put everything together, and may depend on all of it.
const MAY_DEPEND_ON_ALL: &[&str] = &["tidegate", "tidegate-tests", "tidegate-benches"];

/// Native libraries, each quarantined in one crate.
const SOLE_OWNERS: &[(&str, &str)] = &[("rdkafka", "kafka-pipeline"), ("ort", "inference")];

/// What a crate without I/O, async or a clock has no use for.
const NOT_IN_MODERATION: &[&str] = &[
    "tokio",
    "tokio-util",
    "rdkafka",
    "ort",
    "tonic",
    "prost",
    "axum",
    "metrics",
    "tracing",
    "rand",
];

#[test]
fn crates_depend_on_what_the_architecture_allows() {
    let members = members();
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let mut violations = Vec::new();
    for member in &members {
        if MAY_DEPEND_ON_ALL.contains(&member.name.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(name, _)| *name == member.name) else {
            violations.push(format!(
                "{} is not in the table of allowed dependencies",
                member.name
            ));
            continue;
        };
        let unexpected = member
            .dependencies
            .iter()
            .filter(|dependency| is_member(&dependency.name))
            .filter(|dependency| !allowed.contains(&dependency.name.as_str()));
        violations
            .extend(unexpected.map(|edge| format!("{} depends on {}", member.name, edge.name)));
    }
    assert_eq!(violations, Vec::<String>::new());
}

#[test]
fn the_table_names_only_crates_that_exist() {
    let members = members();
    let unknown: Vec<&str> = MAY_DEPEND_ON
        .iter()
        .map(|(name, _)| *name)
        .chain(MAY_DEPEND_ON_ALL.iter().copied())
        .filter(|name| !members.iter().any(|member| member.name == *name))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new());
}

#[test]
fn native_libraries_have_one_owner_each() {
    for (library, owner) in SOLE_OWNERS {
        let users: Vec<String> = members()
            .into_iter()
            .filter(|member| member.dependencies.iter().any(|edge| edge.name == *library))
            .map(|member| member.name)
            .collect();
        assert_eq!(users, [*owner], "users of {library}");
    }
}

#[test]
fn moderation_is_pure() {
    let members = members();
    let moderation = members
        .iter()
        .find(|member| member.name == "moderation")
        .expect("a member");
    let impure: Vec<&str> = moderation
        .dependencies
        .iter()
        .map(|edge| edge.name.as_str())
        .filter(|name| NOT_IN_MODERATION.contains(name))
        .collect();
    assert_eq!(impure, Vec::<&str>::new());
}

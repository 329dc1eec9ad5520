//! From an action as it is written to an action.

use toml::Spanned;

use super::document::ActionDocument;
use super::reading::{Reader, is_word};
use super::reading_rule::read_duration;
use super::{ActionSubject, PolicyAction, Position};
use crate::{ActionKind, Region};

pub(super) fn read_actions(
    reader: &mut Reader<'_>,
    documents: &[Spanned<ActionDocument>],
) -> Vec<PolicyAction> {
    documents
        .iter()
        .filter_map(|document| read_action(reader, document))
        .collect()
}

fn read_action(
    reader: &mut Reader<'_>,
    document: &Spanned<ActionDocument>,
) -> Option<PolicyAction> {
    let at = reader.at(document);
    let document = document.get_ref();
    let subject = subject_of(reader, document, at);
    require_parameters(reader, document, at);
    let duration = match &document.duration {
        Some(written) => Some(read_duration(reader, written, at)?),
        None => None,
    };
    let mut territories = Vec::new();
    for code in &document.territories {
        let fix = "use an ISO 3166 code such as DE or US-CA";
        territories.push(reader.checked("T110", at, Region::new(code), fix)?);
    }
    territories.sort_unstable();
    territories.dedup();
    Some(PolicyAction {
        kind: document.kind,
        subject,
        duration,
        territories,
        label: document.label.clone(),
        feature: document.feature.clone(),
    })
}

fn subject_of(reader: &mut Reader<'_>, document: &ActionDocument, at: Position) -> ActionSubject {
    use ActionKind as K;
    let (default, may_choose) = match document.kind {
        K::Label | K::Interstitial | K::AgeRestrict | K::Demote | K::Disable | K::Remove => {
            (ActionSubject::Content, true)
        }
        K::PreserveEvidence | K::ReportToAuthority | K::Escalate => (ActionSubject::Content, true),
        K::LimitComments => (ActionSubject::Content, true),
        K::FilterForTarget => (ActionSubject::ContentForTarget, false),
        K::LimitContact => (ActionSubject::AuthorForTarget, false),
        K::NotifyTarget | K::OfferSupport => (ActionSubject::Target, false),
        K::NudgeAuthor
        | K::WarnAuthor
        | K::Strike
        | K::RestrictFeature
        | K::SuspendMonetisation
        | K::Suspend
        | K::Terminate => (ActionSubject::Author, false),
    };
    match document.on {
        Some(chosen) if may_choose || chosen == default => chosen,
        Some(_) => {
            let message = format!("{} cannot be done to that", document.kind);
            reader.refuse("T110", at, message, "leave out `on`");
            default
        }
        None => default,
    }
}

/// Refuses parameters that the kind does not take, and asks for those that it needs.
fn require_parameters(reader: &mut Reader<'_>, document: &ActionDocument, at: Position) {
    use ActionKind as K;
    let kind = document.kind;
    let is_momentary = matches!(
        kind,
        K::NudgeAuthor
            | K::WarnAuthor
            | K::Terminate
            | K::NotifyTarget
            | K::OfferSupport
            | K::ReportToAuthority
            | K::Escalate
    );
    let has_territories = !document.territories.is_empty();
    let takes_territories = matches!(
        kind,
        K::Label | K::Interstitial | K::AgeRestrict | K::Demote | K::Disable
    );
    let bad_word = |word: &Option<String>| word.as_ref().is_some_and(|word| !is_word(word, "_-"));
    let problems = [
        (
            is_momentary && document.duration.is_some(),
            "takes no duration",
            "remove `for`",
        ),
        (
            has_territories && !takes_territories,
            "takes no territories",
            "remove `territories`",
        ),
        (
            kind == K::Disable && !has_territories,
            "needs territories",
            "add territories = [\"DE\"]",
        ),
        (
            document.label.is_some() && !matches!(kind, K::Label | K::Interstitial),
            "takes no label",
            "remove `label`",
        ),
        (
            kind == K::Label && document.label.is_none(),
            "needs a label",
            "add label = \"...\"",
        ),
        (
            document.feature.is_some() && kind != K::RestrictFeature,
            "takes no feature",
            "remove `feature`",
        ),
        (
            kind == K::RestrictFeature && document.feature.is_none(),
            "needs a feature",
            "add feature = \"...\"",
        ),
        (
            bad_word(&document.label) || bad_word(&document.feature),
            "has an odd label or feature",
            "use a-z, 0-9, _ and -",
        ),
    ];
    for (is_wrong, what, fix) in problems {
        if is_wrong {
            reader.refuse("T110", at, format!("{kind} {what}"), fix);
        }
    }
}

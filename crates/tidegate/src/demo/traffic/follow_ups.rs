//! What is done to an earlier event: it is edited, deleted or reported.

use moderation_wire::v1;

use super::dice::{Dice, Purpose};
use super::draft::{Draft, event_id, text_part};
use super::grammar::{self, Tone};
use super::people::Person;
use super::schedule::Part;

/// Turns the draft of an earlier event into what happens to it at `index`.
pub(super) fn follow_up(seed: u64, index: u64, part: Part, origin: Draft) -> Draft {
    let mut dice = Dice::new(seed, Purpose::Event, index);
    let mut draft = origin;
    draft.event().event_id = event_id(index);
    match part {
        Part::Edit => edit(&mut draft, &mut dice),
        Part::Delete => delete(&mut draft),
        Part::TrueContentReport => report(&mut draft, seed, &mut dice, "true_content_report"),
        Part::MaliciousContentReport => {
            report(&mut draft, seed, &mut dice, "malicious_content_report")
        }
        Part::TrueAccountReport => {
            account_report(&mut draft, seed, &mut dice, "true_account_report")
        }
        _ => account_report(&mut draft, seed, &mut dice, "malicious_account_report"),
    }
    draft
}

/// The author writes it anew, kindly.
fn edit(draft: &mut Draft, dice: &mut Dice) {
    let language = dice.below(9) as usize;
    draft.event().kind = v1::EventKind::Edit.into();
    raise_revision(draft);
    draft.record.parts.clear();
    draft.push_part(text_part(
        v1::PartOrigin::Body,
        grammar::text(dice, language, Tone::Chatter),
        "",
    ));
    draft.truth.scenario = "edit";
    draft.truth.violation = None;
}

fn delete(draft: &mut Draft) {
    draft.event().kind = v1::EventKind::Delete.into();
    raise_revision(draft);
    draft.record.parts.clear();
    draft.truth.scenario = "delete";
    draft.truth.violation = None;
}

fn raise_revision(draft: &mut Draft) {
    if let Some(subject) = &mut draft.event().subject {
        subject.revision += 1;
    }
}

/// Somebody reports the content, which travels along so that it can be judged.
fn report(draft: &mut Draft, seed: u64, dice: &mut Dice, scenario: &'static str) {
    let reporter = Person::anybody(seed, dice);
    let (source, channel) = dice.weighted(&[
        (
            90,
            (v1::DetectionSource::UserReport, v1::ReportChannel::InApp),
        ),
        (
            4,
            (v1::DetectionSource::UserReport, v1::ReportChannel::WebForm),
        ),
        (
            4,
            (v1::DetectionSource::TrustedFlagger, v1::ReportChannel::Api),
        ),
        (
            1,
            (
                v1::DetectionSource::Authority,
                v1::ReportChannel::LegalNotice,
            ),
        ),
        (
            1,
            (v1::DetectionSource::UserReport, v1::ReportChannel::Email),
        ),
    ]);
    let reason = dice.pick(&["harassment", "hate", "spam", "minor_safety", "other"]);
    let event = draft.event();
    event.kind = v1::EventKind::Report.into();
    event.detection_source = source.into();
    event.report = Some(v1::Report {
        reporter_id: reporter.id(),
        reason: reason.to_owned(),
        channel: channel.into(),
    });
    draft.truth.scenario = scenario;
}

/// Somebody reports the author's account.
fn account_report(draft: &mut Draft, seed: u64, dice: &mut Dice, scenario: &'static str) {
    report(draft, seed, dice, scenario);
    let event = draft.event();
    event.surface = v1::Surface::Profile.into();
    event.context = None;
    event.targets.clear();
    let id = event
        .author
        .as_ref()
        .map(|author| author.account_id.clone())
        .unwrap_or_default();
    event.subject = Some(v1::Subject {
        kind: v1::SubjectKind::Account.into(),
        id,
        revision: 0,
    });
    draft.record.parts.clear();
    draft.truth.target = None;
}

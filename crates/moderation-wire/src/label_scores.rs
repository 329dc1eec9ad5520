//! Scores: what a model says of one label of one part, or why it says nothing.

use moderation::{Label, LabelOutcome, LabelScore, Score, ScoredPart, Support};

use crate::invalid::{Path, Problem};
use crate::part_ids::PartIds;
use crate::reading::{Reading, required};
use crate::scored::unreadable_part;
use crate::v1;
use crate::words::Word;

/// Reads scores against the parts and bundles that they point to.
pub(crate) struct Scores<'a> {
    places: &'a [Option<u32>],
    parts: &'a mut Vec<ScoredPart>,
    /// Parts that the record itself has.
    known_parts: usize,
    /// Scores that lost something, by index and in order.
    damaged: &'a [usize],
    /// Where scores go that point to no part.
    stand_in: Option<u32>,
    /// Whether a score was left out of which nobody knows what it was about.
    has_lost_label: bool,
}

impl<'a> Scores<'a> {
    pub(crate) fn new(
        places: &'a [Option<u32>],
        parts: &'a mut Vec<ScoredPart>,
        damaged: &'a [usize],
    ) -> Self {
        Self {
            places,
            known_parts: parts.len(),
            parts,
            damaged,
            stand_in: None,
            has_lost_label: false,
        }
    }

    /// Returns the scores, and whether one was left out of which nobody knows what it was about.
    pub(crate) fn read(
        mut self,
        reading: &mut Reading<'_>,
        wire: Vec<v1::LabelScore>,
    ) -> (Vec<LabelScore>, bool) {
        let mut scores = Vec::with_capacity(wire.len());
        for (index, wire) in wire.into_iter().enumerate() {
            let score = self.score(reading, &Path::ROOT.item("scores", index), wire);
            let is_damaged = self.damaged.first() == Some(&index);
            if is_damaged {
                self.damaged = &self.damaged[1..];
            }
            scores.extend(score.map(|score| match is_damaged {
                true => LabelScore {
                    outcome: LabelOutcome::Failed,
                    ..score
                },
                false => score,
            }));
        }
        (scores, self.has_lost_label)
    }

    /// Reads one score; `None` where it has no label. What points nowhere, or does not tell how far it can be relied on, has
    /// failed.
    fn score(
        &mut self,
        reading: &mut Reading<'_>,
        at: &Path<'_>,
        wire: v1::LabelScore,
    ) -> Option<LabelScore> {
        let label = match required(&at.field("label"), wire.label, Label::new) {
            Ok(label) => label,
            Err(invalid) => {
                reading.note(&at.field("label"), invalid.problem);
                self.has_lost_label = true;
                return None;
            }
        };
        let mut outcome = outcome(reading, at, wire.status, wire.value);
        let part = self.part(reading, &at.field("part"), wire.part);
        let bundle = wire.bundle.map(|index| self.bundle(index));
        if bundle == Some(None) {
            reading.note(&at.field("bundle"), Problem::OutOfRange);
        }
        let support = Support::from_number(wire.support);
        if support.is_none() {
            reading.note(&at.field("support"), Problem::UnknownValue);
        }
        let is_unreliable = support.is_none() && outcome.score().is_some();
        if part.is_none() || bundle == Some(None) || is_unreliable {
            outcome = LabelOutcome::Failed;
        }
        Some(LabelScore {
            part: part.unwrap_or_else(|| self.nowhere()),
            label,
            outcome,
            bundle: bundle.flatten(),
            support: support.unwrap_or(Support::Unsupported),
        })
    }

    fn part(&self, reading: &mut Reading<'_>, at: &Path<'_>, index: Option<u32>) -> Option<u32> {
        let part = index.filter(|index| (*index as usize) < self.known_parts);
        if part.is_none() {
            let problem = index.map_or(Problem::Missing, |_| Problem::OutOfRange);
            reading.note(at, problem);
        }
        part
    }

    fn bundle(&self, index: u32) -> Option<u32> {
        self.places.get(index as usize).copied().flatten()
    }

    /// Returns the place of a part that stands in for those that do not exist.
    fn nowhere(&mut self) -> u32 {
        *self.stand_in.get_or_insert_with(|| {
            let mut ids = PartIds::of(self.parts.iter().map(|part| &part.part_id));
            self.parts.push(unreadable_part(&mut ids));
            self.parts.len() as u32 - 1
        })
    }
}

fn outcome(
    reading: &mut Reading<'_>,
    at: &Path<'_>,
    status: i32,
    value: Option<u32>,
) -> LabelOutcome {
    let score = value.and_then(Score::from_thousandths);
    let is_scored = status == v1::ScoreStatus::Scored as i32;
    if value.is_some() != is_scored || value.is_some() != score.is_some() {
        reading.note(&at.field("value"), Problem::OutOfRange);
        return LabelOutcome::Failed;
    }
    outcome_from_wire(status, score).unwrap_or_else(|| {
        reading.note(&at.field("status"), Problem::UnknownValue);
        LabelOutcome::Failed
    })
}

/// Reads a status and the score that goes with it; `None` where the status is unknown or lacks its score.
pub(crate) fn outcome_from_wire(status: i32, score: Option<Score>) -> Option<LabelOutcome> {
    match v1::ScoreStatus::try_from(status).ok()? {
        v1::ScoreStatus::Unspecified => None,
        v1::ScoreStatus::Scored => score.map(LabelOutcome::Scored),
        v1::ScoreStatus::NotApplicable => Some(LabelOutcome::NotApplicable),
        v1::ScoreStatus::UnsupportedLanguage => Some(LabelOutcome::UnsupportedLanguage),
        v1::ScoreStatus::Failed => Some(LabelOutcome::Failed),
        v1::ScoreStatus::TimedOut => Some(LabelOutcome::TimedOut),
        v1::ScoreStatus::SkippedByCascade => Some(LabelOutcome::SkippedByCascade),
    }
}

impl From<&LabelScore> for v1::LabelScore {
    fn from(score: &LabelScore) -> Self {
        Self {
            part: Some(score.part),
            label: score.label.as_str().to_owned(),
            value: score
                .outcome
                .score()
                .map(|score| u32::from(score.thousandths())),
            status: v1::ScoreStatus::from(score.outcome) as i32,
            bundle: score.bundle,
            support: score.support.number(),
        }
    }
}

impl From<LabelOutcome> for v1::ScoreStatus {
    fn from(outcome: LabelOutcome) -> Self {
        match outcome {
            LabelOutcome::Scored(_) => Self::Scored,
            LabelOutcome::NotApplicable => Self::NotApplicable,
            LabelOutcome::UnsupportedLanguage => Self::UnsupportedLanguage,
            LabelOutcome::Failed => Self::Failed,
            LabelOutcome::TimedOut => Self::TimedOut,
            LabelOutcome::SkippedByCascade => Self::SkippedByCascade,
        }
    }
}

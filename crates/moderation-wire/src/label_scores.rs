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
    pub(crate) places: &'a [Option<u32>],
    pub(crate) parts: &'a mut Vec<ScoredPart>,
    /// Scores that lost something, by index and in order.
    pub(crate) damaged: &'a [usize],
    /// Where scores go that point to no part.
    pub(crate) stand_in: Option<u32>,
}

impl Scores<'_> {
    pub(crate) fn read(
        mut self,
        reading: &mut Reading<'_>,
        wire: Vec<v1::LabelScore>,
    ) -> Vec<LabelScore> {
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
        scores
    }

    /// Reads one score. What points nowhere has failed; what has no label says nothing and is left out.
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
                return None;
            }
        };
        let mut outcome = outcome(reading, at, wire.status, wire.value);
        let part = self.part(reading, &at.field("part"), wire.part);
        let bundle = wire.bundle.map(|index| self.bundle(index));
        if bundle == Some(None) {
            reading.note(&at.field("bundle"), Problem::OutOfRange);
        }
        if part.is_none() || bundle == Some(None) {
            outcome = LabelOutcome::Failed;
        }
        Some(LabelScore {
            part: part.unwrap_or_else(|| self.nowhere()),
            label,
            outcome,
            bundle: bundle.flatten(),
            support: reading.closed(&at.field("support"), wire.support, Support::Unsupported),
        })
    }

    fn part(&self, reading: &mut Reading<'_>, at: &Path<'_>, index: u32) -> Option<u32> {
        let last_known = self
            .stand_in
            .map_or(self.parts.len(), |place| place as usize);
        if (index as usize) < last_known {
            return Some(index);
        }
        reading.note(at, Problem::OutOfRange);
        None
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
            part: score.part,
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

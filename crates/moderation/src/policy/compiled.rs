//! A policy in the form in which decisions read it.

use std::sync::Arc;
use std::time::Duration;

use super::table::{Cell, MAX_CELLS, Sources, Table, oversized};
use super::{AgeBands, Band, Canary, Finding, Policy, PolicyAction, ReviewTerms, Rule};
use crate::{
    EventKind, Label, Language, OnMissing, PolicyVersion, Region, RuleId, RuleMode, Score,
    Sensitivity, Severity, Surface, Timestamp,
};

/// A policy as tables. Immutable; share it in an [`Arc`].
#[derive(Debug)]
pub struct CompiledPolicy {
    version: PolicyVersion,
    name: String,
    age: AgeBands,
    /// Labels, sorted, each with the place of its category.
    labels: Vec<(Label, u8)>,
    rules: Vec<CompiledRule>,
    table: Table,
    /// One row of caps for each age band: of targets, then of viewers.
    target_caps: Vec<Cell>,
    viewer_caps: Vec<Cell>,
    sources: Sources,
}

/// A rule as decisions read it. Paused rules have none.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) id: RuleId,
    pub(crate) issue: Arc<str>,
    pub(crate) category: Arc<str>,
    pub(crate) severity: Severity,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) mode: RuleMode,
    pub(crate) canary: Option<Canary>,
    pub(crate) actions: Vec<PolicyAction>,
    pub(crate) interim: Vec<PolicyAction>,
    pub(crate) review: Option<ReviewTerms>,
    pub(crate) on_missing: OnMissing,
    pub(crate) on_unsupported: OnMissing,
    pub(crate) reason: Arc<str>,
    /// Bits of the categories that it is about.
    categories: u128,
    /// Bits of event kinds; all where it names none.
    kinds: u32,
    authors: u32,
    targets: u32,
    valid_from: Timestamp,
    valid_until: Timestamp,
}

/// The threshold of one rule for one part, and the number of what set it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EffectiveThreshold {
    pub(crate) score: Score,
    pub(crate) source: u16,
}

/// The protected side of an event: bits of the targets' age bands, and the band of its viewers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Protected {
    pub(crate) targets: u32,
    pub(crate) viewers: Option<Band>,
}

const ALL: u32 = u32::MAX;

fn kind_bit(kind: EventKind) -> u32 {
    1 << kind as u32
}

fn bits(bands: &[Band]) -> u32 {
    match bands {
        [] => ALL,
        some => some.iter().fold(0, |bits, band| bits | band.bit()),
    }
}

impl CompiledRule {
    fn new(rule: &Rule, policy: &Policy) -> Self {
        let mut categories = 0;
        for (place, category) in policy.categories.iter().enumerate() {
            if category.is_within(&rule.category) {
                categories |= 1 << place;
            }
        }
        let declared = policy
            .categories
            .iter()
            .find(|category| category.id == rule.category);
        Self {
            id: rule.id.clone(),
            issue: rule.issue.clone(),
            category: rule.category.clone(),
            severity: rule.severity,
            sensitivity: declared.map_or(Sensitivity::Ordinary, |found| found.sensitivity),
            mode: rule.mode,
            canary: rule.canary,
            actions: rule.actions.clone(),
            interim: rule.interim.clone(),
            review: rule.review,
            on_missing: rule.on_missing,
            on_unsupported: rule.on_unsupported,
            reason: rule.reason.clone(),
            categories,
            kinds: match rule.kinds.as_slice() {
                [] => ALL,
                some => some.iter().fold(0, |bits, kind| bits | kind_bit(*kind)),
            },
            authors: bits(&rule.authors),
            targets: bits(&rule.targets),
            valid_from: rule.valid_from.unwrap_or(Timestamp::from_millis(i64::MIN)),
            valid_until: rule.valid_until.unwrap_or(Timestamp::from_millis(i64::MAX)),
        }
    }

    /// Returns whether it is about a category; scores without one are about none.
    pub(crate) fn is_about(&self, category: u8) -> bool {
        self.categories & (1 << category) != 0
    }

    /// Returns whether it is about such an event at all. An unrecognised kind is every kind.
    pub(crate) fn applies(
        &self,
        kind: EventKind,
        author: Band,
        targets: u32,
        time: Timestamp,
    ) -> bool {
        let kind_fits = kind == EventKind::Unrecognised || self.kinds & kind_bit(kind) != 0;
        let targets_fit = self.targets == ALL || self.targets & targets != 0;
        let in_time = self.valid_from <= time && time < self.valid_until;
        kind_fits && targets_fit && in_time && self.authors & author.bit() != 0
    }

    /// Returns how long after the event a person must have looked.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.review.and_then(|terms| terms.due_in)
    }
}

impl CompiledPolicy {
    /// Compiles a policy.
    ///
    /// # Errors
    /// Names the rule that makes the tables too large. What [`lint`](super::lint()) finds is no obstacle: a policy that
    /// served yesterday must still load after an upgrade that knows more.
    pub fn compile(policy: &Policy, version: PolicyVersion) -> Result<Self, Vec<Finding>> {
        if let Some((rule, cells)) = oversized(policy) {
            return Err(vec![explosion(rule, cells)]);
        }
        let rules: Vec<&Rule> = policy
            .rules
            .iter()
            .filter(|rule| rule.mode != RuleMode::Paused)
            .collect();
        let mut sources = Sources::default();
        let table = Table::build(&rules, &mut sources);
        let caps = |caps_of: fn(&Rule) -> &std::collections::BTreeMap<Band, Score>,
                    role: &str,
                    sources: &mut Sources| {
            let mut row = Vec::new();
            for band in policy.age.all() {
                let name = format!("cap:{role}={}", policy.age.name(band));
                for rule in &rules {
                    row.push(match caps_of(rule).get(&band) {
                        Some(cap) => Cell::new(*cap, sources.intern(&name)),
                        None => Cell::NEVER,
                    });
                }
            }
            row
        };
        let target_caps = caps(|rule| &rule.caps.target, "target", &mut sources);
        let viewer_caps = caps(|rule| &rule.caps.viewer, "viewer", &mut sources);
        Ok(Self {
            version,
            name: policy.name.clone(),
            age: policy.age.clone(),
            labels: sorted_labels(policy),
            rules: rules
                .iter()
                .map(|rule| CompiledRule::new(rule, policy))
                .collect(),
            table,
            target_caps,
            viewer_caps,
            sources,
        })
    }

    /// Returns its number.
    pub fn version(&self) -> PolicyVersion {
        self.version
    }

    /// Returns what people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how it reads ages.
    pub fn age(&self) -> &AgeBands {
        &self.age
    }

    /// Returns the labels that its categories name, sorted. What no model of a deployment says never matches.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().map(|(label, _)| label)
    }

    pub(crate) fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// Returns the place of a label's category.
    pub(crate) fn category_of(&self, label: &Label) -> Option<u8> {
        let place = self
            .labels
            .binary_search_by(|(known, _)| known.cmp(label))
            .ok()?;
        Some(self.labels[place].1)
    }

    /// Finds the rows of an event.
    pub(crate) fn block(&self, surface: Surface, region: Option<Region>) -> usize {
        self.table.block(surface, region)
    }

    /// Returns the effective threshold of a rule for a part: the base, and the lowest cap of those it protects. `None`
    /// where the rule does not apply.
    pub(crate) fn threshold(
        &self,
        rule: usize,
        block: usize,
        language: Option<Language>,
        protected: Protected,
    ) -> Option<EffectiveThreshold> {
        let base = self.table.row_in(block, language)[rule];
        base.threshold()?;
        let capped = self.capped(base, rule, protected);
        Some(EffectiveThreshold {
            score: capped.threshold()?,
            source: capped.source(),
        })
    }

    fn capped(&self, base: Cell, rule: usize, protected: Protected) -> Cell {
        let mut cell = base;
        let mut bands = protected.targets;
        while bands != 0 {
            let band = bands.trailing_zeros() as usize;
            bands &= bands - 1;
            cell = cell.stricter(self.target_caps[band * self.rules.len() + rule]);
        }
        if let Some(Band(band)) = protected.viewers {
            cell = cell.stricter(self.viewer_caps[usize::from(band) * self.rules.len() + rule]);
        }
        cell
    }

    /// Returns the name of what set a threshold.
    pub(crate) fn source_name(&self, source: u16) -> Arc<str> {
        self.sources.name(source)
    }
}

fn sorted_labels(policy: &Policy) -> Vec<(Label, u8)> {
    let mut labels: Vec<(Label, u8)> = policy
        .categories
        .iter()
        .enumerate()
        .flat_map(|(place, category)| {
            let place = place as u8;
            category
                .labels
                .iter()
                .map(move |label| (label.clone(), place))
        })
        .collect();
    labels.sort();
    labels
}

pub(super) fn explosion(rule: &Rule, cells: usize) -> Finding {
    Finding::error(
        "T206",
        rule.position,
        format!(
            "the tables would have {cells} cells, {MAX_CELLS} are allowed; rule {} adds most",
            rule.id
        ),
        "use fewer surfaces, regions and languages in its overrides",
    )
}

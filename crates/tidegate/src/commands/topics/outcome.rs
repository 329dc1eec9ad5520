//! What became of each topic, for people and for programs.

use control_state::TopicProblem;
use kafka_pipeline::NewTopic;
use serde_json::{Value, json};

use crate::commands::output::table;

/// What became of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TopicOutcome {
    /// It was there.
    Existed,
    /// It was made.
    Made,
    /// It is not there, and would be made.
    WouldBeMade,
    /// It is not there.
    Missing,
    /// It could not be made, for this reason.
    Refused(String),
}

impl TopicOutcome {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Existed => "existed",
            Self::Made => "made",
            Self::WouldBeMade => "would be made",
            Self::Missing => "missing",
            Self::Refused(_) => "refused",
        }
    }
}

#[derive(Debug)]
struct Line {
    name: String,
    partitions: u16,
    replication: u16,
    outcome: TopicOutcome,
    problems: Vec<TopicProblem>,
}

/// What became of all topics.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    lines: Vec<Line>,
}

impl Outcome {
    /// Adds a topic.
    pub(super) fn add(
        &mut self,
        topic: &NewTopic,
        outcome: TopicOutcome,
        problems: Vec<TopicProblem>,
    ) {
        self.lines.push(Line {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication: topic.replication,
            outcome,
            problems,
        });
    }

    /// Notes what became of topics that were to be made.
    pub(super) fn note_made(&mut self, made: Vec<(String, TopicOutcome)>) {
        for (name, outcome) in made {
            if let Some(line) = self.lines.iter_mut().find(|line| line.name == name) {
                line.outcome = outcome;
            }
        }
    }

    /// Tells whether everything is as planned, or would be.
    pub(super) fn is_as_planned(&self) -> bool {
        self.lines.iter().all(|line| {
            let is_there = match line.outcome {
                TopicOutcome::Existed | TopicOutcome::Made | TopicOutcome::WouldBeMade => true,
                TopicOutcome::Missing | TopicOutcome::Refused(_) => false,
            };
            is_there && line.problems.is_empty()
        })
    }

    /// Writes for people: a table, and below it a line for each problem.
    pub(super) fn text(&self) -> String {
        let rows: Vec<[String; 4]> = self.lines.iter().map(cells).collect();
        let mut text = table(["TOPIC", "PARTITIONS", "REPLICAS", "STATE"], &rows);
        for line in &self.lines {
            if let TopicOutcome::Refused(reason) = &line.outcome {
                text.push_str(&format!("{}: {reason}\n", line.name));
            }
            for problem in &line.problems {
                text.push_str(&format!("{problem}\n"));
            }
        }
        text
    }

    /// Writes for programs.
    pub(super) fn json(&self) -> Value {
        let topics = self.lines.iter().map(|line| {
            let reason = match &line.outcome {
                TopicOutcome::Refused(reason) => Some(reason),
                _ => None,
            };
            let problems: Vec<Value> = line.problems.iter().map(problem_json).collect();
            json!({
                "topic": line.name,
                "state": line.outcome.as_str(),
                "reason": reason,
                "problems": problems,
            })
        });
        json!({ "as_planned": self.is_as_planned(), "topics": topics.collect::<Vec<_>>() })
    }
}

fn cells(line: &Line) -> [String; 4] {
    let state = match line.problems.as_slice() {
        [] => line.outcome.as_str().to_owned(),
        _ => format!("{}, differs", line.outcome.as_str()),
    };
    [
        line.name.clone(),
        line.partitions.to_string(),
        line.replication.to_string(),
        state,
    ]
}

/// Writes a problem for programs.
pub(crate) fn problem_json(problem: &TopicProblem) -> Value {
    match problem {
        TopicProblem::Missing { topic } => json!({
            "topic": topic,
            "problem": "missing",
            "message": problem.to_string(),
        }),
        TopicProblem::Wrong {
            topic,
            setting,
            value,
            needed,
            remedy,
        } => json!({
            "topic": topic,
            "problem": "wrong",
            "setting": setting,
            "value": value,
            "needed": needed,
            "remedy": remedy,
            "message": problem.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(state: TopicOutcome) -> Outcome {
        let topic = NewTopic {
            name: "t".to_owned(),
            partitions: 2,
            replication: 1,
            settings: Default::default(),
        };
        let mut outcome = Outcome::default();
        outcome.add(&topic, state, Vec::new());
        outcome
    }

    #[test]
    fn only_what_is_there_is_as_planned() {
        assert!(outcome(TopicOutcome::Existed).is_as_planned());
        assert!(outcome(TopicOutcome::WouldBeMade).is_as_planned());
        assert!(!outcome(TopicOutcome::Missing).is_as_planned());
        let mut refused = outcome(TopicOutcome::Missing);
        let reason = TopicOutcome::Refused("no room".to_owned());
        refused.note_made(vec![("t".to_owned(), reason)]);
        assert!(!refused.is_as_planned());
        assert!(refused.text().ends_with("refused\nt: no room\n"));
        assert_eq!(refused.json()["topics"][0]["reason"], "no room");
    }
}

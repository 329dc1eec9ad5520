//! Where processor time goes, told by the names of threads.

use std::collections::BTreeMap;
use std::fs;

/// Which part of the demo a thread of a given name belongs to. The first prefix that fits counts; names are cut to 15
/// bytes by the kernel.
const PARTS: [(&str, &str); 16] = [
    ("demo-load", "producer"),
    ("publisher", "producer"),
    ("demo-observer", "oracle"),
    ("demo-oracle", "oracle"),
    ("follower", "oracle"),
    ("classifier", "classifier"),
    ("enforcer", "enforcer"),
    ("inference", "inference"),
    ("control", "control"),
    ("rdk:mock", "broker"),
    ("rdk:", "kafka_clients"),
    ("tokio", "runtime"),
    ("demo", "runtime"),
    ("service", "runtime"),
    ("tidegate", "runtime"),
    ("process", "runtime"),
];

/// Processor time by part, in microseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CpuTime(BTreeMap<&'static str, f64>);

impl CpuTime {
    /// Adds the time that all threads of a process have used so far, by its folder of `/proc`.
    pub(super) fn add_process(&mut self, process: &str) {
        let tasks = fs::read_dir(format!("/proc/{process}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            // A thread that ends meanwhile has no file any more.
            if let Ok(stat) = fs::read_to_string(task.path().join("stat"))
                && let Some((name, ticks)) = parse(&stat)
            {
                *self.0.entry(part(name)).or_default() += ticks as f64 * microseconds_per_tick();
            }
        }
    }

    /// Returns for each part what is more: threads that ended since an earlier reading are missing from this one.
    pub(crate) fn or_more(mut self, earlier: &Self) -> Self {
        for (part, used) in &earlier.0 {
            let now = self.0.entry(part).or_default();
            *now = now.max(*used);
        }
        self
    }

    /// Returns what was used since an earlier reading, for each of a number of events.
    pub(crate) fn per_event_since(
        &self,
        earlier: &Self,
        events: u64,
    ) -> BTreeMap<&'static str, f64> {
        let used = |(part, now): (&&'static str, &f64)| {
            let used = (now - earlier.0.get(*part).unwrap_or(&0.0)).max(0.0);
            (*part, used / events.max(1) as f64)
        };
        self.0.iter().map(used).collect()
    }
}

fn part(name: &str) -> &'static str {
    PARTS
        .iter()
        .find(|(prefix, _)| name.starts_with(prefix))
        .map_or("other", |(_, part)| part)
}

/// Reads the name of a thread and its user and system time in ticks, fields 14 and 15 of `proc(5)`.
fn parse(stat: &str) -> Option<(&str, u64)> {
    let (before, after) = stat.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_ascii_whitespace().skip(11);
    let (user, system) = (fields.next()?, fields.next()?);
    Some((
        name,
        user.parse::<u64>().ok()? + system.parse::<u64>().ok()?,
    ))
}

/// Linux reports in units of 1/100 s to programs, whatever the kernel's own clock.
fn microseconds_per_tick() -> f64 {
    1_000_000.0 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_told_apart_by_name() {
        let stat = |name: &str| format!("7 ({name}) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 1 0 100");
        assert_eq!(parse(&stat("a) (b")), Some(("a) (b", 42)));
        assert_eq!(parse("7 (cut"), None);
        assert_eq!(part("classifier-emit"), "classifier");
        assert_eq!(part("rdk:mock"), "broker");
        assert_eq!(part("rdk:broker1"), "kafka_clients");
        assert_eq!(part("something"), "other");
    }

    #[test]
    fn what_a_thread_used_outlives_it() {
        let before = CpuTime([("broker", 3.0), ("producer", 9.0)].into());
        let now = CpuTime([("broker", 5.0)].into());
        assert_eq!(
            now.or_more(&before),
            CpuTime([("broker", 5.0), ("producer", 9.0)].into())
        );
    }

    #[test]
    fn use_is_shared_by_the_events() {
        let time = |micros| CpuTime([("broker", micros)].into());
        assert_eq!(
            time(500.0).per_event_since(&time(100.0), 40),
            [("broker", 10.0)].into()
        );
        assert_eq!(
            time(500.0).per_event_since(&CpuTime::default(), 0),
            [("broker", 500.0)].into()
        );
    }
}

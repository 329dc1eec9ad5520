//! What this process uses, as `/proc` tells it.

use std::time::Duration;

/// Linux reports CPU time to programs in hundredths of a second on every architecture (its `USER_HZ`), whatever the
/// kernel's own tick is.
const TICKS_PER_SECOND: u64 = 100;

/// Memory and CPU time of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Bytes in RAM now.
    pub resident_bytes: u64,
    /// The most bytes there have been in RAM.
    pub peak_resident_bytes: u64,
    /// CPU time since the start, user and system, of all threads.
    pub cpu: Duration,
}

impl ProcessUsage {
    /// Reads the current usage; `None` where there is no `/proc`.
    pub fn now() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        Self::parse(&status, &stat)
    }

    fn parse(status: &str, stat: &str) -> Option<Self> {
        Some(Self {
            resident_bytes: status_bytes(status, "VmRSS:")?,
            peak_resident_bytes: status_bytes(status, "VmHWM:")?,
            cpu: cpu_time(stat)?,
        })
    }
}

/// Reads a line such as `VmRSS:   1234 kB`, which means kibibytes.
fn status_bytes(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Adds `utime` and `stime`, fields 14 and 15 of `proc(5)`'s stat line.
///
/// Field 2 is the program's name in parentheses and may hold spaces and parentheses, so counting starts after the last.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(
        (user + system) * 1000 / TICKS_PER_SECOND,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\ta\nVmHWM:\t  20 kB\nVmRSS:\t   10 kB\n";

    #[track_caller]
    fn check(stat: &str, expected: Option<Duration>) {
        assert_eq!(
            ProcessUsage::parse(STATUS, stat).map(|usage| usage.cpu),
            expected
        );
    }

    #[test]
    fn cpu_time_is_read_past_any_program_name() {
        check(
            "7 (a) S 1 2 3 4 5 6 7 8 9 10 250 50 0",
            Some(Duration::from_secs(3)),
        );
        check(
            "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 1 0 0",
            Some(Duration::from_millis(10)),
        );
        check("7 (a) S 1 2 3", None);
        check("", None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let usage = ProcessUsage::parse(STATUS, "7 (a) S 1 2 3 4 5 6 7 8 9 10 1 0").unwrap();
        assert_eq!(
            (usage.resident_bytes, usage.peak_resident_bytes),
            (10 * 1024, 20 * 1024)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory() {
        let usage = ProcessUsage::now().unwrap();
        assert!(usage.peak_resident_bytes >= usage.resident_bytes && usage.resident_bytes > 0);
    }
}

//! The processes that the demo consists of, whose use is measured together.

use std::fs;
use std::sync::Arc;

use super::cpu::CpuTime;

/// This process and its children, by their folders of `/proc`.
#[derive(Clone, Debug)]
pub(crate) struct MeasuredProcesses(Arc<[String]>);

impl MeasuredProcesses {
    /// Measures this process alone.
    pub(crate) fn this_alone() -> Self {
        Self::with_children([])
    }

    /// Measures this process and others.
    pub(crate) fn with_children(children: impl IntoIterator<Item = u32>) -> Self {
        let others = children.into_iter().map(|id| id.to_string());
        Self(std::iter::once("self".to_owned()).chain(others).collect())
    }

    /// Reads the processor time that all threads have used so far; empty where the system does not tell.
    pub(crate) fn cpu_time(&self) -> CpuTime {
        let mut used = CpuTime::default();
        for process in &*self.0 {
            used.add_process(process);
        }
        used
    }

    /// Returns the most memory that the children have ever held, each at its own time, in bytes.
    pub(crate) fn peak_bytes_of_children(&self) -> u64 {
        let children = self.0.iter().skip(1);
        let peaks = children.filter_map(|process| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            peak_bytes(&status)
        });
        peaks.sum()
    }
}

/// Reads the line `VmHWM:   1234 kB` of `proc(5)`, which means kibibytes.
fn peak_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_read() {
        assert_eq!(peak_bytes("Name:\ta\nVmHWM:\t  20 kB\n"), Some(20 * 1024));
        assert_eq!(peak_bytes("Name:\ta\n"), None);
    }

    #[test]
    fn a_child_counts_and_one_that_is_gone_does_not() {
        let itself = MeasuredProcesses::with_children([std::process::id()]);
        assert!(itself.peak_bytes_of_children() > 0);
        let gone = MeasuredProcesses::with_children([u32::MAX]);
        assert_eq!(gone.peak_bytes_of_children(), 0);
    }
}

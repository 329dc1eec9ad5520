//! What a stretch of work costs.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Watches the time and the process's use of processors from when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    started: Instant,
    used: Duration,
}

/// What was spent while a [`Meter`] watched.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Time that passed.
    pub elapsed: Duration,
    /// Processor time of all threads of the process.
    pub cpu: Duration,
}

impl Meter {
    /// Begins to watch.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            used: process_cpu_time(),
        }
    }

    /// Returns what was spent until now.
    pub fn cost(&self) -> Cost {
        Cost {
            elapsed: self.started.elapsed(),
            cpu: process_cpu_time().saturating_sub(self.used),
        }
    }
}

impl Cost {
    /// Returns how many of `items` were done in a second.
    pub fn per_second(&self, items: usize) -> f64 {
        items as f64 / self.elapsed.as_secs_f64()
    }

    /// Returns the processor time of each of `items`, in microseconds.
    pub fn cpu_micros_each(&self, items: usize) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / items as f64
    }
}

/// Finer than `/proc`, which counts in hundredths of a second.
fn process_cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_costs_processor_time_and_waiting_does_not() {
        let meter = Meter::start();
        let mut sum = 0_u64;
        while meter.cost().cpu < Duration::from_millis(5) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        assert!(meter.cost().elapsed > Duration::ZERO);
    }

    #[test]
    fn costs_are_divided_among_items() {
        let cost = Cost {
            elapsed: Duration::from_secs(2),
            cpu: Duration::from_millis(3),
        };
        assert_eq!(cost.per_second(1000), 500.0);
        assert_eq!(cost.cpu_micros_each(1000), 3.0);
    }
}

//! Signals that ask this program to end, and passing them on.
#![expect(
    unsafe_code,
    reason = "the standard library neither catches nor sends signals, and this program takes no crate that does"
)]

use std::{
    ffi::c_int,
    sync::atomic::{AtomicI32, Ordering},
    thread,
    time::Duration,
};

/// How often somebody who waits for something else looks whether a signal came.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// Their numbers are the same on every Unix.
const ENDING: [Signal; 3] = [Signal::HANG_UP, Signal::INTERRUPT, Signal::TERMINATE];

static CAUGHT: AtomicI32 = AtomicI32::new(0);

unsafe extern "C" {
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
    fn kill(pid: c_int, number: c_int) -> c_int;
}

/// A signal that asks this program to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(c_int);

impl Signal {
    /// The terminal is gone.
    const HANG_UP: Self = Self(1);
    /// Ctrl-C.
    const INTERRUPT: Self = Self(2);
    /// What `kill` sends.
    pub(crate) const TERMINATE: Self = Self(15);
}

extern "C" fn note(number: c_int) {
    CAUGHT.store(number, Ordering::Relaxed);
}

/// Catches the signals from now on, so that whoever runs something can end it in order.
pub(crate) fn catch() {
    for Signal(number) in ENDING {
        // SAFETY: the handler only stores to an atomic, which is allowed in a signal handler, and lives for ever.
        unsafe { signal(number, note) };
    }
}

/// Returns the signal that came since the last call, the latest of several.
pub(crate) fn caught() -> Option<Signal> {
    match CAUGHT.swap(0, Ordering::Relaxed) {
        0 => None,
        number => Some(Signal(number)),
    }
}

/// Waits for a moment, and returns the signal that came.
pub(crate) fn wait() -> Option<Signal> {
    thread::park_timeout(LOOK);
    caught()
}

/// Sends a signal to all processes of a group. One that is already gone is no error.
pub(crate) fn send_to_group(signal: Signal, leader: u32) {
    let Ok(leader) = c_int::try_from(leader) else {
        return;
    };
    // SAFETY: takes two numbers and touches no memory.
    unsafe { kill(-leader, signal.0) };
}

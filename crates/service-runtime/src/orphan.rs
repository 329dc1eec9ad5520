//! Ending with whoever started this process.

use std::io::{self, Read};
use std::thread;

/// Ends this process at once when its standard input ends, which it does with the process that holds the other end of the
/// pipe, however that one dies. For a process that another one has started for itself alone.
///
/// # Errors
/// What the operating system says of a thread for it.
pub fn exit_with_standard_input() -> io::Result<()> {
    let watch = || {
        let mut byte = [0];
        // What comes is of no interest, and a broken input has ended too.
        while matches!(io::stdin().read(&mut byte), Ok(1)) {}
        tracing::error!("whoever started this process is gone; exiting without draining");
        signal_hook::low_level::exit(1)
    };
    thread::Builder::new()
        .name("process-orphan".to_owned())
        .spawn(watch)
        .map(drop)
}

//! Running a command beside a cluster, which must be there until the command has ended.

use std::{
    io::{self, IsTerminal},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::signals::{self, Signal};

/// Some programs send a signal to a process and to its group, which must not count as somebody's second thought.
const SAME_SIGNAL_WITHIN: Duration = Duration::from_millis(500);

/// Runs a command to its end. It gets the signals that `look` returns, which waits for a moment each time.
pub(crate) fn run(
    command: &mut Command,
    mut look: impl FnMut() -> Option<Signal>,
) -> Result<ExitStatus, String> {
    // In a group of its own, so that Ctrl-C reaches it through `look`, once and in order.
    command.process_group(0);
    if io::stdin().is_terminal() {
        // A group in the background is stopped when it reads from a terminal.
        command.stdin(Stdio::null());
    }
    let mut child = command.spawn().map_err(|error| {
        format!(
            "cannot run {}: {error}",
            command.get_program().to_string_lossy()
        )
    })?;
    let mut passed_on: Option<(Signal, Instant)> = None;
    loop {
        if let Some(status) = ended(&mut child)? {
            return Ok(status);
        }
        let Some(signal) = look() else {
            continue;
        };
        let is_same =
            |(last, at): (Signal, Instant)| last == signal && at.elapsed() < SAME_SIGNAL_WITHIN;
        if !passed_on.is_some_and(is_same) {
            signals::send_to_group(signal, child.id());
        }
        passed_on = Some((signal, Instant::now()));
    }
}

fn ended(child: &mut Child) -> Result<Option<ExitStatus>, String> {
    child
        .try_wait()
        .map_err(|error| format!("cannot wait for process {}: {error}", child.id()))
}

/// Replaces this program with a command, so that signals reach it and its exit code is the caller's.
///
/// Returns only if that fails, with the reason.
pub(crate) fn become_command(command: &mut Command) -> String {
    let error = command.exec();
    format!(
        "cannot run {}: {error}",
        command.get_program().to_string_lossy()
    )
}

/// Returns the exit code that tells the same, as a shell does.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let by_signal = || status.signal().map(|number| 128 + number);
    let code = status.code().or_else(by_signal).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: u8) {
        let status = run(Command::new("sh").args(["-c", script]), signals::wait).unwrap();
        assert_eq!(exit_code(status), ExitCode::from(expected));
    }

    #[test]
    fn the_exit_code_is_the_commands() {
        check("exit 0", 0);
        check("exit 7", 7);
        check("kill -TERM $$", 143);
    }

    #[test]
    fn a_signal_ends_the_command() {
        let status = run(Command::new("sleep").arg("60"), || Some(Signal::TERMINATE)).unwrap();
        assert_eq!(exit_code(status), ExitCode::from(143));
    }
}

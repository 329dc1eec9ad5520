//! Running another program to its end.

use std::process::{Command, Output};

/// Runs a command to its end; of a failure the line that says most is returned.
pub(crate) fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    Err(telling_line(&stderr, &stdout).unwrap_or_else(|| output.status.to_string()))
}

/// Returns the last line that pip marks as an error, the first that Maven does, or else the last line there is.
fn telling_line(stderr: &str, stdout: &str) -> Option<String> {
    let lines = || stdout.lines().chain(stderr.lines()).map(str::trim);
    let of_pip = lines()
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .next_back();
    // Below its first error Maven explains how to find out more; before it may come an escape that resets colours.
    let of_maven = || lines().find_map(|line| Some(line.split_once("[ERROR] ")?.1));
    let last = || lines().rfind(|line| !line.is_empty());
    of_pip.or_else(of_maven).or_else(last).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stderr: &str, stdout: &str, expected: Option<&str>) {
        assert_eq!(telling_line(stderr, stdout).as_deref(), expected);
    }

    #[test]
    fn the_line_that_says_most_is_found() {
        check("", "", None);
        check("\n", "", None);
        check(
            "Traceback\n  line 3\nOSError: no space left\n",
            "",
            Some("OSError: no space left"),
        );
        check(
            "ERROR: one\nERROR: two\nnotice: a newer pip exists\n",
            "",
            Some("two"),
        );
        check(
            "",
            "\u{1b}[0m[ERROR] no such version\n[ERROR] \n[ERROR] To see the full stack trace, use -e\n",
            Some("no such version"),
        );
    }
}

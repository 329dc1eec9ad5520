//! What every change carries, and what comes of it.

use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use moderation_wire::v1;
use serde_json::{Value, json};

use super::output::{print, print_json, printable};

/// Who changes something, why, on what, and for whom to wait.
#[derive(clap::Args, Debug)]
pub(crate) struct Terms {
    /// Why: stands in the history and in the audit for ever.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who: your user name on this machine, unless you say otherwise.
    #[arg(long, env = "USER", hide_env_values = true, value_name = "NAME")]
    author: Option<String>,
    /// Make the change only if this version serves (0: none). Left out, it is the version that serves now.
    #[arg(long, value_name = "VERSION")]
    expected_version: Option<u64>,
    /// Wait until every live replica that needs the change has acknowledged it.
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, such as 10s.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = humantime::parse_duration)]
    wait_timeout: Duration,
}

impl Terms {
    /// Returns the version on which the change rests, if the author said so.
    pub(crate) fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }

    /// Returns what goes over the wire.
    ///
    /// # Errors
    /// Nobody can be named as the author.
    pub(crate) fn options(&self, expected_version: u64) -> anyhow::Result<v1::WriteOptions> {
        let named = self
            .author
            .clone()
            .filter(|author| !author.trim().is_empty());
        let Some(author) = named.or_else(user_name) else {
            bail!("who makes the change? this user has no name here; say it with --author NAME");
        };
        if self.reason.trim().is_empty() {
            bail!("--reason is empty; say why, for those who read the history later");
        }
        let wait = if self.wait {
            v1::Wait::All
        } else {
            v1::Wait::None
        };
        Ok(v1::WriteOptions {
            expected_version,
            author,
            reason: self.reason.clone(),
            wait: wait as i32,
            // 0 would mean the server's default.
            wait_timeout_ms: u32::try_from(self.wait_timeout.as_millis())
                .unwrap_or(u32::MAX)
                .max(1),
        })
    }
}

/// Returns the name of the user who runs this process, where USER is not set: in containers, services and CI.
fn user_name() -> Option<String> {
    let user_id = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|user| {
        // name:password:user id:…
        let mut fields = user.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(user_id.as_str())).then(|| name.to_owned())
    })
}

/// Prints what came of a change; replicas that were waited for in vain make it a failure.
pub(crate) fn report(
    object: &str,
    outcome: Option<v1::WriteOutcome>,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let outcome = outcome.unwrap_or_default();
    if as_json {
        print_json(&outcome_json(&outcome))?;
    } else {
        print(&outcome_text(object, &outcome))?;
    }
    let is_whole = outcome.lagging.is_empty();
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn outcome_text(object: &str, outcome: &v1::WriteOutcome) -> String {
    let mut text = format!(
        "{object} {} is what must serve from now on\n",
        outcome.version
    );
    for difference in &outcome.differences {
        text.push_str(&format!("  {}\n", printable(difference)));
    }
    if !outcome.acknowledged_by.is_empty() {
        let by = printable(&outcome.acknowledged_by.join(", "));
        text.push_str(&format!("acknowledged by {by}\n"));
    }
    if outcome.acknowledged_by.is_empty() && outcome.lagging.is_empty() {
        text.push_str("replicas take it on within moments; `tidegate status` shows which have\n");
    }
    for problem in &outcome.silent {
        let (replica, detail) = (printable(&problem.replica_id), printable(&problem.detail));
        text.push_str(&format!(
            "not waited for {replica}: {detail}; if it comes back it reads the change before it goes on\n"
        ));
    }
    for problem in &outcome.lagging {
        let (replica, detail) = (printable(&problem.replica_id), printable(&problem.detail));
        text.push_str(&format!("not acknowledged by {replica}: {detail}\n"));
    }
    text
}

fn outcome_json(outcome: &v1::WriteOutcome) -> Value {
    let problems = |problems: &[v1::ReplicaProblem]| -> Vec<Value> {
        let each = problems.iter();
        each.map(|problem| json!({ "replica_id": problem.replica_id, "detail": problem.detail }))
            .collect()
    };
    json!({
        "version": outcome.version,
        "control_offset": outcome.control_offset,
        "differences": outcome.differences,
        "acknowledged_by": outcome.acknowledged_by,
        "lagging": problems(&outcome.lagging),
        "silent": problems(&outcome.silent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lags_is_named() {
        let outcome = v1::WriteOutcome {
            version: 4,
            control_offset: 8,
            differences: vec!["rule a: threshold 0.900 -> 0.880".to_owned()],
            acknowledged_by: vec!["e-1".to_owned()],
            lagging: vec![v1::ReplicaProblem {
                replica_id: "e-2".to_owned(),
                detail: "still serves policy 3".to_owned(),
            }],
            silent: vec![v1::ReplicaProblem {
                replica_id: "e-3".to_owned(),
                detail: "silent for 9.0 s".to_owned(),
            }],
        };
        assert_eq!(
            outcome_text("policy", &outcome),
            "policy 4 is what must serve from now on\n  rule a: threshold 0.900 -> 0.880\nacknowledged by e-1\n\
             not waited for e-3: silent for 9.0 s; if it comes back it reads the change before it goes on\n\
             not acknowledged by e-2: still serves policy 3\n"
        );
        assert_eq!(outcome_json(&outcome)["lagging"][0]["replica_id"], "e-2");
    }
}

//! The `tidegate` binary: every stage, the operator's commands, and the demo.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to people"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod commands;
mod demo;
mod stage;

/// Streaming content moderation: content events in, explained and reversible enforcement actions out.
///
/// Run `tidegate demo` first: it starts everything in this process, with traffic of its own, and needs no Kafka.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole pipeline, with traffic whose truth is known.
    Demo(demo::Args),
    /// Score content events with the deployed models.
    Classifier(stage::Args),
    /// Decide scored events under the serving policy, and publish what follows.
    Enforcer(stage::Args),
    /// Serve the gRPC interface that changes policies and deployments.
    ControlPlane(stage::Args),
    /// Look at the policy, check it, and change it while traffic flows.
    Policy(commands::policy::Args),
    /// Look at models, check them, and deploy them while traffic flows.
    Model(commands::model::Args),
    /// Show every replica and the versions it serves.
    Status(commands::status::Args),
    /// Make the topics of an installation, and compare them with what its file says.
    Topics(commands::topics::Args),
    /// Say whether a configuration file would be taken, before anything is started with it.
    Config(commands::config::Args),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // One line: causes follow their consequence, as `anyhow` chains them.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args),
        Command::Classifier(args) => stage::run("classifier", &args, classifier::run),
        Command::Enforcer(args) => stage::run("enforcer", &args, enforcer::run),
        Command::ControlPlane(args) => stage::run("control-plane", &args, control_plane::run),
        Command::Policy(args) => commands::policy::run(args),
        Command::Model(args) => commands::model::run(args),
        Command::Status(args) => commands::status::run(args),
        Command::Topics(args) => commands::topics::run(args),
        Command::Config(args) => commands::config::run(args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}

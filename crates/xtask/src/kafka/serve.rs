//! `cargo xtask kafka`: a cluster until somebody has had enough.

use std::{
    io::{self, BufRead, Write},
    sync::mpsc::SyncSender,
    thread,
};

use super::{Cluster, ClusterOptions, Kafka, cluster::Event, description};
use crate::signals;

/// Runs a cluster until a signal comes, or the input of a program that started it ends.
pub(crate) fn serve(kafka: Kafka, options: &ClusterOptions) -> Result<(), String> {
    signals::catch();
    let mut cluster = Cluster::start(kafka, options)?;
    if options.json {
        tell(&description::json(&cluster))?;
        read_input(cluster.sender());
        return serve_program(&mut cluster);
    }
    tell(&description::text(&cluster))?;
    let result = serve_person(&mut cluster);
    eprintln!("stopping");
    result
}

/// Nobody can start a broker again here, so that the last one's end is the end.
fn serve_person(cluster: &mut Cluster) -> Result<(), String> {
    loop {
        match cluster.next_event() {
            Some(Event::Ended(pid)) => {
                cluster.report_end(pid);
                if cluster.nodes().all(|(node, _)| node.pid().is_none()) {
                    return Err("no broker is left".to_owned());
                }
            }
            Some(Event::Signal(_)) => return Ok(()),
            _ => {}
        }
    }
}

/// Does what a program says, and tells it of every change.
fn serve_program(cluster: &mut Cluster) -> Result<(), String> {
    loop {
        match cluster.next_event() {
            Some(Event::Ended(pid)) => {
                if cluster.report_end(pid) {
                    tell(&description::json(cluster))?;
                }
            }
            Some(Event::Line(line)) => {
                if let Err(error) = obey(cluster, &line) {
                    eprintln!("error: {error}");
                }
                tell(&description::json(cluster))?;
            }
            Some(Event::EndOfInput | Event::Signal(_)) => return Ok(()),
            Some(Event::Ready(_)) | None => {}
        }
    }
}

/// Prints to whoever may have gone.
fn tell(text: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{text}")
        .map_err(|error| format!("cannot write to standard output: {error}"))
}

fn obey(cluster: &mut Cluster, line: &str) -> Result<(), String> {
    let id = |id: &str| {
        id.parse::<u8>()
            .map_err(|_| format!("there is no broker {id}"))
    };
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["start", node] => {
            cluster.launch(id(node)?)?;
            cluster.wait_until_ready()
        }
        ["stop", node] => cluster.halt(id(node)?),
        _ => Err(format!("unknown line {line:?}: use start ID or stop ID")),
    }
}

fn read_input(events: SyncSender<Event>) {
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if events.send(Event::Line(line)).is_err() {
                return;
            }
        }
        // Nobody listens any more if the cluster has ended.
        events.send(Event::EndOfInput).ok();
    });
}

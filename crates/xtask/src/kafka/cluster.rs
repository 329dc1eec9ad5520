//! One or three nodes that belong together.

use std::{
    collections::VecDeque,
    path::PathBuf,
    process::{Child, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use super::{
    ClusterOptions, Kafka,
    certificate::{Security, USER},
    data_folder::DataFolder,
    node::Node,
    ports::{self, Ports},
    properties::{self, NodeConfig},
    random,
};
use crate::signals::{self, Signal};

/// How long brokers may take to be ready; far more than they need on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Where the lines of a log go.
const LOGGING: &str = include_str!("log4j2.xml");
/// More than come at the same time.
const EVENTS: usize = 64;

/// What happens around a cluster.
pub(crate) enum Event {
    /// The broker with this process id is ready.
    Ready(u32),
    /// The broker with this process id has ended.
    Ended(u32),
    /// Somebody typed a line.
    Line(String),
    /// Nobody will type any more.
    EndOfInput,
    /// Somebody asked this program to end.
    Signal(Signal),
}

/// A running cluster. Stopped in order when dropped.
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    ports: Vec<Ports>,
    security: Option<Security>,
    password: String,
    kafka: Kafka,
    sender: SyncSender<Event>,
    events: Receiver<Event>,
    postponed: VecDeque<Event>,
    // Dropped last, for the nodes write there.
    folder: DataFolder,
}

impl Cluster {
    /// Starts a cluster and waits until all of it is ready.
    pub(crate) fn start(kafka: Kafka, options: &ClusterOptions) -> Result<Self, String> {
        let mut cluster = Self::prepare(kafka, options)?;
        cluster.format()?;
        for id in 1..=options.brokers {
            cluster.launch(id)?;
        }
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Writes everything that the nodes read.
    fn prepare(kafka: Kafka, options: &ClusterOptions) -> Result<Self, String> {
        let ports = ports::choose(options.brokers, options.port)?;
        for node in &ports {
            ports::check_free(node.plain)?;
            if options.secure {
                ports::check_free(node.secure)?;
            }
        }
        let folder = DataFolder::open(options.data.as_deref())?;
        folder.check_brokers(options.brokers)?;
        folder.write("log4j2.xml", LOGGING)?;
        let password = folder.read_or_make("password", || random::hex(16))?;
        let security = match options.secure {
            true => Some(Security::prepare(&folder.path().join("secure"), &password)?),
            false => None,
        };
        let nodes = (1..=options.brokers)
            .map(|id| Node::new(id, folder.path().join(format!("node-{id}"))))
            .collect();
        let (sender, events) = sync_channel(EVENTS);
        let cluster = Self {
            nodes,
            ports,
            security,
            password,
            kafka,
            sender,
            events,
            postponed: VecDeque::new(),
            folder,
        };
        cluster.write_properties()?;
        Ok(cluster)
    }

    fn write_properties(&self) -> Result<(), String> {
        for node in &self.nodes {
            let records = node.records();
            std::fs::create_dir_all(&records)
                .map_err(|error| format!("cannot create {}: {error}", records.display()))?;
            let text = properties::text(&NodeConfig {
                id: node.id,
                ports: &self.ports,
                records: &records,
                security: self.security.as_ref(),
                password: &self.password,
            });
            self.folder
                .write(&format!("node-{}/server.properties", node.id), &text)?;
        }
        Ok(())
    }

    /// Gives the nodes that are new the cluster's id and its user, all of them at the same time.
    fn format(&self) -> Result<(), String> {
        // 16 bytes in the alphabet of base64, of which hexadecimal digits are a part.
        let cluster_id = self
            .folder
            .read_or_make("cluster-id", || Ok(random::hex(11)?[..21].to_owned() + "A"))?;
        let is_new = |node: &&Node| !node.records().join("meta.properties").is_file();
        let formatting: Result<Vec<Child>, String> = self
            .nodes
            .iter()
            .filter(is_new)
            .map(|node| self.format_node(node, &cluster_id))
            .collect();
        formatting?.into_iter().try_for_each(|child| {
            let output = child
                .wait_with_output()
                .map_err(|error| format!("cannot wait for java: {error}"))?;
            match output.status.success() {
                true => Ok(()),
                false => Err(format!(
                    "Kafka could not format {}: {}",
                    self.folder.path().display(),
                    String::from_utf8_lossy(&output.stderr).trim()
                )),
            }
        })
    }

    fn format_node(&self, node: &Node, cluster_id: &str) -> Result<Child, String> {
        let mut java = self
            .kafka
            .java(&["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        java.args([
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            cluster_id,
            "--config",
        ])
        .arg(node.properties());
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let password = &self.password;
            java.args([
                "--add-scram",
                &format!("{mechanism}=[name={USER},password={password}]"),
            ]);
        }
        java.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot run java: {error}"))
    }

    /// Starts one node.
    ///
    /// # Errors
    ///
    /// Says what is wrong: there is no such node, it runs already, or its port is taken.
    pub(crate) fn launch(&mut self, id: u8) -> Result<(), String> {
        let logging = self.folder.path().join("log4j2.xml");
        let sender = self.sender.clone();
        let node = find(&mut self.nodes, id)?;
        if node.pid().is_some() {
            return Err(format!("broker {id} runs already"));
        }
        ports::check_free(self.ports[usize::from(id) - 1].plain)?;
        node.start(&self.kafka, &logging, sender)
    }

    /// Stops one node in order.
    ///
    /// # Errors
    ///
    /// Says that there is no such node.
    pub(crate) fn halt(&mut self, id: u8) -> Result<(), String> {
        find(&mut self.nodes, id).map(Node::stop)
    }

    /// Waits until every node that was started is ready. What else happens meanwhile comes later.
    pub(crate) fn wait_until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + READY_WITHIN;
        while let Some(starting) = self.nodes.iter().position(Node::is_starting) {
            if Instant::now() > deadline {
                let failure = self.failure(starting, "is not ready yet");
                self.nodes[starting].stop();
                return Err(failure);
            }
            match self.look() {
                None => {}
                Some(Event::Ended(pid)) if self.nodes[starting].pid() == Some(pid) => {
                    let failure = self.failure(starting, "did not come up");
                    self.nodes[starting].note_end(pid);
                    return Err(failure);
                }
                Some(end @ (Event::Signal(_) | Event::EndOfInput)) => {
                    self.postponed.push_back(end);
                    return Err("stopped before all brokers were up".to_owned());
                }
                Some(other) => self.postponed.push_back(other),
            }
        }
        Ok(())
    }

    fn failure(&self, node: usize, what: &str) -> String {
        let node = &self.nodes[node];
        format!("broker {} {what}; {}", node.id, node.end_of_log())
    }

    /// Waits for a moment for something to happen.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.postponed.pop_front().or_else(|| self.look())
    }

    fn look(&mut self) -> Option<Event> {
        if let Some(signal) = signals::caught() {
            return Some(Event::Signal(signal));
        }
        match self.events.recv_timeout(signals::LOOK) {
            Ok(Event::Ready(pid)) => {
                self.nodes.iter_mut().for_each(|node| node.note_ready(pid));
                None
            }
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Waits for a moment for a signal, and says meanwhile which brokers have ended.
    pub(crate) fn wait_for_signal(&mut self) -> Option<Signal> {
        match self.next_event()? {
            Event::Signal(signal) => Some(signal),
            Event::Ended(pid) => {
                self.report_end(pid);
                None
            }
            _ => None,
        }
    }

    /// Takes note that a broker has ended, and says so unless it was stopped on purpose. Tells whether it did.
    pub(crate) fn report_end(&mut self, pid: u32) -> bool {
        let Some(id) = self.note_end(pid) else {
            return false;
        };
        eprintln!("broker {id} (process {pid}) has ended");
        true
    }

    /// Takes note that a broker has ended, and returns its node's id unless it was stopped on purpose.
    fn note_end(&mut self, pid: u32) -> Option<u8> {
        self.nodes
            .iter_mut()
            .find_map(|node| node.note_end(pid).then_some(node.id))
    }

    /// Returns the addresses of all brokers, without encryption.
    pub(crate) fn brokers(&self) -> String {
        self.addresses(|ports| ports.plain)
    }

    /// Returns the addresses of all secure listeners.
    pub(crate) fn secure_brokers(&self) -> String {
        self.addresses(|ports| ports.secure)
    }

    fn addresses(&self, port: fn(&Ports) -> u16) -> String {
        let addresses: Vec<String> = self
            .ports
            .iter()
            .map(|ports| format!("127.0.0.1:{}", port(ports)))
            .collect();
        addresses.join(",")
    }

    /// Returns where others report what happens.
    pub(crate) fn sender(&self) -> SyncSender<Event> {
        self.sender.clone()
    }

    /// Returns the nodes with their ports.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&Node, Ports)> {
        self.nodes.iter().zip(self.ports.iter().copied())
    }

    /// Returns the folder of records and logs.
    pub(crate) fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Returns the authority's certificate and the user's password, if there is a secure listener.
    pub(crate) fn secure(&self) -> Option<(PathBuf, &str)> {
        let security = self.security.as_ref()?;
        Some((security.authority.clone(), &self.password))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // All at the same time; dropping each then waits for it.
        self.nodes.iter_mut().for_each(Node::ask_to_stop);
    }
}

fn find(nodes: &mut [Node], id: u8) -> Result<&mut Node, String> {
    let count = nodes.len();
    nodes
        .iter_mut()
        .find(|node| node.id == id)
        .ok_or_else(|| format!("there is no broker {id}: 1 to {count}"))
}

//! A node's configuration.

use std::path::Path;

use super::{
    certificate::{Security, USER},
    ports::Ports,
};

/// What a node's configuration says of the node, and of the cluster around it.
pub(crate) struct NodeConfig<'a> {
    /// From 1 on.
    pub(crate) id: u8,
    /// The ports of all nodes, in the order of their ids.
    pub(crate) ports: &'a [Ports],
    /// Where the records are.
    pub(crate) records: &'a Path,
    /// Of the secure listener, where there is one.
    pub(crate) security: Option<&'a Security>,
    /// Of the only user, and of the key.
    pub(crate) password: &'a str,
}

/// Chosen so that tests need not wait, and so that a broker fits beside what it serves.
const COMMON: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
# Who asks for a topic says how it is kept.
auto.create.topics.enable=false
# A group starts at once, and a member that died is missed soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# After kill -9 a broker must wait for the end of its own old session.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
# A producer that died holds read-committed readers up until its transaction is aborted.
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
# Few partitions of its own: each is files and memory.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
# As shipped the cleaner alone takes a quarter of the heap, and rests for 15 s.
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=1000
";

/// Returns the text of the configuration file.
pub(crate) fn text(node: &NodeConfig<'_>) -> String {
    let id = node.id;
    let records = escape(&node.records.to_string_lossy());
    let mut text = format!("node.id={id}\nlog.dirs={records}\n{COMMON}");
    text += &replication(node.ports.len());
    text += &listeners(node);
    if let Some(security) = node.security {
        text += &secure_listener(security, node.password);
    }
    text
}

/// Three nodes keep everything three times and go on with two.
fn replication(nodes: usize) -> String {
    let (factor, least) = if nodes == 1 { (1, 1) } else { (3, 2) };
    format!(
        "default.replication.factor={factor}\nmin.insync.replicas={least}\n\
         offsets.topic.replication.factor={factor}\n\
         transaction.state.log.replication.factor={factor}\ntransaction.state.log.min.isr={least}\n\
         share.coordinator.state.topic.replication.factor={factor}\nshare.coordinator.state.topic.min.isr={least}\n"
    )
}

fn listeners(node: &NodeConfig<'_>) -> String {
    let own = node.ports[usize::from(node.id) - 1];
    let mut clients = format!("PLAIN://127.0.0.1:{}", own.plain);
    if node.security.is_some() {
        clients += &format!(",SECURE://127.0.0.1:{}", own.secure);
    }
    let voters: Vec<String> = (1..)
        .zip(node.ports)
        .map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller))
        .collect();
    format!(
        "listener.security.protocol.map=PLAIN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT\n\
         listeners={clients},CONTROLLER://127.0.0.1:{}\nadvertised.listeners={clients}\n\
         controller.quorum.voters={}\n",
        own.controller,
        voters.join(",")
    )
}

fn secure_listener(security: &Security, password: &str) -> String {
    let keystore = escape(&security.keystore.to_string_lossy());
    let listener = "listener.name.secure";
    let modules = "org.apache.kafka.common.security";
    let scram = |mechanism: &str| {
        format!(
            "{listener}.{mechanism}.sasl.jaas.config={modules}.scram.ScramLoginModule required;\n"
        )
    };
    format!(
        "{listener}.ssl.keystore.type=PKCS12\n{listener}.ssl.keystore.location={keystore}\n\
         {listener}.ssl.keystore.password={password}\n{listener}.ssl.key.password={password}\n\
         {listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n\
         {listener}.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{USER}=\"{password}\";\n"
    ) + &scram("scram-sha-256")
        + &scram("scram-sha-512")
}

/// A backslash escapes in a properties file.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const PORTS: [Ports; 3] = [ports(1), ports(2), ports(3)];

    const fn ports(node: u16) -> Ports {
        Ports {
            plain: 9000 + node,
            secure: 9100 + node,
            controller: 9200 + node,
        }
    }

    #[track_caller]
    fn check(id: u8, nodes: usize, security: Option<&Security>, expected: &[&str]) {
        let text = text(&NodeConfig {
            id,
            ports: &PORTS[..nodes],
            records: Path::new("/data/node"),
            security,
            password: "secret",
        });
        for line in expected {
            assert!(text.lines().any(|found| found == *line), "{line}: {text}");
        }
        assert_eq!(text.contains("secret"), security.is_some());
    }

    #[test]
    fn one_node_keeps_everything_once() {
        check(
            1,
            1,
            None,
            &[
                "node.id=1",
                "log.dirs=/data/node",
                "default.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "listeners=PLAIN://127.0.0.1:9001,CONTROLLER://127.0.0.1:9201",
                "controller.quorum.voters=1@127.0.0.1:9201",
            ],
        );
    }

    #[test]
    fn three_nodes_form_one_quorum() {
        check(
            2,
            3,
            None,
            &[
                "min.insync.replicas=2",
                "listeners=PLAIN://127.0.0.1:9002,CONTROLLER://127.0.0.1:9202",
                "controller.quorum.voters=1@127.0.0.1:9201,2@127.0.0.1:9202,3@127.0.0.1:9203",
            ],
        );
    }

    #[test]
    fn a_secure_listener_stands_beside_the_plain_one() {
        let security = Security {
            keystore: PathBuf::from("/data/broker.p12"),
            authority: PathBuf::from("/data/ca.pem"),
        };
        check(
            1,
            1,
            Some(&security),
            &[
                "advertised.listeners=PLAIN://127.0.0.1:9001,SECURE://127.0.0.1:9101",
                "listener.name.secure.ssl.keystore.location=/data/broker.p12",
            ],
        );
    }
}

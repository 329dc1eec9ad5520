//! Ports of this machine to listen at.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

use super::random;

/// Below what systems give to outgoing connections: one of those could take a port while its broker is away.
const FREE: Range<u16> = 20_000..30_000;

/// The ports of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    /// For clients and the other brokers, without encryption.
    pub(crate) plain: u16,
    /// For clients, with SASL over TLS.
    pub(crate) secure: u16,
    /// For the quorum of controllers.
    pub(crate) controller: u16,
}

/// Chooses the ports of each node: from `first` on for clients, plain ones before secure ones; free ones if that is 0.
pub(crate) fn choose(nodes: u8, first: u16) -> Result<Vec<Ports>, String> {
    let nodes = u16::from(nodes);
    let count = if first == 0 { 3 * nodes } else { nodes };
    let mut free = find_free(usize::from(count))?.into_iter();
    let mut next_free = || free.next().expect("as many as were counted");
    let ports = |node: u16| match first {
        0 => Ports {
            plain: next_free(),
            secure: next_free(),
            controller: next_free(),
        },
        first => Ports {
            plain: first + node,
            secure: first + nodes + node,
            controller: next_free(),
        },
    };
    Ok((0..nodes).map(ports).collect())
}

/// Makes sure that nobody listens at a port.
pub(crate) fn check_free(port: u16) -> Result<(), String> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "cannot listen at 127.0.0.1:{port}: {error}; stop what listens there, or choose another --port (0 takes a free one)"
        )),
    }
}

fn find_free(count: usize) -> Result<Vec<u16>, String> {
    // Clusters that start at the same time look from different places on.
    let width = u32::from(FREE.end - FREE.start);
    let offset = (random::number()? % width) as u16;
    let from = FREE.start + offset;
    let found: Vec<u16> = (from..FREE.end)
        .chain(FREE.start..from)
        .filter(|&port| check_free(port).is_ok())
        .take(count)
        .collect();
    match found.len() == count {
        true => Ok(found),
        false => Err(format!(
            "no {count} ports from {} to {} are free",
            FREE.start, FREE.end
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(nodes: u8, first: u16, expected: &[(u16, u16)]) {
        let ports = choose(nodes, first).unwrap();
        let found: Vec<(u16, u16)> = ports.iter().map(|node| (node.plain, node.secure)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_named_port_is_the_first_of_several() {
        check(1, 9092, &[(9092, 9093)]);
        check(3, 9092, &[(9092, 9095), (9093, 9096), (9094, 9097)]);
    }

    #[test]
    fn free_ports_differ() {
        let mut ports: Vec<u16> = choose(3, 0)
            .unwrap()
            .iter()
            .flat_map(|node| [node.plain, node.secure, node.controller])
            .collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 9);
    }
}

//! A cluster in words, for people and for programs.

use super::{Cluster, VERSION, certificate::USER, node::Node, ports::Ports};

/// Returns one line of JSON.
pub(crate) fn json(cluster: &Cluster) -> String {
    let nodes: Vec<String> = cluster.nodes().map(node_json).collect();
    format!(
        "{{\"brokers\":{},\"nodes\":[{}],\"data\":{},\"secure\":{}}}",
        string(&cluster.brokers()),
        nodes.join(","),
        string(&cluster.folder().path().to_string_lossy()),
        secure_json(cluster)
    )
}

fn node_json((node, ports): (&Node, Ports)) -> String {
    let pid = node.pid().map_or("null".to_owned(), |pid| pid.to_string());
    format!(
        "{{\"id\":{},\"pid\":{pid},\"port\":{}}}",
        node.id, ports.plain
    )
}

fn secure_json(cluster: &Cluster) -> String {
    let Some((authority, password)) = cluster.secure() else {
        return "null".to_owned();
    };
    format!(
        "{{\"brokers\":{},\"ca\":{},\"user\":{},\"password\":{}}}",
        string(&cluster.secure_brokers()),
        string(&authority.to_string_lossy()),
        string(USER),
        string(password)
    )
}

/// Writes a string as JSON does.
fn string(value: &str) -> String {
    let mut quoted = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns what a person wants to know.
pub(crate) fn text(cluster: &Cluster) -> String {
    let folder = cluster.folder();
    let fate = match folder.is_temporary() {
        true => "removed at the end",
        false => "kept",
    };
    let count = cluster.nodes().count();
    let mut text = format!(
        "Apache Kafka {VERSION} is ready: {count} broker{}. Ctrl-C stops it.\n\n  \
         brokers  {}\n  data     {} ({fate}; logs in node-*/server.log)\n",
        if count == 1 { "" } else { "s" },
        cluster.brokers(),
        folder.path().display()
    );
    if let Some((authority, password)) = cluster.secure() {
        text += &format!(
            "\nWith SASL over TLS; SCRAM-SHA-256 and PLAIN work too:\n\n  \
             [kafka]\n  brokers = \"{}\"\n  [kafka.client]\n  \
             \"security.protocol\" = \"SASL_SSL\"\n  \"ssl.ca.location\" = {authority:?}\n  \
             \"sasl.mechanism\" = \"SCRAM-SHA-512\"\n  \"sasl.username\" = \"{USER}\"\n  \"sasl.password\" = \"{password}\"\n",
            cluster.secure_brokers()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        assert_eq!(string(value), expected);
    }

    #[test]
    fn strings_are_quoted_as_json() {
        check("/tmp/a b", r#""/tmp/a b""#);
        check(r#"a"b\c"#, r#""a\"b\\c""#);
        check("a\nb", r#""a\u000ab""#);
    }
}

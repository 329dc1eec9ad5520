//! What a stage says of its readiness.

use std::net::SocketAddr;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Deserialize)]
struct Answer {
    ready: bool,
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    condition: String,
    reason: Option<String>,
}

/// Asks a stage at its telemetry address for what it waits for; `None` if it is ready.
pub(super) async fn unmet(telemetry: SocketAddr) -> Option<String> {
    match get(telemetry, "/ready").await {
        Err(error) => Some(format!("http://{telemetry}/ready does not answer: {error}")),
        Ok(answer) => unmet_of(&answer),
    }
}

async fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn unmet_of(answer: &str) -> Option<String> {
    let body = answer
        .split_once("\r\n\r\n")
        .map_or("", |(_headers, body)| body);
    match serde_json::from_str::<Answer>(body) {
        Err(_) => Some("it does not say what it waits for".to_owned()),
        Ok(answer) if answer.ready => None,
        Ok(answer) => {
            let unmet = answer.conditions.into_iter().filter_map(|known| {
                let reason = known.reason?;
                Some(format!("{} ({reason})", known.condition))
            });
            Some(unmet.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        let answer = format!("HTTP/1.1 503 Service Unavailable\r\n\r\n{body}");
        assert_eq!(unmet_of(&answer).as_deref(), expected);
    }

    #[test]
    fn what_is_waited_for_is_named() {
        check(r#"{"ready":true,"draining":false,"conditions":[]}"#, None);
        check(
            r#"{"ready":false,"draining":false,"conditions":[
                {"service":"enforcer","condition":"topics","ready":true},
                {"service":"enforcer","condition":"serving","ready":false,"reason":"no policy"},
                {"service":"enforcer","condition":"pipeline","ready":false,"reason":"not started"}]}"#,
            Some("serving (no policy), pipeline (not started)"),
        );
        check("", Some("it does not say what it waits for"));
    }
}

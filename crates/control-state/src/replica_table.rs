//! Who lives, and what each serves. Pure: `now` is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use moderation_wire::v1;
use prost::Message;

use crate::replica::ReplicaId;

/// A replica is live while its last heartbeat is younger than this.
pub const LIVE_FOR: Duration = Duration::from_secs(3);

/// A replica that has been silent for longer is forgotten.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// More replicas than this are not remembered, whoever writes to the topic.
const MAX_REPLICAS: usize = 10_000;

/// Far more than a heartbeat has, and with [`MAX_REPLICAS`] a bound of this table's memory.
const MAX_HEARTBEAT_BYTES: usize = 16 * 1024;

/// The replicas that were heard of lately.
#[derive(Clone, Debug, Default)]
pub struct ReplicaTable {
    replicas: BTreeMap<ReplicaId, KnownReplica>,
}

/// A replica's last heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownReplica {
    /// What it said.
    pub heartbeat: v1::ReplicaHeartbeat,
    /// When it said so, by this process's clock.
    pub heard_at: Instant,
}

/// Why a heartbeat has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnusableHeartbeat {
    /// It cannot be read, is far too large, or names no valid replica.
    Malformed,
    /// The table is full.
    TooMany,
}

impl KnownReplica {
    /// Returns how long it has been silent.
    pub fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard_at)
    }

    /// Returns whether it counts as running.
    pub fn is_live(&self, now: Instant) -> bool {
        self.silence(now) < LIVE_FOR
    }
}

impl ReplicaTable {
    /// Takes a heartbeat's bytes, heard at `heard_at`; the later one of a replica counts. One that leaves is forgotten
    /// at once.
    ///
    /// # Errors
    /// Says why the heartbeat is to be skipped.
    pub fn hear(&mut self, value: &[u8], heard_at: Instant) -> Result<(), UnusableHeartbeat> {
        if value.len() > MAX_HEARTBEAT_BYTES {
            return Err(UnusableHeartbeat::Malformed);
        }
        let heartbeat =
            v1::ReplicaHeartbeat::decode(value).map_err(|_| UnusableHeartbeat::Malformed)?;
        let id = ReplicaId::new(&heartbeat.replica_id).map_err(|_| UnusableHeartbeat::Malformed)?;
        if heartbeat.leaving {
            self.replicas.remove(&id);
            return Ok(());
        }
        if self.replicas.len() >= MAX_REPLICAS && !self.replicas.contains_key(&id) {
            return Err(UnusableHeartbeat::TooMany);
        }
        self.replicas.insert(
            id,
            KnownReplica {
                heartbeat,
                heard_at,
            },
        );
        Ok(())
    }

    /// Drops what has been silent for [`REMEMBERED_FOR`]; returns whether there was any.
    pub fn forget(&mut self, now: Instant) -> bool {
        let before = self.replicas.len();
        self.replicas
            .retain(|_, replica| replica.silence(now) < REMEMBERED_FOR);
        self.replicas.len() != before
    }

    /// Returns one replica, live or not.
    pub fn get(&self, id: &ReplicaId) -> Option<&KnownReplica> {
        self.replicas.get(id)
    }

    /// Iterates over all replicas in the order of their ids, live or not.
    pub fn iter(&self) -> impl Iterator<Item = (&ReplicaId, &KnownReplica)> {
        self.replicas.iter()
    }

    /// Iterates over the live replicas of a stage.
    pub fn live_of_stage<'a>(
        &'a self,
        stage: &'a str,
        now: Instant,
    ) -> impl Iterator<Item = (&'a ReplicaId, &'a KnownReplica)> {
        self.iter()
            .filter(move |(_, replica)| replica.heartbeat.stage == stage && replica.is_live(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(id: &str, leaving: bool) -> Vec<u8> {
        let heartbeat = v1::ReplicaHeartbeat {
            replica_id: id.to_owned(),
            stage: "enforcer".to_owned(),
            leaving,
            ..Default::default()
        };
        heartbeat.encode_to_vec()
    }

    #[track_caller]
    fn check_live(table: &ReplicaTable, now: Instant, expected: &[&str]) {
        let live: Vec<&str> = table
            .live_of_stage("enforcer", now)
            .map(|(id, _)| id.as_str())
            .collect();
        assert_eq!(live, expected);
    }

    #[test]
    fn a_replica_lives_three_seconds_after_its_last_word() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut table = ReplicaTable::default();
        assert_eq!(table.hear(&heartbeat("a", false), start), Ok(()));
        assert_eq!(table.hear(&heartbeat("b", false), after(2_000)), Ok(()));
        check_live(&table, after(2_999), &["a", "b"]);
        check_live(&table, after(3_000), &["b"]);
        assert_eq!(table.hear(&heartbeat("a", false), after(4_000)), Ok(()));
        check_live(&table, after(6_999), &["a"]);
        assert_eq!(table.live_of_stage("classifier", start).count(), 0);
    }

    #[test]
    fn who_leaves_or_is_silent_for_long_is_forgotten() {
        let start = Instant::now();
        let mut table = ReplicaTable::default();
        for id in ["a", "b"] {
            assert_eq!(table.hear(&heartbeat(id, false), start), Ok(()));
        }
        assert_eq!(table.hear(&heartbeat("a", true), start), Ok(()));
        check_live(&table, start, &["b"]);
        assert!(!table.forget(start + Duration::from_secs(599)));
        assert!(table.forget(start + REMEMBERED_FOR));
        assert_eq!(table.iter().count(), 0);
    }

    #[test]
    fn what_is_no_heartbeat_is_skipped() {
        let mut table = ReplicaTable::default();
        let huge = v1::ReplicaHeartbeat {
            replica_id: "a".to_owned(),
            detail: "x".repeat(MAX_HEARTBEAT_BYTES),
            ..Default::default()
        };
        let malformed = [
            b"\xff\xff".to_vec(),
            Vec::new(),
            heartbeat("a\nb", false),
            huge.encode_to_vec(),
        ];
        for value in malformed {
            let heard = table.hear(&value, Instant::now());
            assert_eq!(heard, Err(UnusableHeartbeat::Malformed));
        }
        assert_eq!(table.iter().count(), 0);
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut table, now) = (ReplicaTable::default(), Instant::now());
        for number in 0..MAX_REPLICAS {
            assert_eq!(
                table.hear(&heartbeat(&format!("r{number}"), false), now),
                Ok(())
            );
        }
        let one_more = heartbeat("one more", false);
        assert_eq!(table.hear(&one_more, now), Err(UnusableHeartbeat::TooMany));
        assert_eq!(table.hear(&heartbeat("r1", false), now), Ok(()));
    }
}

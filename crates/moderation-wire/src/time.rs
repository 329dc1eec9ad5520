//! Points in time: milliseconds here, seconds and nanoseconds on the wire.

use moderation::Timestamp;

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what protobuf allows, and RFC 3339 can write.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

/// Writes a point in time. What lies outside the years 1 to 9999 is moved to their edge.
pub fn timestamp_to_wire(time: Timestamp) -> prost_types::Timestamp {
    let millis = time
        .as_millis()
        .clamp(FIRST_SECOND * 1000, LAST_SECOND * 1000 + 999);
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: millis.rem_euclid(1000) as i32 * 1_000_000,
    }
}

/// Reads a point in time, to the millisecond below. `None` outside the years 1 to 9999 and for impossible nanoseconds.
pub fn timestamp_from_wire(time: &prost_types::Timestamp) -> Option<Timestamp> {
    let exists = (FIRST_SECOND..=LAST_SECOND).contains(&time.seconds)
        && (0..1_000_000_000).contains(&time.nanos);
    exists.then(|| Timestamp::from_millis(time.seconds * 1000 + i64::from(time.nanos) / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_wire() {
        let check = |millis: i64, expected: i64| {
            let wire = timestamp_to_wire(Timestamp::from_millis(millis));
            let read = timestamp_from_wire(&wire).map(Timestamp::as_millis);
            assert_eq!(read, Some(expected), "{millis}");
        };
        check(0, 0);
        check(-1, -1);
        check(1_700_000_000_123, 1_700_000_000_123);
        check(i64::MIN, FIRST_SECOND * 1000);
        check(i64::MAX, LAST_SECOND * 1000 + 999);
    }

    #[test]
    fn impossible_times_are_refused() {
        let check = |seconds, nanos| {
            let wire = prost_types::Timestamp { seconds, nanos };
            assert_eq!(timestamp_from_wire(&wire), None, "{seconds} {nanos}");
        };
        check(0, -1);
        check(0, 1_000_000_000);
        check(i64::MIN, 0);
        check(i64::MAX, 0);
        check(LAST_SECOND + 1, 0);
    }
}

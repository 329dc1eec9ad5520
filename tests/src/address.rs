//! Addresses of this machine for processes to listen at.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{SocketAddr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Below what systems give to outgoing connections: one of those could take the port of a process that is killed before
/// that is started again.
const FIRST: u16 = 10_000;
const COUNT: u16 = 10_000;

/// The port to look at next. Test programs that run at the same time look from different places on.
static NEXT: LazyLock<Mutex<u16>> = LazyLock::new(|| {
    let random = RandomState::new().build_hasher().finish();
    Mutex::new((random % u64::from(COUNT)) as u16)
});

/// Returns an address at which nobody listens, and never the same one twice.
pub fn free_address() -> SocketAddr {
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..COUNT {
        let address = SocketAddr::from(([127, 0, 0, 1], FIRST + *next));
        *next = (*next + 1) % COUNT;
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port from {FIRST} on is free");
}

//! Values that nobody can guess.

use std::{fs::File, io::Read};

/// Returns `bytes` random bytes in hexadecimal.
pub(crate) fn hex(bytes: usize) -> Result<String, String> {
    let mut random = vec![0; bytes];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| format!("cannot read /dev/urandom: {error}"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns a random number.
pub(crate) fn number() -> Result<u32, String> {
    let digits = hex(4)?;
    Ok(u32::from_str_radix(&digits, 16).expect("eight hexadecimal digits"))
}

//! In which of the two formats a record is written.

/// How a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Binary protobuf. What every stage writes.
    #[default]
    Protobuf,
    /// The JSON mapping of protobuf, for `kcat` and people.
    Json,
}

impl Format {
    /// Reads the `content-type` header.
    ///
    /// `application/json` is JSON, whatever its case and parameters. Everything else is read as protobuf: its own two
    /// names, an absent header, and names that this version does not know. What then turns out to be something else has
    /// no readable id, and is dead-lettered for that.
    pub fn from_content_type(header: Option<&[u8]>) -> Self {
        let essence = header
            .unwrap_or_default()
            .split(|&byte| byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/json") {
            Self::Json
        } else {
            Self::Protobuf
        }
    }

    /// Returns the value of the `content-type` header.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/protobuf",
            Self::Json => "application/json",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_read() {
        let check = |header: Option<&str>, expected| {
            let read = Format::from_content_type(header.map(str::as_bytes));
            assert_eq!(read, expected, "{header:?}");
        };
        check(None, Format::Protobuf);
        check(Some(""), Format::Protobuf);
        check(Some("application/json"), Format::Json);
        check(Some(" Application/JSON ; charset=utf-8"), Format::Json);
        check(Some("application/x-protobuf"), Format::Protobuf);
        check(Some("application/protobuf"), Format::Protobuf);
        check(Some("text/plain"), Format::Protobuf);
        check(Some("application/jsonx"), Format::Protobuf);
        check(Some(Format::Json.content_type()), Format::Json);
        check(Some(Format::Protobuf.content_type()), Format::Protobuf);
    }
}

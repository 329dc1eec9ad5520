//! Where events come from: the demo's own traffic, or a file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use moderation::{Limits, Timestamp};
use moderation_wire::{Format, decode_content, record_key};

use super::ledger::print;
use super::traffic::{Fate, Generated, Traffic};

/// Where events come from. Any event can be had again, so that nobody keeps them.
pub(crate) enum Source {
    /// Made here, with their truth.
    Own(Traffic),
    /// Read from a file.
    File(InputFile),
}

impl Source {
    /// Returns how many events there are, if they end.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::Own(_) => None,
            Self::File(file) => Some(file.lines.len() as u64),
        }
    }

    /// Returns the event of an index. What comes from a file keeps the clock that stands there.
    ///
    /// # Errors
    /// If the file has changed or cannot be read.
    pub(crate) fn event(&self, index: u64, occurred_at: Timestamp) -> anyhow::Result<Generated> {
        match self {
            Self::Own(traffic) => Ok(traffic.event(index, occurred_at)),
            Self::File(file) => file.event(index),
        }
    }

    /// Returns the index of the event of an id.
    pub(crate) fn index_of(&self, id: &str) -> Option<u64> {
        match self {
            Self::Own(_) => numbered(id, "e-"),
            Self::File(file) => file.indexes.get(&print(id.as_bytes())).copied(),
        }
    }

    /// Returns the index of the event that nobody can read and that was sent under this key.
    pub(crate) fn index_of_unreadable(&self, key: &str) -> Option<u64> {
        match self {
            Self::Own(_) => numbered(key, "e-"),
            Self::File(_) => numbered(key, UNREADABLE),
        }
    }
}

/// Begins the key of a line that cannot be read. Other keys begin with a kind of subject, and none is called so.
const UNREADABLE: &str = "line:";

fn numbered(name: &str, prefix: &str) -> Option<u64> {
    name.strip_prefix(prefix)?.parse().ok()
}

/// A file with one content event in JSON a line.
pub(crate) struct InputFile {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
    indexes: HashMap<u64, u64>,
}

struct Line {
    offset: u64,
    length: u32,
}

impl InputFile {
    /// Reads the file once, to learn where lines begin and which events they hold.
    ///
    /// # Errors
    /// If it cannot be read, is empty, or holds an event id twice.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let file =
            File::open(path).with_context(|| format!("the input {name} cannot be opened"))?;
        let mut input = Self {
            path: path.to_owned(),
            file: file.try_clone()?,
            lines: Vec::new(),
            indexes: HashMap::new(),
        };
        let (mut reader, mut line, mut offset) = (BufReader::new(file), Vec::new(), 0);
        loop {
            line.clear();
            let length = reader
                .read_until(b'\n', &mut line)
                .with_context(|| format!("reading {name}"))?;
            if length == 0 {
                break;
            }
            if !line.trim_ascii().is_empty() {
                input.add(offset, line.trim_ascii_end())?;
            }
            offset += length as u64;
        }
        if input.lines.is_empty() {
            bail!("the input {name} holds no event; give one content event in JSON a line");
        }
        Ok(input)
    }

    fn add(&mut self, offset: u64, line: &[u8]) -> anyhow::Result<()> {
        let index = self.lines.len() as u64;
        let length = u32::try_from(line.len()).with_context(|| {
            format!("line {} of {} is too long", index + 1, self.path.display())
        })?;
        self.lines.push(Line { offset, length });
        let content = decode_content(line, Format::Json, Timestamp::default(), &Limits::default());
        if let Ok(content) = content
            && self
                .indexes
                .insert(print(content.event.event_id.as_str().as_bytes()), index)
                .is_some()
        {
            bail!(
                "event {} of {} has the id of an earlier one; ids must be unique",
                index + 1,
                self.path.display()
            );
        }
        Ok(())
    }

    fn event(&self, index: u64) -> anyhow::Result<Generated> {
        let line = usize::try_from(index)
            .ok()
            .and_then(|index| self.lines.get(index))
            .context("the input holds no such event")?;
        let mut value = vec![0; line.length as usize];
        self.file
            .read_exact_at(&mut value, line.offset)
            .with_context(|| format!("reading {} again", self.path.display()))?;
        let content = decode_content(
            &value,
            Format::Json,
            Timestamp::default(),
            &Limits::default(),
        );
        let (key, fate) = match content {
            Ok(content) => (record_key(&content.event.subject), Fate::Decided),
            Err(_) => (
                format!("{UNREADABLE}{index}").into_bytes(),
                Fate::DeadLettered,
            ),
        };
        Ok(Generated {
            key,
            value,
            format: Format::Json,
            fate,
            truth: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> anyhow::Result<InputFile> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("events.jsonl");
        std::fs::write(&path, text)?;
        InputFile::open(&path)
    }

    #[test]
    fn lines_are_found_again() {
        let source = Source::File(open("{\"event\":{\"event_id\":\"x\",\"subject\":{\"kind\":\"SUBJECT_KIND_CONTENT\",\"id\":\"s\"}}}\n\n{ broken\n").unwrap());
        assert_eq!(source.len(), Some(2));
        assert_eq!(source.index_of("x"), Some(0));
        let (first, second) = (
            source.event(0, Timestamp::default()).unwrap(),
            source.event(1, Timestamp::default()).unwrap(),
        );
        assert_eq!(
            (first.key.as_slice(), first.fate),
            (b"content:s".as_slice(), Fate::Decided)
        );
        assert_eq!(
            (second.value.as_slice(), second.key.as_slice(), second.fate),
            (
                b"{ broken".as_slice(),
                b"line:1".as_slice(),
                Fate::DeadLettered
            )
        );
        assert!(source.event(2, Timestamp::default()).is_err());
    }

    #[test]
    fn a_file_without_use_is_refused() {
        let line = "{\"event\":{\"event_id\":\"x\",\"subject\":{\"kind\":\"SUBJECT_KIND_CONTENT\",\"id\":\"s\"}}}\n";
        assert!(
            open("\n")
                .err()
                .unwrap()
                .to_string()
                .contains("holds no event")
        );
        assert!(
            open(&line.repeat(2))
                .err()
                .unwrap()
                .to_string()
                .contains("event 2")
        );
        assert!(InputFile::open(Path::new("/nowhere")).is_err());
    }
}

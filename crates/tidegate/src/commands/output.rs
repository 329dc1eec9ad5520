//! Printing.

use std::io::{self, Write};

use moderation_wire::v1;
use serde_json::{Value, json};

/// Prints text, a line for each; a reader that has gone away, such as `head`, is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_while_read(text).map(drop)
}

/// Prints text, and returns whether anybody still reads: what would go on for ever ends with its reader.
pub(crate) fn print_while_read(text: &str) -> anyhow::Result<bool> {
    let mut text = text.to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

/// Prints one JSON document.
pub(crate) fn print_json(value: &Value) -> anyhow::Result<()> {
    print(&format!("{value:#}"))
}

/// Returns rows as columns of equal width, under a header.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(|title| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&header.map(str::to_owned)).chain(rows) {
        let cells = row.iter().zip(widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Returns text of others without what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// Returns a time as RFC 3339; empty where there is none.
pub(crate) fn time_of(change: Option<&v1::Change>) -> String {
    let at = change.and_then(|change| change.at.as_ref());
    at.and_then(moderation_wire::timestamp_from_wire)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// Returns who changed what, when and why.
pub(crate) fn change_json(change: Option<&v1::Change>) -> Value {
    let at = time_of(change);
    match change {
        None => Value::Null,
        Some(change) => json!({
            "author": change.author,
            "reason": change.reason,
            "at": at,
            "rollback_of": change.rollback_of,
        }),
    }
}

/// Returns a change as cells of a table: when, who, why.
pub(crate) fn change_cells(change: Option<&v1::Change>) -> [String; 3] {
    let (author, mut reason) = change.map_or_else(Default::default, |change| {
        (printable(&change.author), printable(&change.reason))
    });
    if let Some(version) = change.and_then(|change| change.rollback_of) {
        reason = format!("brings back {version}: {reason}");
    }
    [time_of(change), author, reason]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let rows = [
            ["1".to_owned(), "a".to_owned()],
            ["20".to_owned(), String::new()],
        ];
        assert_eq!(table(["NO", "NAME"], &rows), "NO  NAME\n1   a\n20\n");
    }

    #[test]
    fn terminals_obey_nobody() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a [31mb ");
    }
}

//! The support matrix: what a bundle promises, by label and language.

use std::collections::HashMap;

use moderation::{Language, Support};

use super::Manifest;

#[derive(Clone, Debug)]
pub(super) struct SupportMatrix {
    /// For each listed language, one promise a label.
    by_language: HashMap<Language, Vec<Support>>,
}

impl SupportMatrix {
    pub(super) fn new(manifest: &Manifest) -> Result<Self, String> {
        let mut by_language: HashMap<Language, Vec<Option<Support>>> = HashMap::new();
        for entry in &manifest.support {
            let label = manifest
                .labels
                .iter()
                .position(|label| *label == entry.label)
                .ok_or_else(|| {
                    format!("support names label `{}`, which labels lacks", entry.label)
                })?;
            let language = Language::new(&entry.language)
                .map_err(|_| format!("support names language `{}`, no such tag", entry.language))?;
            let row = by_language
                .entry(language)
                .or_insert_with(|| vec![None; manifest.labels.len()]);
            if row[label].replace(entry.status).is_some() {
                return Err(format!(
                    "support lists `{}` in `{language}` twice",
                    entry.label
                ));
            }
        }
        let filled = |row: Vec<Option<Support>>| {
            row.into_iter()
                .map(|status| status.unwrap_or(Support::Unsupported))
                .collect()
        };
        Ok(Self {
            by_language: by_language
                .into_iter()
                .map(|(language, row)| (language, filled(row)))
                .collect(),
        })
    }

    pub(super) fn get(&self, label: usize, language: Language) -> Support {
        let primary = || {
            let primary = Language::new(language.primary()).ok()?;
            self.by_language.get(&primary)
        };
        self.by_language
            .get(&language)
            .or_else(primary)
            .map_or(Support::Unsupported, |row| row[label])
    }
}

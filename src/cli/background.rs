//! What a scan sets its documents against: texts to ignore, another collection.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Texts to ignore, and hashes of texts.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    pub texts: Vec<String>,
    pub hashes: Vec<String>,
}

/// One line of an exported list; other fields are passed over.
#[derive(Deserialize)]
struct Line {
    text: Option<String>,
    text_hash: Option<String>,
}

impl Ignored {
    /// Reads lists: JSON Lines with `text`, `text_hash` or both, as a scan
    /// writes its families; or plain text, where each paragraph is a text, and
    /// each line of 32 hexadecimal digits a hash.
    ///
    /// # Errors
    ///
    /// If one cannot be read or holds nothing.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self> {
        let mut ignored = Ignored::default();
        for file in files {
            let before = ignored.texts.len() + ignored.hashes.len();
            ignored.add(file).with_context(|| format!("cannot read the ignore list {}", file.display()))?;
            if ignored.texts.len() + ignored.hashes.len() == before {
                bail!("the ignore list {} is empty", file.display());
            }
        }
        // The same result for any order of the lists.
        for list in [&mut ignored.texts, &mut ignored.hashes] {
            list.sort_unstable();
            list.dedup();
        }
        Ok(ignored)
    }

    fn add(&mut self, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if text.trim_start().starts_with('{') {
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                let Line { text, text_hash } =
                    serde_json::from_str(line).with_context(|| format!("line {number}"))?;
                if text.is_none() && text_hash.is_none() {
                    bail!("line {number} has neither `text` nor `text_hash`");
                }
                self.texts.extend(text.filter(|text| !text.trim().is_empty()));
                self.hashes.extend(text_hash);
            }
            return Ok(());
        }
        let mut paragraph = String::new();
        for line in text.lines().chain([""]) {
            if is_hash(line.trim()) {
                self.hashes.push(line.trim().to_ascii_lowercase());
            } else if line.trim().is_empty() {
                let done = std::mem::take(&mut paragraph);
                self.texts.extend(Some(done).filter(|text| !text.is_empty()));
            } else {
                paragraph.push_str(line);
                paragraph.push('\n');
            }
        }
        Ok(())
    }
}

fn is_hash(line: &str) -> bool {
    line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

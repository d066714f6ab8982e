//! The summary on standard output: what a person wants to know first.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use twicetold::{DocumentRow, FamilyRow, Kind, Label, Only, Report};

use super::input::Collected;
use super::printable;

/// Documents up to which each gets a bar of its own.
const FEW: usize = 30;
/// Width of a bar.
const BAR: usize = 24;

/// Prints the summary, with at most `top` passages and clusters.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn print(out: &mut impl Write, report: &Report, only: Option<Only>, top: usize) -> io::Result<()> {
    let width = width();
    head(out, report, only)?;
    if only == Some(Only::Duplicates) {
        return clusters(out, report, top);
    }
    ledger(out, report)?;
    passages(out, report, top, width)?;
    clusters(out, report, top)?;
    originality(out, report, width)
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn head(out: &mut impl Write, report: &Report, only: Option<Only>) -> io::Result<()> {
    let counts = &report.counts;
    let set_phrases = report.families.iter().filter(|family| family.kind == Kind::Formula).count();
    let passages = report.families.len() - set_phrases;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}, {}, {}",
        number(counts.documents, "document"),
        number(counts.tokens, "token"),
        bytes(counts.bytes),
    )?;
    if only.is_none() {
        write!(out, "{}, ", number(passages as u64, "recurring passage"))?;
    }
    if set_phrases > 0 {
        write!(out, "{}, ", number(set_phrases as u64, "set phrase"))?;
    }
    match report.clusters.len() {
        // With another collection there are pairs and no clusters.
        0 if !report.pairs.is_empty() => {
            let pairs = report.pairs.len() as u64 + counts.pairs_unlisted;
            write!(out, "{} of near-duplicates", number(pairs, "pair"))?;
        }
        0 => write!(out, "no near-duplicate documents")?,
        clusters => {
            let members: u64 = report.clusters.iter().map(|cluster| u64::from(cluster.size)).sum();
            let documents = number(members, "near-duplicate document");
            write!(out, "{documents} in {}", number(clusters as u64, "cluster"))?;
        }
    }
    if counts.exact_duplicates > 0 {
        write!(out, ", {} word for word the same as an earlier one", thousands(counts.exact_duplicates))?;
    }
    writeln!(out)
}

/// The whole collection's ledger.
fn ledger(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let counts = &report.counts;
    if counts.weight == 0 {
        return writeln!(out, "\nno document has a letter or digit");
    }
    writeln!(out, "\n{BOLD}All text{BOLD:#}")?;
    for label in Label::ALL {
        let weight = counts.labels[label as usize];
        if weight > 0 {
            let share = weight as f64 / counts.weight as f64;
            let style = label_style(label);
            writeln!(
                out,
                "  {style}{:12}{style:#} {:>6}  {style}{}{style:#}",
                label.as_str(),
                percent(share),
                bar(share)
            )?;
        }
    }
    Ok(())
}

/// Width of the terminal, or of a page.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)).clamp(60, 160)
}

/// Lists all families.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn families(out: &mut impl Write, families: &[FamilyRow]) -> io::Result<()> {
    list(out, &families.iter().collect::<Vec<_>>(), families.len(), width())
}

/// Lists the files of a collection.
///
/// # Errors
///
/// If standard output cannot be written to.
pub(crate) fn files(out: &mut impl Write, collected: &Collected) -> io::Result<()> {
    writeln!(out, "  {DIM}{:>9} {:>9}  {:10}  file{DIM:#}", "documents", "text", "format")?;
    for file in &collected.files {
        let documents = thousands(file.documents as u64);
        let (size, path) = (bytes(file.bytes), printable(&file.path));
        writeln!(out, "  {documents:>9} {size:>9}  {:10}  {path}", file.holds.name())?;
    }
    let total: u64 = collected.files.iter().map(|file| file.bytes).sum();
    let files = number(collected.files.len() as u64, "file");
    let documents = number(collected.documents.len() as u64, "document");
    writeln!(out, "{BOLD}{files}, {documents}, {} of text{BOLD:#}", bytes(total))
}

fn list(out: &mut dyn Write, families: &[&FamilyRow], top: usize, width: usize) -> io::Result<()> {
    writeln!(out, "  {DIM}{:>7} {:>7} {:>7}  {:11}  text{DIM:#}", "docs", "places", "tokens", "kind")?;
    for family in families.iter().take(top) {
        let style = kind_style(family.kind);
        writeln!(
            out,
            "  {:>7} {:>7} {:>7}  {style}{:11}{style:#}  {}",
            thousands(u64::from(family.df)),
            thousands(u64::from(family.occurrences)),
            thousands(u64::from(family.tokens)),
            family.kind.as_str(),
            snippet(&family.text, width.saturating_sub(42)),
        )?;
    }
    match families.len().saturating_sub(top) {
        0 => Ok(()),
        more => writeln!(out, "  {DIM}and {} more{DIM:#}", thousands(more as u64)),
    }
}

fn passages(out: &mut impl Write, report: &Report, top: usize, width: usize) -> io::Result<()> {
    let (phrases, passages): (Vec<&FamilyRow>, Vec<&FamilyRow>) =
        report.families.iter().partition(|family| family.kind == Kind::Formula);
    if !passages.is_empty() {
        writeln!(out, "\n{BOLD}Most repeated passages{BOLD:#}")?;
        list(out, &passages, top, width)?;
    }
    if !phrases.is_empty() {
        writeln!(out, "\n{BOLD}Set phrases{BOLD:#} {DIM}(counted as unique){DIM:#}")?;
        list(out, &phrases, top.div_ceil(4), width)?;
    }
    Ok(())
}

fn clusters(out: &mut impl Write, report: &Report, top: usize) -> io::Result<()> {
    if report.clusters.is_empty() {
        return Ok(());
    }
    let mut clusters: Vec<_> = report.clusters.iter().collect();
    clusters.sort_by_key(|cluster| (std::cmp::Reverse(cluster.size), cluster.cluster));
    writeln!(out, "\n{BOLD}Largest clusters of near-duplicates{BOLD:#}")?;
    writeln!(out, "  {DIM}{:>7} {:>8}  leader{DIM:#}", "docs", "least")?;
    for cluster in clusters.iter().take(top) {
        let size = thousands(u64::from(cluster.size));
        writeln!(out, "  {size:>7} {:>8.2}  {}", cluster.min_resemblance, printable(&cluster.leader))?;
    }
    match clusters.len().saturating_sub(top) {
        0 => Ok(()),
        more => writeln!(out, "  {DIM}and {} more{DIM:#}", thousands(more as u64)),
    }
}

/// A bar for every document when they are few, a histogram otherwise.
fn originality(out: &mut impl Write, report: &Report, width: usize) -> io::Result<()> {
    let scored = |row: &DocumentRow| row.scores.originality;
    if report.documents.len() <= FEW {
        writeln!(out, "\n{BOLD}Originality of documents{BOLD:#}")?;
        for row in &report.documents {
            let id = snippet(&row.id, width.saturating_sub(BAR + 12));
            match scored(row) {
                Some(share) => writeln!(out, "  {:>6}  {}  {id}", percent(share), row_bar(row))?,
                None => writeln!(out, "  {:>6}  {:BAR$}  {id}", "–", "no letter or digit")?,
            }
        }
        return Ok(());
    }
    let mut bins = [0u64; 10];
    for share in report.documents.iter().filter_map(scored) {
        bins[((share * 10.0) as usize).min(9)] += 1;
    }
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    writeln!(out, "\n{BOLD}Originality of documents{BOLD:#}")?;
    for (at, &count) in bins.iter().enumerate().rev() {
        let shown = bar(count as f64 / most as f64);
        writeln!(out, "  {:>3}–{:>3} %  {:>9}  {shown}", at * 10, at * 10 + 10, thousands(count))?;
    }
    Ok(())
}

/// A document's ledger as a bar of coloured parts; the plain part is original.
fn row_bar(row: &DocumentRow) -> String {
    let mut drawn = String::new();
    let (mut sum, mut cells) = (0.0, 0);
    for label in Label::ALL {
        sum += row.scores.share(label).unwrap_or(0.0);
        let end = (sum * BAR as f64).round() as usize;
        let style = label_style(label);
        let mark = if matches!(label, Label::Unique | Label::First) { "█" } else { "▒" };
        drawn.push_str(&format!("{style}{}{style:#}", mark.repeat(end.saturating_sub(cells))));
        cells = cells.max(end);
    }
    drawn
}

/// A bar in eighths of a cell.
fn bar(share: f64) -> String {
    let eighths = (share * BAR as f64 * 8.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let shown = "█".repeat(eighths / 8) + part;
    if shown.is_empty() && share > 0.0 { "▏".to_owned() } else { shown }
}

pub(crate) fn label_style(label: Label) -> Style {
    let color = match label {
        Label::Unique => return Style::new(),
        Label::First => AnsiColor::Green,
        Label::Shared => AnsiColor::Yellow,
        Label::Syndicated => AnsiColor::Red,
        Label::Quotation => AnsiColor::Cyan,
        Label::Stock => AnsiColor::Magenta,
        Label::Boilerplate => AnsiColor::Blue,
        Label::Repeat | Label::Ignored => AnsiColor::BrightBlack,
    };
    Style::new().fg_color(Some(color.into()))
}

fn kind_style(kind: Kind) -> Style {
    label_style(match kind {
        Kind::Boilerplate => Label::Boilerplate,
        Kind::Stock => Label::Stock,
        Kind::Syndicated => Label::Syndicated,
        Kind::Quotation => Label::Quotation,
        Kind::Repeat => Label::Repeat,
        Kind::Formula => Label::Unique,
        Kind::Shared => Label::Shared,
    })
}

/// The start of a text on one line of at most `width` characters.
pub(crate) fn snippet(text: &str, width: usize) -> String {
    let start: String = text.chars().take(4 * width).collect();
    let line = printable(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width && start.len() == text.len() {
        return line;
    }
    let cut: String = line.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

pub(crate) fn percent(share: f64) -> String {
    match 100.0 * share {
        percent if percent > 0.0 && percent < 0.1 => "<0.1 %".to_owned(),
        // Never rounded up to all of it.
        percent if percent > 99.9 && share < 1.0 => ">99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

pub(crate) fn number(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} bytes"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_never_round_up_to_all() {
        assert_eq!([0, 999, 1000, 1234567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.0004, 0.5, 0.9999, 1.0].map(percent),
            ["0.0 %", "<0.1 %", "50.0 %", ">99.9 %", "100.0 %"]
        );
    }

    #[test]
    fn snippets_are_one_harmless_line() {
        assert_eq!(snippet("a\n\tb\x1b[31m\u{202e}c", 40), "a b\\u{1b}[31mc");
        assert_eq!(snippet("one two three", 8), "one two…");
    }
}

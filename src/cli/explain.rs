//! `explain`: one document with every stretch of it, what it is and why, and
//! where else it stands.

use std::io::{self, Write};

use anstyle::Style;
use anyhow::{Result, bail};
use twicetold::{Document, DocumentRow, FamilyRow, Label, SpanRow};

use super::args::ExplainArgs;
use super::results::Results;
use super::{DONE, printable, summary};

/// Runs the command and says with which status to exit.
///
/// # Errors
///
/// If there is no such document, the collection changed, or standard output is
/// gone.
pub(crate) fn run(args: &ExplainArgs) -> Result<u8> {
    let results = Results::open(&args.results)?;
    results.with_passages()?;
    let documents = results.documents()?;
    let Some(row) = documents.iter().find(|row| *row.id == *args.document) else {
        bail!("{}", unknown(&args.document, &documents));
    };
    let spans: Vec<SpanRow> = results.spans()?.into_iter().filter(|span| span.doc == row.id).collect();
    let families = results.families()?;
    let collected = results.collection(&())?;
    let Some(document) = collected.documents.iter().find(|document| document.id == *row.id) else {
        bail!("{} was not read: {}", row.id, row.skip_reason.as_deref().unwrap_or("it was skipped"));
    };
    print(&mut anstream::stdout().lock(), args.brief, row, document, &spans, &families)?;
    Ok(DONE)
}

fn unknown(id: &str, documents: &[DocumentRow]) -> String {
    let alike = documents
        .iter()
        .map(|row| (strsim::damerau_levenshtein(id, &row.id), &row.id))
        .filter(|(distance, _)| *distance <= id.len().div_ceil(3))
        .min();
    match alike {
        Some((_, other)) => format!("no document `{id}`; did you mean `{}`?", printable(other)),
        None => format!("no document `{id}` among {}", documents.len()),
    }
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

fn print(
    out: &mut impl Write,
    brief: bool,
    row: &DocumentRow,
    document: &Document,
    spans: &[SpanRow],
    families: &[FamilyRow],
) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", printable(&row.id))?;
    let scores = &row.scores;
    if let Some(originality) = scores.originality {
        write!(out, "{} original", summary::percent(originality))?;
        for label in Label::ALL {
            if let Some(share) = scores.share(label).filter(|share| *share > 0.0) {
                write!(out, ", {} {}", summary::percent(share), label.as_str())?;
            }
        }
        writeln!(out)?;
    }
    if let (Some(nearest), Some(share)) = (&row.nearest, row.nearest_containment) {
        writeln!(out, "nearest: {}, which has {} of it", printable(nearest), summary::percent(share))?;
    }
    if let (Some(cluster), Some(leader)) = (row.cluster, &row.leader) {
        writeln!(out, "near-duplicates: cluster {cluster} around {}", printable(leader))?;
    }
    let text = &document.text;
    let mut reached = 0;
    for span in spans {
        if !brief {
            rest(out, text, reached, span.start_byte as usize)?;
        }
        let style = summary::label_style(span.label);
        let lines = match (span.start_line, span.end_line) {
            (start, end) if start == end => format!("line {start}"),
            (start, end) => format!("lines {start}–{end}"),
        };
        write!(out, "\n{style}{}{style:#}  {lines}", span.label.as_str())?;
        if let Some(family) = span.family.and_then(|number| families.get(number as usize - 1)) {
            write!(out, "  passage {}, {}", family.family, family.kind.as_str())?;
            writeln!(out, ": {}", family.reason)?;
            if span.identity < 1.0 {
                write!(out, "  {} the same; ", summary::percent(span.identity))?;
            } else {
                write!(out, "  ")?;
            }
            let place = (&span.other_doc, span.other_start_byte, span.other_end_byte);
            if let (Some(other), Some(start), Some(end)) = place {
                let own = if *other == span.doc { "this document" } else { &printable(other) };
                write!(out, "also in {own}, bytes {start}–{end}")?;
            }
        }
        writeln!(out)?;
        let told = &text[span.start_byte as usize..span.end_byte as usize];
        match brief {
            true => writeln!(out, "  {style}│{style:#} {}", summary::snippet(told, summary::width() - 4))?,
            false => show(out, told, style)?,
        }
        reached = span.end_byte as usize;
    }
    if brief {
        return Ok(());
    }
    rest(out, text, reached, text.len())
}

/// What is unique between two spans.
fn rest(out: &mut impl Write, text: &str, from: usize, to: usize) -> io::Result<()> {
    let between = &text[from..to];
    if !between.chars().any(char::is_alphanumeric) {
        return Ok(());
    }
    writeln!(out, "\n{DIM}unique{DIM:#}")?;
    show(out, between, DIM)
}

fn show(out: &mut impl Write, text: &str, style: Style) -> io::Result<()> {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        writeln!(out, "  {style}│{style:#} {}", printable(line.trim()))?;
    }
    Ok(())
}

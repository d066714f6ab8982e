//! `compare`: two texts, or listed pairs of a collection.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;

use ahash::AHashMap;
use anstyle::{AnsiColor, Style};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use similar::ChangeTag;
use twicetold::{Comparison, Detector, Document, PassageRow};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::args::{CompareArgs, Format, Layout};
use super::input::{self, Collected};
use super::output::lines;
use super::progress::Bar;
use super::{DONE, Messages, SKIPPED, complain, printable, summary};

/// Runs the command and says with which status to exit.
///
/// # Errors
///
/// If nothing could be done, or standard output is gone.
pub(crate) fn run(args: &CompareArgs, messages: Messages) -> Result<u8> {
    let detector = Detector::new(args.matching.config()?)?;
    match &args.pairs {
        Some(pairs) => listed(args, pairs, &detector, messages),
        None => two(args, &detector, messages),
    }
}

/// Compares two files.
fn two(args: &CompareArgs, detector: &Detector, messages: Messages) -> Result<u8> {
    let [a, b] = &args.inputs[..] else {
        bail!("compare takes two texts, or --pairs FILE and a collection; {} given", args.inputs.len());
    };
    let read = |path: &Path| -> Result<Document> {
        let Collected { mut documents, skipped, .. } =
            input::collect(&[path.to_owned()], &args.input.settings(), &())?;
        match (documents.len(), skipped.first()) {
            (1, None) => Ok(documents.remove(0)),
            (_, Some(skipped)) => bail!("{}: {}", skipped.place(), skipped.reason),
            (count, None) => {
                bail!("{} holds {count} documents; --pairs FILE lists which to compare", path.display())
            }
        }
    };
    let documents = [read(a)?, read(b)?];
    let found = detector.compare(&documents, &[(0, 1)]).context("cannot compare these texts")?;
    let mut out = anstream::stdout().lock();
    match args.format.unwrap_or(Format::Text) {
        Format::Json => {
            serde_json::to_writer(&mut out, &found[0])?;
            writeln!(out)?;
        }
        Format::Text => print(&mut out, &documents, &found[0], args.layout)?,
    }
    if found[0].passages.is_empty() && messages != Messages::None {
        let hint = "set phrases are left out; --count-formulas shows them";
        complain("note", "no passage stands in both", Some(hint));
    }
    Ok(DONE)
}

/// One line of the list of pairs; other fields are passed over.
#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
}

/// Pairs that are compared before their passages are written.
const AT_A_TIME: usize = 1024;

/// Compares the listed pairs and writes their passages as JSON Lines.
fn listed(args: &CompareArgs, list: &Path, detector: &Detector, messages: Messages) -> Result<u8> {
    if args.format == Some(Format::Text) {
        bail!("passages of listed pairs are printed as JSON Lines; --format text is for two texts");
    }
    if args.inputs.is_empty() {
        bail!("--pairs {} needs the collection that its ids stand in", list.display());
    }
    let bar = Bar::reading(messages);
    let collected = input::collect(&args.inputs, &args.input.settings(), &bar)?;
    bar.clear();
    if messages != Messages::None {
        super::warn(&collected, messages);
    }
    let documents = &collected.documents;
    let places: AHashMap<&str, usize> =
        documents.iter().enumerate().map(|(at, document)| (&*document.id, at)).collect();
    let file = File::open(list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut pairs = Vec::new();
    let mut unusable = 0;
    for (line, number) in BufReader::new(file).lines().zip(1..) {
        let line = line.with_context(|| format!("cannot read {} at line {number}", list.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let place =
            |id: &str| places.get(id).copied().ok_or_else(|| format!("no document has the id `{id}`"));
        let pair = match serde_json::from_str::<Pair>(&line) {
            Ok(pair) => place(&pair.a).and_then(|a| Ok((a, place(&pair.b)?))),
            Err(error) => Err(format!("not an object with the ids `a` and `b`: {error}")),
        };
        match pair {
            Ok(pair) => pairs.push(pair),
            Err(reason) => {
                unusable += 1;
                if unusable <= super::WARNINGS && messages != Messages::None {
                    complain("warning", &format!("{}:{number}: {reason}", list.display()), None);
                }
            }
        }
    }
    if unusable > super::WARNINGS && messages != Messages::None {
        complain("warning", &format!("{unusable} lines of {} name no pair", list.display()), None);
    }
    if pairs.is_empty() {
        bail!("{} lists no pair of documents that were read", list.display());
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let found = detector.comparing(documents).context("cannot compare these documents")?;
    for pairs in pairs.chunks(AT_A_TIME) {
        lines(&mut out, found.pairs(pairs).iter().flat_map(|comparison| &comparison.passages))?;
    }
    out.flush()?;
    Ok(if unusable > 0 || !collected.skipped.is_empty() { SKIPPED } else { DONE })
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const OF_A: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
const OF_B: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));

/// Narrowest terminal on which two texts stand side by side.
const WIDE: usize = 100;

/// The width of each column, where there is room for two.
fn column(layout: Layout) -> Option<usize> {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = match layout {
        Layout::Lines => return None,
        Layout::Columns => terminal.unwrap_or(WIDE),
        Layout::Auto => terminal.filter(|width| *width >= WIDE && io::stdout().is_terminal())?,
    };
    Some((width.saturating_sub(3) / 2).max(10))
}

/// Prints what two texts share, for people.
fn print(
    out: &mut impl Write,
    documents: &[Document; 2],
    found: &Comparison,
    layout: Layout,
) -> io::Result<()> {
    let [a, b] = documents;
    let share = |share: Option<f64>| share.map_or_else(|| "nothing to compare".to_owned(), summary::percent);
    writeln!(out, "{BOLD}a{BOLD:#} {}  {} of it stands in b", printable(&a.id), share(found.a_in_b))?;
    writeln!(out, "{BOLD}b{BOLD:#} {}  {} of it stands in a", printable(&b.id), share(found.b_in_a))?;
    let column = column(layout);
    let mut reached = 0;
    for passage in &found.passages {
        let PassageRow { a_start_byte, a_end_byte, b_start_byte, b_end_byte, tokens, identity, .. } =
            *passage;
        let a_text = printable(&a.text[a_start_byte as usize..a_end_byte as usize]);
        let b_text = printable(&b.text[b_start_byte as usize..b_end_byte as usize]);
        let moved = if a_start_byte < reached { ", moved" } else { "" };
        reached = a_start_byte.max(reached);
        writeln!(
            out,
            "\n{BOLD}a:{} b:{}{BOLD:#}  {}, {} alike{moved}",
            line(&a.text, a_start_byte),
            line(&b.text, b_start_byte),
            summary::number(tokens, "token"),
            summary::percent(identity),
        )?;
        let (a_words, b_words) = words(&a_text, &b_text);
        match column {
            Some(width) => side_by_side(out, &wrapped(&a_words, width), &wrapped(&b_words, width), width)?,
            None if a_text == b_text => writeln!(out, "  {b_text}")?,
            None => {
                for (sign, words, style) in [('-', &a_words, OF_A), ('+', &b_words, OF_B)] {
                    write!(out, "{style}{sign}{style:#}")?;
                    for word in words {
                        write!(out, " ")?;
                        show(out, word, style)?;
                    }
                    writeln!(out)?;
                }
            }
        }
    }
    if !found.passages.is_empty() {
        let count = summary::number(found.passages.len() as u64, "passage");
        writeln!(out, "\n{DIM}{count}, by line in a and in b{DIM:#}")?;
    }
    Ok(())
}

/// A word, and whether the other text lacks it here.
type Word = (String, bool);

/// The words of two texts.
fn words(a: &str, b: &str) -> (Vec<Word>, Vec<Word>) {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_whitespace().collect(), b.split_whitespace().collect());
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for change in similar::TextDiff::from_slices(&a, &b).iter_all_changes() {
        let word = change.value().to_owned();
        match change.tag() {
            ChangeTag::Equal => {
                of_a.push((word.clone(), false));
                of_b.push((word, false));
            }
            ChangeTag::Delete => of_a.push((word, true)),
            ChangeTag::Insert => of_b.push((word, true)),
        }
    }
    (of_a, of_b)
}

fn show(out: &mut impl Write, (word, changed): &Word, style: Style) -> io::Result<()> {
    match changed {
        true => write!(out, "{style}{word}{style:#}"),
        false => write!(out, "{word}"),
    }
}

/// Words in lines of at most a width, longer words in pieces.
fn wrapped(words: &[Word], width: usize) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let mut filled = 0;
    for (word, changed) in words {
        let mut rest = word.as_str();
        while !rest.is_empty() {
            let gap = usize::from(filled > 0);
            if filled > 0 && filled + gap + rest.width() > width {
                lines.push(Vec::new());
                filled = 0;
                continue;
            }
            let mut used = 0;
            let fits = rest.char_indices().find(|&(_, c)| {
                used += c.width().unwrap_or(0);
                used > width
            });
            let (piece, left) = rest.split_at(fits.map_or(rest.len(), |(at, _)| at.max(1)));
            filled += gap + piece.width();
            lines.last_mut().expect("never empty").push((piece.to_owned(), *changed));
            rest = left;
        }
    }
    lines
}

fn side_by_side(out: &mut impl Write, a: &[Vec<Word>], b: &[Vec<Word>], width: usize) -> io::Result<()> {
    for at in 0..a.len().max(b.len()) {
        let (left, right) = (a.get(at).map_or(&[][..], |line| line), b.get(at).map_or(&[][..], |line| line));
        let mut filled = 0;
        for (number, word) in left.iter().enumerate() {
            if number > 0 {
                write!(out, " ")?;
            }
            show(out, word, OF_A)?;
            filled += usize::from(number > 0) + word.0.width();
        }
        write!(out, "{:1$}{DIM}│{DIM:#}", "", (width + 1).saturating_sub(filled))?;
        for word in right {
            write!(out, " ")?;
            show(out, word, OF_B)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The line a byte is in, from 1.
fn line(text: &str, byte: u32) -> usize {
    1 + text.as_bytes()[..byte as usize].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_their_width() {
        let (a, b) = words("one two 三四五六七八九 averyveryverylongwordindeed", "one 2 three");
        let lines = wrapped(&a, 10);
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.iter().map(|word| word.0.as_str()).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(text, ["one two", "三四五六七", "八九", "averyveryv", "erylongwor", "dindeed"]);
        assert_eq!(b.iter().map(|word| word.1).collect::<Vec<_>>(), [false, true, true]);
        let mut out = Vec::new();
        side_by_side(&mut out, &lines[..2], &wrapped(&b, 10), 10).unwrap();
        let shown = anstream::adapter::strip_bytes(&out).into_vec();
        assert_eq!(String::from_utf8(shown).unwrap(), "one two    │ one 2\n三四五六七 │ three\n");
    }
}

//! `report.html`: one file with everything that was found, to open, search and
//! send on.
//!
//! What it looks like and does is in `web/`. Here the results become its data
//! ([`data`]): blocks of JSON, packed with gzip, of which the page opens the
//! first at once and the others when they are looked at. All that comes from
//! the collection is data and never markup, and the policy of the page lets
//! nothing run or load but what is written here.

mod data;

use std::io::{self, Write};
use std::mem;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use minijinja::{Environment, context};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use twicetold::Status;

use super::args::ReportArgs;
use super::progress::Bar;
use super::results::Results;
use super::{DONE, Messages, complain, printable, summary, unfinished};
use data::Data;
pub(crate) use data::Rows;

pub(crate) const NAME: &str = "report.html";

/// Bytes of the whole file, more or less, unless more texts are asked for.
const FILE: usize = 25_000_000;
/// What is not data, and a reserve.
const PAGE: usize = 500_000;
/// The share of the file that rows of documents may take.
const DOCUMENTS: f64 = 0.35;
/// The share that all rows may take; the rest is for texts.
const ROWS: f64 = 0.6;
/// Of what a family takes, the share that is needed when it is opened.
const OPENED: f64 = 0.75;
/// Bytes of a block before it is packed.
const BLOCK: usize = 1 << 18;
/// Bytes of a block that are packed by one thread: more than most blocks have.
const PIECE: usize = 1 << 19;
/// Three per cent larger than the usual level, in 60 % of its time.
const LEVEL: Compression = Compression::new(3);
/// Blocks packed at once, or two for each thread if that is more.
const AT_ONCE: usize = 16;

/// Inputs listed that were skipped.
const SKIPPED: usize = 1000;
/// Inputs that the title names.
const SOME: usize = 4;

const PAGE_HTML: &str = include_str!("web/page.html");
const STYLE: &str = include_str!("web/style.css");
/// The program of the page, each file using those before it.
const SCRIPTS: [&str; 17] = [
    include_str!("web/dom.js"),
    include_str!("web/words.js"),
    include_str!("web/data.js"),
    include_str!("web/query.js"),
    include_str!("web/diff.js"),
    include_str!("web/parts.js"),
    include_str!("web/table.js"),
    include_str!("web/charts.js"),
    include_str!("web/summary.js"),
    include_str!("web/passages.js"),
    include_str!("web/passage.js"),
    include_str!("web/documents.js"),
    include_str!("web/document.js"),
    include_str!("web/pairs.js"),
    include_str!("web/pair.js"),
    include_str!("web/run.js"),
    include_str!("web/app.js"),
];

/// A block of data, packed.
struct Block {
    name: String,
    data: String,
}

/// Runs the command `report` and says with which status to exit.
///
/// # Errors
///
/// If the results cannot be used, the collection changed, or the page cannot be
/// written; then an earlier one stays.
pub(crate) fn run(args: &ReportArgs, messages: Messages) -> Result<u8> {
    let results = Results::open(&args.results)?;
    results.with_passages()?;
    let (documents, families) = (results.documents()?, results.families()?);
    let (occurrences, spans) = (results.occurrences()?, results.spans()?);
    let (pairs, clusters) = (results.pairs()?, results.clusters()?);
    let bar = Bar::reading(messages);
    let (collected, against) = (results.collection(&bar)?, results.against(&bar)?);
    bar.reporting();
    let rows = Rows {
        documents: documents.iter().filter(|row| row.status != Status::Skipped).collect(),
        families: &families,
        occurrences: &occurrences,
        spans: &spans,
        pairs: &pairs,
        clusters: &clusters,
        run: results.run().clone(),
        texts: &collected.documents,
        references: against.as_ref().map_or(&[], |against| &against.documents),
    };
    rows.check()?;
    let path = args.out.clone().unwrap_or_else(|| args.results.join(NAME));
    unfinished::replace(&path, |file| write(file, rows, args.report_docs))
        .with_context(|| format!("cannot write {}", path.display()))?;
    bar.clear();
    if messages != Messages::None {
        complain("note", &format!("the report is {}", path.display()), None);
    }
    Ok(DONE)
}

/// Writes the page. `most` is how many documents' texts it holds; without it, as
/// many as fit.
///
/// # Errors
///
/// If it cannot be written.
pub(crate) fn write(out: &mut impl Write, mut rows: Rows, most: Option<usize>) -> Result<()> {
    let title = title(&rows.run["inputs"]);
    fit(&mut rows.run, &title);
    let mut data = Data::new(&rows);
    let mut blocks = Vec::new();
    let room = FILE - PAGE;
    let share = |of: f64| (room as f64 * of) as usize;

    let (documents, core) =
        rayon::join(|| packed("documents", &data.document_columns()), || packed("core", &data.core()));
    let (mut documents, mut core) = (documents?, core?);
    if documents.data.len() > share(DOCUMENTS) {
        let fitting = data.documents() as f64 * share(DOCUMENTS) as f64 / documents.data.len() as f64;
        data.list_only(fitting as usize);
        documents = packed("documents", &data.document_columns())?;
        core = packed("core", &data.core())?;
    }
    blocks.extend([documents, core]);

    let numbers: Vec<usize> = (0..data.families()).collect();
    let limit = share(ROWS).saturating_sub(size(&blocks)) as f64 * OPENED;
    let weight = |&family: &usize| data.weight_of_family(family);
    let families =
        fill(&mut blocks, "f", &numbers, weight, |&family| data.opened(family), Some(limit as usize))?;
    blocks.push(packed("families", &data.family_columns(&families))?);

    let mut order = data.by_interest();
    order.truncate(most.unwrap_or(usize::MAX));
    let limit = most.is_none().then(|| room.saturating_sub(size(&blocks)));
    let weight = |&number: &u32| data.weight_of_text(number);
    let placed = fill(&mut blocks, "t", &order, weight, |&number| data.text(number), limit)?;
    blocks.push(packed("texts", &data.text_column(&order, &placed))?);

    let script = script();
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(&script),
        hash(STYLE)
    );
    let counts = &rows.run["counts"];
    let count = counts["documents"].as_u64().unwrap_or(0);
    let labels = twicetold::Label::ALL.iter().zip(counts["labels"].as_array().into_iter().flatten());
    let weight = counts["weight"].as_u64().unwrap_or(0).max(1) as f64;
    let ledger: Vec<(&str, String)> = labels
        .filter_map(|(label, letters)| Some((label.as_str(), letters.as_u64()? as f64 / weight)))
        .filter(|(_, share)| *share > 0.0)
        .map(|(label, share)| (label, summary::percent(share)))
        .collect();
    let mut environment = Environment::new();
    environment.add_template("page.html", PAGE_HTML)?;
    let parts = context! {
        title,
        policy,
        style => STYLE,
        script,
        blocks => blocks.into_iter().map(|block| (block.name, block.data)).collect::<Vec<_>>(),
        ledger,
        documents => summary::number(count, "document"),
    };
    environment.get_template("page.html")?.render_captured_to(parts, out)?;
    Ok(())
}

/// Packs items into blocks, up to a limit of bytes, and says where each that
/// had room is. `weight` tells about how many bytes of JSON an item is.
fn fill<'a, T: Sync, S: Serialize>(
    blocks: &mut Vec<Block>,
    name: &str,
    items: &'a [T],
    weight: impl Fn(&T) -> usize,
    data: impl Fn(&'a T) -> S + Sync,
    limit: Option<usize>,
) -> Result<Vec<(usize, usize)>> {
    let mut chunks: Vec<&[T]> = Vec::new();
    let (mut start, mut heavy) = (0, 0);
    for (at, item) in items.iter().enumerate() {
        heavy += weight(item);
        if heavy >= BLOCK || at + 1 == items.len() {
            chunks.push(&items[start..=at]);
            (start, heavy) = (at + 1, 0);
        }
    }
    let mut placed = Vec::new();
    let mut filled = 0;
    let mut next = 0;
    // Not all at once, since most may not have room.
    let at_once = AT_ONCE.max(2 * rayon::current_num_threads());
    for some in chunks.chunks(at_once) {
        let pack = |items: &&'a [T]| packed("", &items.iter().map(&data).collect::<Vec<_>>());
        let packed: Vec<Result<Block>> = some.par_iter().map(pack).collect();
        for (items, block) in some.iter().zip(packed) {
            let data = block?.data;
            filled += data.len();
            if limit.is_some_and(|limit| filled > limit) {
                return Ok(placed);
            }
            blocks.push(Block { name: format!("{name}{next}"), data });
            placed.extend((0..items.len()).map(|at| (next, at)));
            next += 1;
        }
    }
    Ok(placed)
}

fn size(blocks: &[Block]) -> usize {
    blocks.iter().map(|block| block.data.len()).sum()
}

fn packed(name: &str, data: &impl Serialize) -> Result<Block> {
    let packed = gzip(&serde_json::to_vec(data)?, PIECE)?;
    Ok(Block { name: name.to_owned(), data: STANDARD.encode(packed) })
}

/// Packs with gzip, in pieces of so many bytes by all threads, which make one
/// stream as if they had been packed one after the other.
fn gzip(data: &[u8], piece: usize) -> io::Result<Vec<u8>> {
    // A method, no flags, no time, nothing about speed, no system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let last = data.len().saturating_sub(1) / piece;
    let pack = |number: usize| {
        let own = &data[number * piece..data.len().min((number + 1) * piece)];
        let mut crc = Crc::new();
        crc.update(own);
        let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
        encoder.write_all(own)?;
        if number == last {
            return Ok((encoder.finish()?, crc));
        }
        // Ends at a whole byte, and does not end the stream.
        encoder.flush()?;
        Ok((mem::take(encoder.get_mut()), crc))
    };
    let pieces: Vec<(Vec<u8>, Crc)> = (0..=last).into_par_iter().map(pack).collect::<io::Result<_>>()?;
    let mut crc = Crc::new();
    for (packed, own) in pieces {
        out.extend(packed);
        crc.combine(&own);
    }
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    Ok(out)
}

/// Takes out of what `run.json` says what differs between equal runs, and all
/// but the first of the inputs that were skipped.
fn fit(run: &mut Value, title: &str) {
    run["title"] = title.into();
    run["timing"].take();
    run["config"]["threads"].take();
    let mut skipped = 0;
    for list in ["skipped", "against_skipped"] {
        if let Some(list) = run[list].as_array_mut() {
            skipped += list.len();
            list.truncate(SKIPPED);
        }
    }
    run["skipped_count"] = skipped.into();
}

/// The names of the first inputs.
fn title(inputs: &Value) -> String {
    let names: Vec<String> =
        inputs.as_array().into_iter().flatten().filter_map(Value::as_str).map(printable).collect();
    match names.len().checked_sub(SOME) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SOME].join(", ")),
    }
}

/// A block of a page, unpacked.
#[cfg(any(test, fuzzing))]
pub(super) fn block(page: &str, name: &str) -> Value {
    let (_, rest) = page.split_once(&format!("id=\"{name}\">")).expect("a block");
    let packed = STANDARD.decode(rest.split('<').next().unwrap_or_default()).expect("base64");
    serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).expect("JSON")
}

fn script() -> String {
    format!("'use strict';\n(() => {{\n{}\n}})();\n", SCRIPTS.concat())
}

/// What a content security policy knows an inline script or style by.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::bufread::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Sums and lengths are checked by who unpacks it.
        #[test]
        fn pieces_packed_apart_are_one_stream(
            data in prop::collection::vec(0u8..4, 0..2000),
            piece in 1usize..3000,
            threads in 1usize..4,
        ) {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let packed = pool.install(|| gzip(&data, piece)).unwrap();
            let (mut decoder, mut found) = (GzDecoder::new(&packed[..]), Vec::new());
            decoder.read_to_end(&mut found).unwrap();
            prop_assert_eq!(found, data);
            prop_assert!(decoder.into_inner().is_empty());
        }
    }
}

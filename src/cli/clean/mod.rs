//! `clean`: the collection again, without what the user names.
//!
//! The results say what each stretch of each document is; here it is decided
//! what goes ([`cut`] says how a stretch is taken out), and every file is
//! written again in its own format ([`rewrite`]).

mod cut;
mod rewrite;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use ahash::{AHashMap, AHashSet};
use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use twicetold::{ClusterRow, Document, DocumentRow, Label, SpanRow};

use super::args::{CleanArgs, KeepCopy, NearDuplicates};
use super::progress::Bar;
use super::results::Results;
use super::unfinished::Unfinished;
use super::{DONE, Messages, SKIPPED, complain, output, summary, warn};
pub(crate) use cut::Boundary;
use rewrite::{Annotation, Decision, Stretch, Verdict};

/// One line of the manifest.
#[derive(Serialize)]
struct Change<'a> {
    action: &'static str,
    doc: &'a str,
    path: Option<&'a str>,
    line: Option<u64>,
    reason: String,
    start_byte: Option<usize>,
    end_byte: Option<usize>,
}

const MANIFEST: &str = "manifest.jsonl";

/// Runs the command and says with which status to exit.
///
/// # Errors
///
/// If the results cannot be used, the collection changed, or the output cannot
/// be written; then nothing is.
pub(crate) fn run(args: &CleanArgs, messages: Messages) -> Result<u8> {
    let names_something = !args.drop.is_empty()
        || args.near_duplicates != NearDuplicates::Keep
        || args.min_originality.is_some();
    ensure!(
        names_something || args.annotate,
        "nothing to do: name what to remove with --drop, --near-duplicates or --min-originality, or --annotate"
    );
    ensure!(
        args.keep_copy != Some(KeepCopy::SourceOrder) || !args.sources.is_empty(),
        "--keep-copy source-order needs --sources, the best first"
    );
    let results = Results::open(&args.results)?;
    if !args.drop.is_empty() || args.min_originality.is_some() {
        results.with_passages()?;
    }
    let rows = results.documents()?;
    let bar = Bar::reading(messages);
    let collected = results.collection(&bar)?;
    bar.clear();
    warn(&collected, messages);
    let documents: AHashMap<&str, &Document> =
        collected.documents.iter().map(|document| (document.id.as_str(), document)).collect();
    let scored: Vec<&DocumentRow> = rows.iter().filter(|row| documents.contains_key(&*row.id)).collect();
    let preference = Preference::new(args, &documents, &scored);

    let clusters = results.clusters()?;
    let dropped = dropped(args, &scored, &clusters, &preference);
    let spans = results.spans()?;
    let of_doc = by_document(&spans);
    let cuts = cuts(args, &spans, &of_doc, &dropped, &documents, &preference);

    let mut changes: Vec<Change> = Vec::new();
    let mut decisions: Vec<Decision> = Vec::new();
    let (mut letters, mut letters_cut) = (0, 0);
    for row in &scored {
        let document = documents[&*row.id];
        let change = |action, reason: String, place: Option<&Range<usize>>| Change {
            action,
            doc: &document.id,
            path: document.path.as_deref(),
            line: document.line,
            reason,
            start_byte: place.map(|place| place.start),
            end_byte: place.map(|place| place.end),
        };
        letters += row.weight;
        let mut verdict = Verdict::Keep;
        let mut reason = dropped.get(&*row.id).cloned();
        if let (None, Some(stretches)) = (&reason, cuts.get(&*row.id)) {
            let text =
                cut::without(&document.text, &stretches.iter().map(|s| s.0.clone()).collect::<Vec<_>>());
            if text.chars().any(char::is_alphanumeric) {
                for (place, reason) in stretches {
                    changes.push(change("cut", (*reason).to_owned(), Some(place)));
                    letters_cut += cut::letters(&document.text[place.clone()]) as u64;
                }
                verdict = Verdict::Cut(text);
            } else {
                reason = Some("nothing is left of it".to_owned());
            }
        }
        if let Some(reason) = &reason {
            verdict = Verdict::Drop;
            letters_cut += row.weight;
            changes.push(change("dropped", reason.clone(), None));
        }
        let annotates = args.annotate || args.near_duplicates == NearDuplicates::Annotate;
        let annotation = annotates.then(|| Annotation {
            originality: row.scores.originality,
            cluster: row.cluster,
            leader: row.leader.as_deref().map(str::to_owned),
            dropped: reason.filter(|_| args.annotate),
            spans: of_doc.get(&*row.id).filter(|_| args.annotate).map_or_else(Vec::new, |spans| {
                let stretch = |span: &&SpanRow| Stretch {
                    label: span.label,
                    start_byte: span.start_byte,
                    end_byte: span.end_byte,
                };
                spans.iter().map(stretch).collect()
            }),
        });
        if args.annotate {
            verdict = Verdict::Keep;
        }
        decisions.push(Decision { document, verdict, annotation });
    }

    // Records that were not read stay in their files; a file that was not read
    // as a whole is not written.
    changes.extend(collected.skipped.iter().filter(|skipped| skipped.line.is_none()).map(|skipped| Change {
        action: "skipped",
        doc: &skipped.path,
        path: Some(&skipped.path),
        line: None,
        reason: skipped.reason.clone(),
        start_byte: None,
        end_byte: None,
    }));
    let mut out = anstream::stdout().lock();
    let cut = changes.iter().filter(|change| change.action == "cut");
    let cut_documents = cut.map(|change| change.doc).collect::<AHashSet<_>>().len();
    writeln!(
        out,
        "{} read; {} {}, {} {}; {} of all letters and digits {}",
        summary::number(scored.len() as u64, "document"),
        changes.iter().filter(|change| change.action == "dropped").count(),
        if args.annotate { "would be dropped" } else { "dropped" },
        cut_documents,
        if args.annotate { "would be cut" } else { "cut" },
        summary::percent(letters_cut as f64 / letters.max(1) as f64),
        if args.dry_run || args.annotate { "would go" } else { "went" },
    )?;
    if args.dry_run {
        return Ok(DONE);
    }
    let Some(to) = &args.out else {
        bail!("--out names the directory to write to; --dry-run writes nothing");
    };
    let notes = write(to, &results, &collected.files, &decisions, &changes)?;
    if messages != Messages::None {
        notes.iter().for_each(|note| complain("note", note, None));
        complain("note", &format!("the collection and manifest.jsonl are in {}", to.display()), None);
    }
    Ok(if collected.skipped.is_empty() { DONE } else { SKIPPED })
}

/// Which of several copies stays.
struct Preference<'a> {
    /// For each document what it is chosen by; the least stays.
    keys: AHashMap<&'a str, (Reverse<u64>, u64, Place<'a>)>,
}

/// Where a document was read.
type Place<'a> = (Option<&'a str>, Option<u64>);

impl<'a> Preference<'a> {
    fn new(args: &CleanArgs, documents: &AHashMap<&'a str, &'a Document>, rows: &[&'a DocumentRow]) -> Self {
        let keep = args.keep_copy.unwrap_or(KeepCopy::First);
        let keys = (0..).zip(rows).map(|(order, row)| {
            let document = documents[&*row.id];
            let place = (document.path.as_deref(), document.line);
            let source = document.source.as_ref();
            let rank = args.sources.iter().position(|name| Some(name) == source).unwrap_or(usize::MAX);
            let (length, rank) = match keep {
                KeepCopy::First => (0, 0),
                KeepCopy::Longest => (row.weight, 0),
                // Rows are in order of their dates.
                KeepCopy::Earliest => (0, order),
                KeepCopy::SourceOrder => (0, rank as u64),
            };
            (&*row.id, (Reverse(length), rank, place))
        });
        Preference { keys: keys.collect() }
    }

    fn best<'b>(&self, ids: impl Iterator<Item = &'b str>) -> Option<&'b str> {
        ids.min_by_key(|id| self.keys.get(*id))
    }
}

/// The documents that go as a whole, with the reason.
fn dropped<'a>(
    args: &CleanArgs,
    rows: &[&'a DocumentRow],
    clusters: &'a [ClusterRow],
    preference: &Preference,
) -> AHashMap<&'a str, String> {
    let mut dropped = AHashMap::new();
    let mut survivors = AHashSet::new();
    if args.near_duplicates == NearDuplicates::Drop {
        for cluster in clusters {
            let members = || cluster.members.iter().map(|id| &**id);
            let Some(survivor) = preference.best(members()) else { continue };
            survivors.insert(survivor);
            for id in members().filter(|id| *id != survivor) {
                dropped.insert(id, format!("near-duplicate of {survivor}, cluster {}", cluster.cluster));
            }
        }
    }
    if let Some(least) = args.min_originality {
        for row in rows {
            // The copies that make it unoriginal may be gone already.
            if let Some(originality) = row.scores.originality.filter(|originality| *originality < least)
                && !survivors.contains(&*row.id)
            {
                dropped
                    .entry(&*row.id)
                    .or_insert_with(|| format!("originality {originality:.3}, below {least}"));
            }
        }
    }
    dropped
}

/// What is cut out of the documents that stay.
fn cuts<'a>(
    args: &CleanArgs,
    spans: &'a [SpanRow],
    of_doc: &AHashMap<&'a str, Vec<&'a SpanRow>>,
    dropped: &AHashMap<&str, String>,
    documents: &AHashMap<&str, &Document>,
    preference: &Preference,
) -> AHashMap<&'a str, Vec<(Range<usize>, &'static str)>> {
    let goes = |span: &&SpanRow| {
        args.drop.contains(&span.label)
            && !dropped.contains_key(&*span.doc)
            && documents.contains_key(&*span.doc)
    };
    // The document of each family in which it stays, if one copy is to stay.
    let mut stays: AHashMap<u32, &str> = AHashMap::new();
    if args.keep_copy.is_some() {
        let mut holders: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
        let mut stays_anyway: AHashSet<u32> = AHashSet::new();
        for span in
            spans.iter().filter(|span| span.label != Label::Repeat && !dropped.contains_key(&*span.doc))
        {
            let Some(family) = span.family else { continue };
            match goes(&span) {
                true => holders.entry(family).or_default().push(&span.doc),
                false => drop(stays_anyway.insert(family)),
            }
        }
        for (family, holders) in holders.into_iter().filter(|(family, _)| !stays_anyway.contains(family)) {
            stays.extend(preference.best(holders.into_iter()).map(|best| (family, best)));
        }
    }
    let is_kept = |span: &SpanRow| {
        span.label != Label::Repeat
            && span.family.is_some_and(|family| stays.get(&family) == Some(&&*span.doc))
    };
    let mut cuts: AHashMap<&str, Vec<(Range<usize>, &str)>> = AHashMap::new();
    for (&doc, spans) in of_doc {
        let gone: Vec<&SpanRow> = spans.iter().copied().filter(goes).filter(|span| !is_kept(span)).collect();
        if gone.is_empty() {
            continue;
        }
        let text = &documents[doc].text;
        let places: Vec<Range<usize>> =
            gone.iter().map(|span| span.start_byte as usize..span.end_byte as usize).collect();
        let narrowed = cut::narrowed(text, &places, args.cut);
        let outside = args.main.map_or_else(Vec::new, |cost| cut::outside(text, &narrowed, cost));
        let of_label = |stretch: Range<usize>| {
            let of = gone.iter().find(|span| (span.end_byte as usize) > stretch.start);
            (stretch, of.map_or(Label::Shared, |span| span.label).as_str())
        };
        let mut stretches: Vec<_> = narrowed.into_iter().map(of_label).collect();
        stretches.extend(outside.into_iter().map(|stretch| (stretch, "outside the main text")));
        stretches.sort_by_key(|(stretch, _)| stretch.start);
        if !stretches.is_empty() {
            cuts.insert(doc, stretches);
        }
    }
    cuts
}

fn by_document(spans: &[SpanRow]) -> AHashMap<&str, Vec<&SpanRow>> {
    let mut found: AHashMap<&str, Vec<&SpanRow>> = AHashMap::new();
    for span in spans {
        found.entry(&*span.doc).or_default().push(span);
    }
    found
}

/// Writes the collection and the manifest, or nothing.
fn write(
    to: &Path,
    results: &Results,
    files: &[super::input::FileRead],
    decisions: &[Decision],
    changes: &[Change],
) -> Result<Vec<String>> {
    let here = || format!("cannot write to {}", to.display());
    fs::create_dir_all(to).with_context(here)?;
    if fs::read_dir(to).with_context(here)?.next().is_some() {
        bail!("{} is not empty; name a new directory", to.display());
    }
    let unfinished = Unfinished::new(to).with_context(here)?;
    let notes = rewrite::rewrite(unfinished.path(), results.settings(), files, decisions)?;
    let mut names = unfinished.files().with_context(here)?;
    let mut manifest = BufWriter::new(File::create_new(unfinished.path().join(MANIFEST)).with_context(here)?);
    output::lines(&mut manifest, changes)?;
    output::finish(manifest)?;
    names.push(MANIFEST.to_owned());
    unfinished.commit(names, Vec::new()).with_context(here)?;
    Ok(notes)
}

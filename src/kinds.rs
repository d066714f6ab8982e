//! Kinds: what a recurring passage is, and why.
//!
//! Judged from where its occurrences stand (whole lines, edges of the document,
//! a fixed place, inside quotation marks), from how many documents have it, and
//! from how much those documents are alike outside it. The thresholds that
//! users may want to move are settings; the others are named here.

use crate::config::Config;
use crate::lanes::{LANES, Lanes};
use crate::report::{FamilyRow, Kind};
use crate::tokenizer::Tokenizer;
use crate::tokens::Tokens;

/// Share of occurrences that must be whole lines in boilerplate.
const MOSTLY: f64 = 0.75;
/// Rest similarity below which documents differ outside a passage.
pub(crate) const DIFFERENT: f64 = 0.5;
/// The same of prose, of which several paragraphs may be stock.
const DIFFERENT_PROSE: f64 = 0.75;
/// Standard deviation of the relative position of what has a fixed place.
const FIXED: f64 = 0.05;
/// The same for what has a steady place in one source.
const STEADY: f64 = 0.15;
/// Documents a source needs before its habits are judged.
const HABIT: u32 = 20;
/// Tokens up to which a line is short.
const SHORT_LINE: u32 = 12;
/// Tokens from which two documents alone do not make a block boilerplate: the
/// end of one story may be told in another.
const LONG_BLOCK: u32 = 60;
/// Share of letters among the characters of prose.
const PROSE: f64 = 0.7;
/// Share of tokens that are joined to the one before, as those of addresses
/// and markup are, from which a text is no prose.
const JOINED: f64 = 0.35;
/// Share of places inside quotation marks from which it does not matter where
/// in a document they are.
const SPOKEN: f64 = 0.75;
/// Documents with the same words at the same place, from which this is house
/// style; twice as many for whole paragraphs.
const HOUSE: u32 = 4;
/// How much of it must be word for word the same.
const STYLED: f64 = 0.85;

/// Where an occurrence stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// At least half of it is inside quotation marks; if it is short, it is
    /// also at least half of what is quoted there.
    pub quoted: bool,
    /// It is whole lines.
    pub block: bool,
    /// It is near the start or the end of the document.
    pub edge: bool,
    /// Its middle, 0 at the start and 1 at the end of the document.
    pub position: f32,
    /// The share of the document it covers.
    pub share: f32,
}

impl Facts {
    /// Looks at tokens `start..end` of a document; `quotes` are its quoted
    /// stretches in bytes. Below `short` tokens it must be most of a quotation
    /// to count as quoted.
    pub(crate) fn new(
        tokens: &Tokens,
        quotes: &[(usize, usize)],
        start: u32,
        end: u32,
        short: usize,
    ) -> Facts {
        let len = tokens.len() as u32;
        let edge = (len / 20).max(30);
        let first = tokens.places.byte(start as usize);
        let last = tokens.token(end as usize - 1).end;
        let from = quotes.partition_point(|quote| quote.1 <= first);
        let (mut inside, mut quoted) = (0, 0);
        for &(open, close) in quotes[from..].iter().take_while(|quote| quote.0 < last) {
            inside += close.min(last) - open.max(first);
            quoted += close - open;
        }
        let long = (end - start) as usize >= short;
        Facts {
            quoted: 2 * inside >= last - first && (long || 2 * (last - first) >= quoted),
            block: tokens.starts_line(start as usize) && tokens.starts_line(end as usize),
            edge: start <= edge || len - end <= edge,
            position: (f64::from(start + end) / f64::from(2 * len)) as f32,
            share: (f64::from(end - start) / f64::from(len)) as f32,
        }
    }
}

/// The quoted stretches of a text in bytes: what stands between quotation marks
/// of any kind, and lines that begin with `>`. A quotation that is not closed
/// ends with its paragraph; what has no space, as a name of a file, is none.
pub(crate) fn quotes(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut open: Option<(char, usize)> = None;
    let mut line = 0;
    if bytes.first() == Some(&b'>') {
        found.push((0, line_end(bytes, 0)));
    }
    let mut at = 0;
    loop {
        at = next_lead(bytes, at);
        if at == bytes.len() {
            break;
        }
        let character = text[at..].chars().next().expect("a character");
        let here = at;
        at += character.len_utf8();
        if character == '\n' {
            let wrapped = Tokenizer::WRAPPED.contains(&(here - line));
            let blank = bytes[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n');
            if let Some((_, start)) = open
                && (blank || !wrapped)
            {
                found.push((start, here));
                open = None;
            }
            line = at;
            if bytes.get(at) == Some(&b'>') {
                found.push((at, line_end(bytes, at)));
            }
        } else if let Some((opener, start)) = open {
            if closes(opener, character) {
                if opener != '"' || text[start..at].contains(char::is_whitespace) {
                    found.push((start, at));
                }
                open = None;
            }
        } else if character == '"' && here > 0 && bytes[here - 1] == b'=' {
            // The value of an attribute in markup, which ends with its line.
            let end =
                bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\n')).unwrap_or(bytes.len() - at);
            at += end + usize::from(bytes.get(at + end) == Some(&b'"'));
        } else if matches!(character, '"' | '“' | '„' | '‟' | '«' | '»' | '「' | '『') {
            open = Some((character, here));
        }
    }
    found.extend(open.map(|(_, start)| (start, text.len())));
    // A quotation inside a quoted line is part of it.
    found.sort_unstable();
    found.dedup_by(|next, last| {
        let overlaps = next.0 < last.1;
        last.1 = if overlaps { last.1.max(next.1) } else { last.1 };
        overlaps
    });
    found
}

/// Bytes with which the characters begin that [`quotes`] looks at.
const LEADS: [u8; 5] = [b'"', b'\n', 0xc2, 0xe2, 0xe3];

/// The first such byte from one on, or the end.
fn next_lead(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(some) = bytes[at..].first_chunk::<LANES>() {
        let some = Lanes::of_bytes(some);
        let leads = LEADS.map(|byte| some.alike(Lanes::splat(byte as i8)));
        let leads = leads.into_iter().fold(Lanes::splat(0), Lanes::or).bits();
        if leads != 0 {
            return at + leads.trailing_zeros() as usize;
        }
        at += LANES;
    }
    bytes[at..].iter().position(|byte| LEADS.contains(byte)).map_or(bytes.len(), |step| at + step)
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |len| from + len)
}

fn closes(opener: char, character: char) -> bool {
    match opener {
        '“' | '‟' => character == '”',
        '„' => matches!(character, '“' | '”'),
        '«' => character == '»',
        '»' => character == '«',
        '「' => character == '」',
        '『' => character == '』',
        _ => character == '"',
    }
}

/// Whether a passage has the shape of a template: whole lines at the edges of
/// several documents. It is one if these differ otherwise.
pub(crate) fn may_be_template(row: &FamilyRow) -> bool {
    let open = matches!(row.kind, Kind::Boilerplate | Kind::Stock | Kind::Shared);
    open && row.df >= 3 && row.block_share >= MOSTLY && row.edge_share >= 0.5
}

/// What is known of a family when its kind is decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Signals {
    /// Documents.
    pub documents: u32,
    /// Documents, near-duplicates counted once.
    pub df: u32,
    pub occurrences: u32,
    pub tokens: u32,
    pub cohesion: f64,
    pub rest_similarity: Option<f64>,
    pub quote_share: f64,
    pub position_mean: f64,
    pub position_sd: f64,
    pub edge_share: f64,
    pub block_share: f64,
    /// Documents of which it covers `syndicated_share`.
    pub covered: u32,
    /// Documents of the source that has it most often, and how many it has.
    pub source: (u32, u32),
    /// Share of letters among the letters and digits of its text.
    pub letters: f64,
    /// Share of its tokens that no space divides from the one before.
    pub joined: f64,
}

impl Signals {
    /// The kind of a family and the reason, in one line.
    pub(crate) fn kind(&self, config: &Config) -> (Kind, String) {
        let Signals { documents, df, occurrences, tokens, .. } = *self;
        let rest = self.rest_similarity.unwrap_or(0.0);
        let differs = rest < DIFFERENT;
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        if documents == 1 {
            return (Kind::Repeat, format!("{occurrences} times in one document"));
        }
        if df == 1 {
            let reason = format!("its {documents} documents are near-duplicates of each other");
            return (Kind::Syndicated, reason);
        }
        if self.covered > 0 && 2 * self.covered >= documents - 1 {
            let least = percent(config.syndicated_share);
            let reason = format!("at least {least} of {} of {documents} documents", self.covered);
            return (Kind::Syndicated, reason);
        }
        let quotation = || {
            let reason =
                format!("{} of {occurrences} places are inside quotation marks", percent(self.quote_share));
            (Kind::Quotation, reason)
        };
        let short = (tokens as usize) < config.formula_tokens;
        if self.quote_share >= SPOKEN && !short {
            return quotation();
        }
        let lines = self.block_share >= MOSTLY;
        if lines && self.edge_share >= 0.5 && differs && (df >= 3 || tokens < LONG_BLOCK) {
            let reason = format!(
                "whole lines at the start or end of {} of {occurrences} places, in {df} documents whose rest differs",
                percent(self.edge_share)
            );
            return (Kind::Boilerplate, reason);
        }
        let enough = if (tokens as usize) < config.stock_tokens { HOUSE } else { 2 * HOUSE };
        let fixed = self.position_sd <= FIXED && differs && df >= enough && tokens < LONG_BLOCK;
        if self.block_share >= 0.5 && fixed {
            let place = percent(self.position_mean);
            let reason = format!("always at {place} of the text, in {df} documents whose rest differs");
            return (Kind::Boilerplate, reason);
        }
        if self.edge_share >= 0.9 && fixed && !short && self.cohesion >= STYLED {
            let place = percent(self.position_mean);
            let reason = format!("always near {place} of the text, in {df} documents that begin or end so");
            return (Kind::Boilerplate, reason);
        }
        let (size, with) = self.source;
        if size >= HABIT
            && f64::from(with) >= config.boilerplate_share * f64::from(size)
            && self.block_share >= 0.5
            && self.position_sd <= STEADY
            && differs
        {
            let reason = format!("in {with} of the {size} documents of one source, at a steady place");
            return (Kind::Boilerplate, reason);
        }
        if lines && tokens <= SHORT_LINE && df >= 3 && self.cohesion >= 0.95 {
            return (Kind::Boilerplate, format!("the same short line in {df} documents"));
        }
        if self.quote_share >= 0.5 {
            return quotation();
        }
        if short && self.block_share < 0.5 {
            let reason = format!("a set phrase of {tokens} tokens inside other text, {occurrences} times");
            return (Kind::Formula, reason);
        }
        if tokens as usize >= config.stock_tokens
            && df as usize >= config.stock_df
            && rest < DIFFERENT_PROSE
            && self.letters >= PROSE
            && self.joined < JOINED
        {
            let rest = if differs { "differs" } else { "is alike but not the same" };
            return (Kind::Stock, format!("prose of {tokens} tokens in {df} documents whose rest {rest}"));
        }
        let reason = format!("{tokens} tokens in {df} documents, of no particular kind");
        (Kind::Shared, reason)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quoted(text: &str) -> Vec<&str> {
        quotes(text).into_iter().map(|(start, end)| &text[start..end]).collect()
    }

    #[test]
    fn quotation_marks_of_many_kinds() {
        assert_eq!(quoted("He said: “We will.” Then \"not now\"."), ["“We will.”", "\"not now\""]);
        assert_eq!(quoted("«Non», „nein“ und »doch«; 「はい」"), ["«Non»", "„nein“", "»doch«", "「はい」"]);
        assert_eq!(quoted("x\n> one\ntwo\n>three"), ["> one", ">three"]);
        assert_eq!(quoted("see \"2019-01-02-a-page.md\" and \"a page\""), ["\"a page\""]);
    }

    #[test]
    fn attributes_of_markup_are_no_quotations() {
        let text = "<img src=\"a.jpg\" alt=\"A mill\"> he said \"oh no\" <a href=\"";
        assert_eq!(quoted(text), ["\"oh no\""]);
    }

    #[test]
    fn an_open_quotation_ends_with_its_paragraph() {
        assert_eq!(quoted("She: “We must\n\nnot."), ["“We must"]);
        let wrapped = format!("“{}\nand on” x", "a".repeat(60));
        assert_eq!(quoted(&wrapped), [&wrapped[..wrapped.len() - 2]]);
    }

    fn signals() -> Signals {
        Signals {
            documents: 3,
            df: 3,
            occurrences: 3,
            tokens: 40,
            cohesion: 1.0,
            letters: 1.0,
            position_sd: 0.2,
            ..Signals::default()
        }
    }

    #[test]
    fn one_family_of_each_kind() {
        let cases = [
            (Kind::Repeat, Signals { documents: 1, df: 1, ..signals() }),
            (Kind::Syndicated, Signals { df: 1, ..signals() }),
            (Kind::Syndicated, Signals { documents: 2, df: 2, covered: 1, ..signals() }),
            (Kind::Boilerplate, Signals { block_share: 1.0, edge_share: 1.0, ..signals() }),
            (
                Kind::Shared,
                Signals { block_share: 1.0, edge_share: 1.0, df: 2, documents: 2, tokens: 180, ..signals() },
            ),
            (
                Kind::Boilerplate,
                Signals { block_share: 0.6, position_sd: 0.01, df: 8, documents: 8, ..signals() },
            ),
            (Kind::Stock, Signals { block_share: 0.6, position_sd: 0.01, ..signals() }),
            (
                Kind::Boilerplate,
                Signals { block_share: 0.6, position_sd: 0.1, source: (100, 5), ..signals() },
            ),
            (Kind::Boilerplate, Signals { block_share: 1.0, tokens: 4, ..signals() }),
            (Kind::Quotation, Signals { quote_share: 0.6, ..signals() }),
            (Kind::Formula, Signals { tokens: 9, ..signals() }),
            (Kind::Stock, signals()),
            (Kind::Shared, Signals { df: 2, documents: 2, ..signals() }),
            (Kind::Shared, Signals { letters: 0.3, ..signals() }),
            (Kind::Stock, Signals { rest_similarity: Some(0.7), ..signals() }),
            (Kind::Shared, Signals { rest_similarity: Some(0.8), ..signals() }),
            (Kind::Shared, Signals { joined: 0.5, ..signals() }),
            (Kind::Quotation, Signals { quote_share: 0.9, block_share: 1.0, edge_share: 1.0, ..signals() }),
            (
                Kind::Boilerplate,
                Signals { edge_share: 1.0, position_sd: 0.02, df: 4, documents: 4, tokens: 15, ..signals() },
            ),
            (
                Kind::Stock,
                Signals { edge_share: 1.0, position_sd: 0.02, df: 9, documents: 9, tokens: 70, ..signals() },
            ),
        ];
        for (kind, signals) in cases {
            let (found, reason) = signals.kind(&Config::default());
            assert_eq!(found, kind, "{reason}: {signals:?}");
            assert!(!reason.is_empty());
        }
    }

    proptest! {
        #[test]
        fn leading_bytes_are_found_as_one_by_one(text in "[a-c\"\n«“「é漢]{0,3}[a-c]{0,40}[a-c\"\n«“「é漢]{0,9}", from in 0usize..60) {
            let bytes = text.as_bytes();
            let from = from.min(bytes.len());
            let expected = (from..bytes.len()).find(|&at| LEADS.contains(&bytes[at])).unwrap_or(bytes.len());
            prop_assert_eq!(next_lead(bytes, from), expected);
        }
    }
}

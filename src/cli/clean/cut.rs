//! Cutting stretches out of a text without leaving scars.

use std::ops::Range;

/// Where a cut may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Boundary {
    /// Between words: all of a passage is cut, except one to three words inside a line
    Words,
    /// Only whole sentences are cut
    Sentences,
    /// Only whole lines are cut
    Lines,
}

/// Joins stretches with nothing but punctuation between them, and narrows each
/// to the boundaries it may be cut at. Between words, those stay that are only a few
/// words inside a line: they agree by chance in an edited passage, and without them
/// the sentence is broken. They are sorted and disjoint, and so are those returned.
pub(crate) fn narrowed(text: &str, stretches: &[Range<usize>], boundary: Boundary) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if !text[last.end..stretch.start].chars().any(char::is_alphanumeric) => {
                last.end = stretch.end;
            }
            _ => joined.push(stretch.clone()),
        }
    }
    let narrow = |stretch: Range<usize>| {
        let (mut first, mut last) = (None, stretch.start);
        edges(text, &stretch, boundary, |at| {
            first = first.or(Some(at));
            last = at;
        });
        let cut = first?..last.min(stretch.end);
        let is_cut = cut.start < cut.end
            && text[cut.clone()].chars().any(char::is_alphanumeric)
            && (boundary != Boundary::Words || !is_scrap(text, &cut));
        is_cut.then_some(cut)
    };
    joined.into_iter().filter_map(narrow).collect()
}

/// Whether a stretch has less than [`PHRASE`] words, with space and other words of the
/// same line on both sides.
fn is_scrap(text: &str, stretch: &Range<usize>) -> bool {
    let inner = &text[stretch.clone()];
    if inner.split_whitespace().take(PHRASE).count() == PHRASE {
        return false;
    }
    let apart = |c: char| !c.is_alphanumeric();
    let before = &text[..stretch.end - inner.trim_start_matches(apart).len()];
    let after = &text[stretch.start + inner.trim_end_matches(apart).len()..];
    let space_before = &before[before.trim_end_matches(apart).len()..];
    let space_after = &after[..after.len() - after.trim_start_matches(apart).len()];
    [(before, space_before), (after, space_after)].iter().all(|(rest, space)| {
        space.len() < rest.len() && space.contains(char::is_whitespace) && !space.contains('\n')
    })
}

/// The least number of words that are cut out of the middle of a line.
const PHRASE: usize = 4;

/// Calls `found` with the places in a stretch where something begins that may
/// be cut off from what precedes it, and with the first such place behind the
/// stretch if nothing but space lies between.
fn edges(text: &str, stretch: &Range<usize>, boundary: Boundary, mut found: impl FnMut(usize)) {
    let behind = stretch.end + text[stretch.end..].len() - text[stretch.end..].trim_start().len();
    if boundary == Boundary::Words {
        found(stretch.start);
        return found(stretch.end);
    }
    let before = text[..stretch.start].trim_end();
    let space = &text[before.len()..stretch.start];
    let mut line_begins = before.is_empty() || space.contains('\n');
    // Closing marks belong to the sentence they end.
    let end = before.chars().rev().take(4).find(|c| !closes(*c));
    let mut stop = end.and_then(Stop::of);
    let mut spaced = !space.is_empty();
    for (at, c) in text[stretch.start..behind].char_indices().map(|(at, c)| (stretch.start + at, c)) {
        if c.is_whitespace() {
            line_begins |= c == '\n';
            spaced = true;
            continue;
        }
        let sentence_begins = match stop {
            Some(Stop::Spaced) => spaced,
            Some(Stop::Any) => spaced || !closes(c),
            None => false,
        };
        if line_begins || boundary == Boundary::Sentences && sentence_begins {
            found(at);
        }
        if spaced || !closes(c) {
            stop = Stop::of(c);
        }
        (line_begins, spaced) = (false, false);
    }
    let sentence_ends = match stop {
        Some(Stop::Spaced) => spaced,
        Some(Stop::Any) => true,
        None => false,
    };
    let ends = line_begins || boundary == Boundary::Sentences && sentence_ends;
    if ends || behind == text.len() {
        found(behind);
    }
}

/// What ends a sentence: with space behind it, or by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Spaced,
    Any,
}

impl Stop {
    fn of(c: char) -> Option<Stop> {
        match c {
            '.' | '!' | '?' | '…' | '؟' | '۔' | '।' => Some(Stop::Spaced),
            '。' | '！' | '？' => Some(Stop::Any),
            _ => None,
        }
    }
}

fn closes(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』')
}

/// What lies outside the main text: the run of lines with most letters and digits
/// left after the cuts, where every line costs `cost` of them, and the lines around it
/// up to the next of which half or more is cut. Empty if no run is worth its cost.
/// Without what is cut there already. Stretches are sorted and disjoint, and so are
/// those returned. Linear.
///
/// Runs of greatest sum find articles in web pages: Pasternack and Roth, *Extracting
/// Article Text from the Web with Maximum Subsequence Segmentation* (2009), where a
/// classifier of tokens says what here the cuts and the ends of lines do.
pub(crate) fn outside(text: &str, stretches: &[Range<usize>], cost: usize) -> Vec<Range<usize>> {
    let mut best = Run { sum: 0, from: 0, to: None };
    let mut run = Run { sum: 0, from: 0, to: None };
    // Where the last line ends that is cut.
    let mut wall = 0;
    let mut rest = stretches;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        rest = &rest[rest.partition_point(|stretch| stretch.end <= start)..];
        let here = rest.iter().take_while(|stretch| stretch.start < end);
        let cut: usize =
            here.map(|stretch| letters(&text[stretch.start.max(start)..stretch.end.min(end)])).sum();
        let all = letters(line);
        if all > 0 {
            if run.sum <= 0 {
                run = Run { sum: 0, from: wall, to: None };
            }
            run.sum += (all - cut) as i64 - cost as i64;
            let is_cut = 2 * cut >= all;
            if run.sum > best.sum {
                best = run;
            } else if is_cut {
                best.to = best.to.or(Some(start));
            }
            if is_cut {
                wall = end;
            }
        }
        start = end;
    }
    if best.sum == 0 {
        return Vec::new();
    }
    let mut found = Vec::new();
    uncut(0..best.from, stretches, &mut found);
    uncut(best.to.unwrap_or(text.len())..text.len(), stretches, &mut found);
    found.retain(|stretch| letters(&text[stretch.clone()]) > 0);
    found
}

/// A run of lines: what it is worth, and between which cut lines it stands.
#[derive(Clone, Copy)]
struct Run {
    sum: i64,
    from: usize,
    to: Option<usize>,
}

/// The letters and digits of a text.
pub(crate) fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// Appends what is left of a stretch of text without some others.
fn uncut(text: Range<usize>, stretches: &[Range<usize>], found: &mut Vec<Range<usize>>) {
    let mut start = text.start;
    for stretch in &stretches[stretches.partition_point(|stretch| stretch.end <= text.start)..] {
        if stretch.start >= text.end {
            break;
        }
        if start < stretch.start {
            found.push(start..stretch.start);
        }
        start = stretch.end;
    }
    if start < text.end {
        found.push(start..text.end);
    }
}

/// The text without the stretches, which are sorted and disjoint. The space
/// around a cut becomes what it would be if the stretch had never been there:
/// one space between words, one break between lines or paragraphs.
pub(crate) fn without(text: &str, stretches: &[Range<usize>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut reached = 0;
    for stretch in stretches {
        let inner = text[stretch.clone()].trim();
        if inner.is_empty() {
            continue;
        }
        // The space at its own edges is that around it.
        let start = stretch.end - text[stretch.clone()].trim_start().len();
        left.push_str(&text[reached..start]);
        reached = start + inner.len();
        let rest = &text[reached..];
        let before = left.len() - left.trim_end().len();
        let after = rest.len() - rest.trim_start().len();
        let space_before = left.split_off(left.len() - before);
        let breaks = |space: &str| space.matches('\n').count();
        let space_after = &rest[..after];
        reached += after;
        if left.is_empty() || after == rest.len() {
            // Nothing to keep apart; a final line break stays.
            if !left.is_empty() && text.ends_with('\n') {
                left.push('\n');
            }
            continue;
        }
        let wider = match (breaks(&space_before), breaks(space_after)) {
            (b, a) if b > a => &space_before[..],
            (b, a) if a > b => space_after,
            _ if space_before.len() >= space_after.len() => &space_before[..],
            _ => space_after,
        };
        left.push_str(wider);
    }
    left.push_str(&text[reached..]);
    left
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, words: &str, boundary: Boundary) -> String {
        let start = text.find(words).unwrap();
        let stretch = start..start + words.len();
        without(text, &narrowed(text, std::slice::from_ref(&stretch), boundary))
    }

    #[test]
    fn no_scars_are_left() {
        let text = "One.\n\nThe notice.\n\nTwo, three, four, five and six.\n";
        assert_eq!(cut(text, "The notice.", Boundary::Words), "One.\n\nTwo, three, four, five and six.\n");
        assert_eq!(cut(text, "three, four, five and", Boundary::Words), "One.\n\nThe notice.\n\nTwo, six.\n");
        assert_eq!(cut(text, "One.", Boundary::Words), "The notice.\n\nTwo, three, four, five and six.\n");
        assert_eq!(cut(text, "Two, three, four, five and six.", Boundary::Words), "One.\n\nThe notice.\n");
        assert_eq!(cut("a\nb\nc", "b", Boundary::Words), "a\nc");
    }

    #[test]
    fn cuts_keep_to_their_boundaries() {
        let text = "It rained. The mill burned down. Nobody was hurt.\nThe end\n";
        let words = "rained. The mill burned down. Nobody";
        assert_eq!(cut(text, words, Boundary::Words), "It was hurt.\nThe end\n");
        assert_eq!(cut(text, words, Boundary::Sentences), "It rained. Nobody was hurt.\nThe end\n");
        assert_eq!(cut(text, words, Boundary::Lines), text);
        let words = "Nobody was hurt.\nThe end";
        assert_eq!(cut(text, words, Boundary::Lines), "It rained. The mill burned down. Nobody was hurt.\n");
        assert_eq!(cut("他说了。这是真的。完", "这是真的。", Boundary::Sentences), "他说了。完");
        assert_eq!(cut("One. “Two.” Three", "Two.” Three", Boundary::Sentences), "One. “Two.”");
        assert_eq!(cut("One. Two.\n", "Two.", Boundary::Sentences), "One.\n");
        // What is only a few words inside a line stays.
        let text = "The mayor of the town spoke.\nThe end of it";
        assert_eq!(cut(text, "of the", Boundary::Words), text);
        assert_eq!(cut(text, "mayor of the town", Boundary::Words), "The spoke.\nThe end of it");
        assert_eq!(cut(text, "spoke.", Boundary::Words), "The mayor of the town\nThe end of it");
        assert_eq!(cut(text, "The end", Boundary::Words), "The mayor of the town spoke.\nof it");
        assert_eq!(cut("这是真的 他说了", "真的", Boundary::Words), "这是 他说了");
        // Linear in hostile text as well.
        let marks = "”".repeat(100_000);
        assert_eq!(cut(&marks, &marks, Boundary::Sentences), marks);
    }

    #[test]
    fn the_main_text_is_what_lies_between_two_cut_lines() {
        let text = "A page\nHome\nTop story\nNews\nThe mill\n\nA whole paragraph that somebody wrote.\nAnother one of the same length, or so.\nTags\nMore\nA reader's comment, longer than a teaser\nTerms\nEnd\n";
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for word in ["Home", "News", "More", "Terms"] {
            let at = text.find(word).unwrap();
            stretches.push(at..at + word.len());
        }
        let found = |cost| -> Vec<&str> {
            outside(text, &stretches, cost).into_iter().map(|stretch| text[stretch].trim()).collect()
        };
        // The title and the tags stay with the paragraphs.
        let comment = "A reader's comment, longer than a teaser";
        assert_eq!(found(20), ["A page", "Top story", comment, "End"]);
        // Where a line costs little, what is cut between two runs keeps them together.
        assert_eq!(found(4), ["A page", "Top story", "End"]);
        // No line is worth so much.
        assert_eq!(found(40), [""; 0]);
        assert_eq!(outside(text, &[], 20), [0..0; 0]);
        assert_eq!(outside("", &[], 20), [0..0; 0]);
    }

    proptest! {
        /// Against the sum of every run of lines.
        #[test]
        fn the_main_text_equals_a_look_at_all_runs(lines in prop::collection::vec(("[ab .]{0,6}", 0usize..7), 0..12), cost in 0usize..5) {
            // Of each line so many characters are cut, from its first.
            let mut text = String::new();
            let mut stretches: Vec<Range<usize>> = Vec::new();
            let (mut worth, mut is_cut) = (Vec::new(), Vec::new());
            for (line, cut) in &lines {
                let cut = *cut.min(&line.len());
                if cut > 0 {
                    stretches.push(text.len()..text.len() + cut);
                }
                let (gone, all) = (letters(&line[..cut]), letters(line));
                worth.push(if all > 0 { (all - gone) as i64 - cost as i64 } else { 0 });
                is_cut.push(all > 0 && 2 * gone >= all);
                text.push_str(line);
                text.push('\n');
            }
            // Of runs worth the same, the one that ends first and of those the shortest.
            let mut best = (0, 0, lines.len());
            for end in 1..=lines.len() {
                for start in (0..end).rev() {
                    let sum = worth[start..end].iter().sum();
                    if sum > best.0 {
                        best = (sum, start, end);
                    }
                }
            }
            let (_, mut start, mut end) = best;
            while start > 0 && !is_cut[start - 1] {
                start -= 1;
            }
            while end < lines.len() && !is_cut[end] {
                end += 1;
            }
            let expected: String = (0..lines.len())
                .filter(|line| !(start..end).contains(line))
                .map(|line| &lines[line].0[lines[line].1.min(lines[line].0.len())..])
                .collect();
            let found: Vec<&str> = outside(&text, &stretches, cost).into_iter().map(|stretch| &text[stretch]).collect();
            let bare = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(bare(&found.concat()), bare(&expected));
            prop_assert!(found.iter().all(|text| !bare(text).is_empty()));
        }

        /// What is left is what was not cut, space apart.
        #[test]
        fn only_the_stretches_go(text in "[a-c .\n]{0,40}", places in prop::collection::vec((0usize..40, 1usize..6), 0..4)) {
            let mut stretches: Vec<Range<usize>> = Vec::new();
            for (start, len) in places {
                let stretch = start.min(text.len())..(start + len).min(text.len());
                if !stretch.is_empty() && stretches.iter().all(|s| s.end <= stretch.start || stretch.end <= s.start) {
                    stretches.push(stretch);
                }
            }
            stretches.sort_by_key(|stretch| stretch.start);
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            let mut kept = String::new();
            let mut reached = 0;
            for stretch in &stretches {
                kept.push_str(&text[reached..stretch.start]);
                reached = stretch.end;
            }
            kept.push_str(&text[reached..]);
            prop_assert_eq!(bare(&without(&text, &stretches)), bare(&kept));
            for boundary in [Boundary::Words, Boundary::Sentences, Boundary::Lines] {
                let narrowed = narrowed(&text, &stretches, boundary);
                prop_assert!(narrowed.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
        }
    }
}

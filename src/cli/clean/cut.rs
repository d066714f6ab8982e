//! Cutting stretches out of a text without leaving scars.

use std::ops::Range;

/// Where a cut may begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Boundary {
    /// Between words: all of a passage is cut
    Words,
    /// Only whole sentences are cut
    Sentences,
    /// Only whole lines are cut
    Lines,
}

/// Joins stretches with nothing but punctuation between them, and narrows each
/// to the boundaries it may be cut at. They are sorted and disjoint, and so are
/// those returned.
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
        (cut.start < cut.end && text[cut.clone()].chars().any(char::is_alphanumeric)).then_some(cut)
    };
    joined.into_iter().filter_map(narrow).collect()
}

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

/// What is left between lines of which half or more is cut: runs of other lines, if
/// none of them has more than `most` letters and digits. Without what is cut in these
/// too. Stretches are sorted and disjoint, and so are those returned. Linear.
pub(crate) fn between(text: &str, stretches: &[Range<usize>], most: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // The lines since the last that was cut, as long as they are short.
    let mut open: Option<Range<usize>> = None;
    let mut rest = stretches;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        rest = &rest[rest.partition_point(|stretch| stretch.end <= start)..];
        let here = rest.iter().take_while(|stretch| stretch.start < end);
        let cut: usize =
            here.map(|stretch| letters(&text[stretch.start.max(start)..stretch.end.min(end)])).sum();
        let all = letters(line);
        if all > 0 && 2 * cut >= all {
            if let Some(lines) = open.replace(end..end) {
                uncut(lines, stretches, &mut found);
            }
        } else if all > most {
            open = None;
        } else if let Some(lines) = &mut open {
            lines.end = end;
        }
        start = end;
    }
    found.retain(|stretch| letters(&text[stretch.clone()]) > 0);
    found
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
        let text = "One.\n\nThe notice.\n\nTwo, three and four.\n";
        assert_eq!(cut(text, "The notice.", Boundary::Words), "One.\n\nTwo, three and four.\n");
        assert_eq!(cut(text, "three and", Boundary::Words), "One.\n\nThe notice.\n\nTwo, four.\n");
        assert_eq!(cut(text, "One.", Boundary::Words), "The notice.\n\nTwo, three and four.\n");
        assert_eq!(cut(text, "Two, three and four.", Boundary::Words), "One.\n\nThe notice.\n");
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
        // Linear in hostile text as well.
        let marks = "”".repeat(100_000);
        assert_eq!(cut(&marks, &marks, Boundary::Sentences), marks);
    }

    #[test]
    fn short_lines_between_cut_ones_go_too() {
        let text = "Home\nTop story today\nNews\nA whole paragraph that somebody wrote.\nMore\nAnother teaser\n\nTerms\nEnd\n";
        let places = |words: &[&str]| -> Vec<Range<usize>> {
            words
                .iter()
                .map(|word| (text.find(word).unwrap(), word.len()))
                .map(|(at, len)| at..at + len)
                .collect()
        };
        let stretches = places(&["Home", "News", "More", "Terms"]);
        let found = |most| -> Vec<&str> {
            between(text, &stretches, most).into_iter().map(|stretch| text[stretch].trim()).collect()
        };
        // What begins or ends the text is between nothing.
        assert_eq!(found(13), ["Top story today", "Another teaser"]);
        assert_eq!(found(12), [""; 0]);
        let whole = found(40);
        assert_eq!(whole, ["Top story today", "A whole paragraph that somebody wrote.", "Another teaser"]);
    }

    proptest! {
        /// Against a look at each line by itself.
        #[test]
        fn what_is_between_equals_a_look_at_each_line(lines in prop::collection::vec(("[ab .]{0,6}", 0usize..7), 0..12), most in 0usize..6) {
            // Of each line so many letters are cut, from its first.
            let mut text = String::new();
            let mut stretches: Vec<Range<usize>> = Vec::new();
            let mut states: Vec<(Range<usize>, usize, usize)> = Vec::new();
            for (line, cut) in &lines {
                let start = text.len();
                text.push_str(line);
                text.push('\n');
                let cut = *cut.min(&line.len());
                if cut > 0 {
                    stretches.push(start..start + cut);
                }
                states.push((start..text.len(), letters(&line[..cut]), letters(line)));
            }
            let is_cut = |state: &(Range<usize>, usize, usize)| state.2 > 0 && 2 * state.1 >= state.2;
            let mut expected = String::new();
            for (at, state) in states.iter().enumerate() {
                let before = states[..at].iter().rposition(is_cut);
                let after = states[at..].iter().position(is_cut).map(|after| at + after);
                if let (Some(before), Some(after), false) = (before, after, is_cut(state))
                    && states[before + 1..after].iter().all(|state| state.2 <= most)
                {
                    expected.push_str(&text[state.0.start + lines[at].1.min(lines[at].0.len())..state.0.end]);
                }
            }
            let found: Vec<&str> = between(&text, &stretches, most).into_iter().map(|stretch| &text[stretch]).collect();
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

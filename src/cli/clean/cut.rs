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

    proptest! {
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

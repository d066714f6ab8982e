//! Character encodings: bytes of unknown origin to text.
//!
//! UTF-8 is taken as it is. Otherwise a byte order mark decides, then what the
//! document declares, then the statistics of its bytes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::record::Refused;

/// A text, and what it was decoded from if that is not UTF-8.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub text: String,
    pub from: Option<&'static Encoding>,
}

/// Decodes bytes, from `given` if it is not `None`.
///
/// # Errors
///
/// If they are not text in the encoding given or found.
pub(crate) fn decode(
    bytes: Vec<u8>,
    given: Option<&'static Encoding>,
    declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
) -> Result<Decoded, Refused> {
    let bytes = match given {
        Some(encoding) if encoding != UTF_8 => return from(&bytes, encoding),
        _ => match String::from_utf8(bytes) {
            Ok(text) if !is_wide(text.as_bytes()) => return Ok(Decoded { text, from: None }),
            Ok(text) => text.into_bytes(),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.into_bytes();
                if given.is_some() || is_damaged(&bytes) {
                    let hint = "most of it is UTF-8, so it may be damaged or mixed; `iconv -c -f UTF-8 -t UTF-8` drops what is broken";
                    return Err((format!("not UTF-8 at byte {at}"), Some(hint.to_owned())));
                }
                bytes
            }
        },
    };
    let encoding = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let encoding = encoding.or_else(|| declared(&bytes)).filter(|encoding| *encoding != UTF_8);
    from(&bytes, encoding.unwrap_or_else(|| guess(&bytes)))
}

/// Guesses an encoding that is not UTF-8 from the start of a longer text.
pub(crate) fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    if is_wide(bytes) {
        return if zeros(bytes, 0) > zeros(bytes, 1) { UTF_16BE } else { UTF_16LE };
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// The encoding of a table that begins like this, if it is not UTF-8.
pub(crate) fn guess_of_start(head: &[u8], given: Option<&'static Encoding>) -> Option<&'static Encoding> {
    // The start may end inside a character.
    let broken = |error: std::str::Utf8Error| error.error_len().is_some();
    let found = given.or_else(|| match std::str::from_utf8(head) {
        Err(error) if broken(error) => Some(guess(head)),
        // In UTF-16 without a mark, ASCII is UTF-8 with zeros.
        _ if is_wide(&head[..head.len() & !1]) => Some(guess(&head[..head.len() & !1])),
        _ => None,
    });
    found.filter(|encoding| *encoding != UTF_8)
}

fn from(bytes: &[u8], encoding: &'static Encoding) -> Result<Decoded, Refused> {
    let (text, encoding, damaged) = encoding.decode(bytes);
    if damaged || text.contains('\0') {
        let hint = "--encoding names another; files of no text can be left out with --glob";
        return Err((
            format!("neither UTF-8 nor {}, or no text at all", encoding.name()),
            Some(hint.to_owned()),
        ));
    }
    Ok(Decoded { text: text.into_owned(), from: Some(encoding) })
}

/// Whether it looks like UTF-16 without a byte order mark: nearly all zeros
/// stand at every other byte.
fn is_wide(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4096)];
    let (even, odd) = (zeros(start, 0), zeros(start, 1));
    let (less, more) = (even.min(odd), even.max(odd));
    bytes.len() >= 8 && bytes.len().is_multiple_of(2) && more * 8 >= start.len() && less * 20 <= more
}

fn zeros(bytes: &[u8], from: usize) -> usize {
    bytes.iter().take(4096).skip(from).step_by(2).filter(|byte| **byte == 0).count()
}

/// Whether far more characters beyond ASCII are good UTF-8 than bad.
fn is_damaged(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > 4 * bad
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GB18030, SHIFT_JIS, WINDOWS_1252, WINDOWS_1256};

    use super::*;

    fn read(bytes: &[u8]) -> Result<(String, Option<&'static str>), String> {
        let decoded = decode(bytes.to_vec(), None, |_| None);
        decoded.map(|d| (d.text, d.from.map(Encoding::name))).map_err(|refused| refused.0)
    }

    #[test]
    fn the_usual_encodings_are_recognised() {
        let french =
            "Le général a été élu à Besançon, où l’été fut très chaud — « déjà » dit-il, ça va être gênant.";
        let arabic = "قال الرئيس في كلمة ألقاها أمس إن الحكومة ستعمل على تحسين الأوضاع الاقتصادية في البلاد";
        let chinese = "中国政府昨天宣布，今年将继续扩大对外开放，推动经济持续健康发展，改善人民生活。";
        let japanese = "日本政府は昨日、新しい経済対策を発表し、来年度の予算案について説明した。";
        for (text, encoding) in
            [(french, WINDOWS_1252), (arabic, WINDOWS_1256), (chinese, GB18030), (japanese, SHIFT_JIS)]
        {
            let bytes = encoding.encode(text).0;
            let (found, from) = read(&bytes).unwrap();
            assert_eq!(found, text, "{}", encoding.name());
            assert!(from == Some(encoding.name()) || from == Some("GBK"));
        }
    }

    #[test]
    fn wide_text_is_read_with_and_without_a_mark() {
        let text = "The mill burned down on Monday night.";
        for (mark, little) in [(true, true), (true, false), (false, true), (false, false)] {
            let mark = if mark { "\u{feff}" } else { "" };
            let units = mark.encode_utf16().chain(text.encode_utf16());
            let bytes: Vec<u8> =
                units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect();
            assert_eq!(read(&bytes).unwrap().0, text);
        }
    }

    #[test]
    fn damaged_text_is_refused_with_the_place() {
        let mut bytes = "Übermäßig schöne Grüße aus Köln, Füße und Äpfel".as_bytes().to_vec();
        bytes[20] = 0xff;
        assert_eq!(read(&bytes).unwrap_err(), "not UTF-8 at byte 20");
        let noise: Vec<u8> = (0..4000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(read(&noise).is_err());
    }
}

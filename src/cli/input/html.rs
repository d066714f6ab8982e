//! Web pages: the text of the article, or all of it.

use dom_smoothie::{Config, Readability, TextMode};
use encoding_rs::Encoding;

use super::guard::guarded;
use super::record::Refused;

/// A page's text, and what it says of itself.
#[derive(Debug)]
pub(crate) struct Page {
    pub text: String,
    pub published: Option<String>,
    pub address: Option<String>,
}

/// Bounds beyond which the libraries' time would grow with the square.
const BYTES: usize = 8 << 20;
const DEPTH: usize = 512;

/// Takes the text out of a page: its article, or with `all` whatever it shows.
///
/// # Errors
///
/// If the page is too long or too deeply nested to be read in reasonable time,
/// or holds no text.
pub(crate) fn page(html: &str, all: bool) -> Result<Page, Refused> {
    if html.len() > BYTES {
        return Err((format!("an HTML page longer than {BYTES} bytes"), None));
    }
    if depth(html) > DEPTH {
        return Err((format!("an HTML page with elements nested more than {DEPTH} deep"), None));
    }
    let read = guarded(|| shown(html, all));
    read.unwrap_or_else(|error| Err((format!("an HTML page that cannot be read: {error}"), None)))
}

fn shown(html: &str, all: bool) -> Result<Page, Refused> {
    let config = Config { text_mode: TextMode::Formatted, ..Config::default() };
    let broken = |error: &dyn std::fmt::Display| (format!("an HTML page that cannot be read: {error}"), None);
    let mut reader = Readability::new(html, None, Some(config)).map_err(|error| broken(&error))?;
    if all {
        let meta = reader.get_article_metadata(reader.parse_json_ld());
        reader.doc.select("script, style, noscript, template, head").remove();
        let text = reader.doc.formatted_text().trim().to_owned();
        return Ok(Page { text, published: meta.published_time, address: meta.url });
    }
    match reader.parse() {
        Ok(article) => Ok(Page {
            text: article.text_content.trim().to_owned(),
            published: article.published_time,
            address: article.url,
        }),
        Err(error) => {
            let hint = "--html all-text takes all text of a page";
            Err((format!("an HTML page without an article: {error}"), Some(hint.to_owned())))
        }
    }
}

/// How deeply elements are nested at most, judged from the tags alone.
fn depth(html: &str) -> usize {
    const VOID: [&str; 14] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
        "track", "wbr",
    ];
    // Left open by custom, and closed by the next of them.
    const OPEN: [&str; 9] = ["p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody"];
    let (mut depth, mut deepest) = (0usize, 0);
    for tag in html.split('<').skip(1) {
        let (closing, name) = match tag.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, tag),
        };
        let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
        let name = &name[..end];
        let is = |names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        if name.is_empty() || is(&VOID) || is(&OPEN) {
            continue;
        }
        depth = if closing { depth.saturating_sub(1) } else { depth + 1 };
        deepest = deepest.max(depth);
    }
    deepest
}

/// The encoding that a page declares in its first kilobyte.
pub(crate) fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024)];
    let at = head.windows(8).position(|word| word.eq_ignore_ascii_case(b"charset="))?;
    let label = head[at + 8..].trim_ascii_start();
    let label = label.strip_prefix(b"\"").or_else(|| label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
    Encoding::for_label(&label[..end.unwrap_or(label.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><html><head><title>A mill burns</title><meta charset='windows-1252'>\
        <meta property='article:published_time' content='2020-01-02'><script>var x = 1;</script></head><body>\
        <nav><a href='/'>Home</a> <a href='/news'>News</a></nav><article><h1>A mill burns</h1>\
        <p>The old mill by the river burned down on Monday night, and the whole town came out to see the flames, which rose higher than the church.</p>\
        <p>Nobody was hurt, said the fire chief, though the miller lost everything he owned, and his cat was missing until Wednesday.</p>\
        <p>The cause is not known yet, but the police are looking for a stranger who was seen near the mill on Sunday evening, with a lantern.</p>\
        </article><footer>All rights reserved</footer></body></html>";

    #[test]
    fn an_article_is_taken_out_of_its_page() {
        let found = page(PAGE, false).unwrap();
        assert!(
            found.text.starts_with("The old mill") || found.text.starts_with("A mill burns"),
            "{}",
            found.text
        );
        assert!(found.text.ends_with("with a lantern."));
        assert!(!found.text.contains("Home") && !found.text.contains("rights"));
        assert_eq!(found.published.as_deref(), Some("2020-01-02"));
        let all = page(PAGE, true).unwrap().text;
        assert!(
            all.contains("Home") && all.contains("All rights reserved") && !all.contains("var x"),
            "{all}"
        );
    }

    #[test]
    fn hostile_nesting_is_refused() {
        assert!(page(&"<div>".repeat(100_000), false).unwrap_err().0.contains("nested"));
        assert!(depth(&"<p>one<br>".repeat(1000)) == 0);
    }

    #[test]
    fn a_declared_encoding_is_found() {
        assert_eq!(declared(PAGE.as_bytes()).map(Encoding::name), Some("windows-1252"));
        assert_eq!(declared(b"<meta charset=\"Shift_JIS\">").map(Encoding::name), Some("Shift_JIS"));
        assert_eq!(declared(b"<p>"), None);
    }
}

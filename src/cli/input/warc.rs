//! Web archives: WARC with pages as they were sent, WET with their text.
//!
//! Read as the standard describes them (ISO 28500), a record at a time. A
//! broken record is passed over up to the next one that begins like one.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use twicetold::MAX_DOCUMENT_BYTES;

use super::unpack::RATIO;

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its place in the file, from 1.
    pub number: u64,
    /// Where the page was fetched from.
    pub address: String,
    /// When, as the archive spells it.
    pub date: String,
    pub holds: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Text(Vec<u8>),
    Html(Vec<u8>),
    /// Requests, images, redirects and other records without an article.
    Other,
}

impl Record {
    /// Bytes of what it holds.
    pub(crate) fn len(&self) -> usize {
        let content = match &self.holds {
            Content::Text(bytes) | Content::Html(bytes) => bytes.len(),
            Content::Other => 0,
        };
        self.address.len() + self.date.len() + content
    }
}

/// Why a record could not be read.
#[derive(Debug)]
pub(crate) struct Broken {
    pub number: u64,
    pub reason: String,
}

/// Calls `found` with all records in order, until it has enough.
///
/// # Errors
///
/// If the stream cannot be read; the records before that were found.
pub(crate) fn records(
    mut stream: impl BufRead,
    mut found: impl FnMut(Result<Record, Broken>) -> ControlFlow<()>,
) -> Result<(), (u64, io::Error)> {
    let mut number = 0;
    let mut line = Vec::new();
    // Bytes between records that belong to none are told once.
    let mut lost = false;
    loop {
        let at_end = read_line(&mut stream, &mut line).map_err(|error| (number + 1, error))?;
        if at_end {
            return Ok(());
        }
        if line.is_empty() {
            continue;
        }
        if !line.starts_with(b"WARC/") {
            if !std::mem::replace(&mut lost, true) {
                let reason = "a broken WARC record: text where a record should begin".to_owned();
                if found(Err(Broken { number: number + 1, reason })).is_break() {
                    return Ok(());
                }
            }
            continue;
        }
        lost = false;
        number += 1;
        let headers = headers(&mut stream).map_err(|error| (number, error))?;
        let get = |name: &str| headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str());
        let Some(length) = get("content-length").and_then(|length| length.parse::<u64>().ok()) else {
            let reason = "a broken WARC record: no Content-Length".to_owned();
            if found(Err(Broken { number, reason })).is_break() {
                return Ok(());
            }
            lost = true;
            continue;
        };
        let mut body = Vec::new();
        let mut rest = stream.by_ref().take(length);
        let most = MAX_DOCUMENT_BYTES as u64 + 1;
        rest.by_ref().take(most).read_to_end(&mut body).map_err(|error| (number, error))?;
        let beyond = io::copy(&mut rest, &mut io::sink()).map_err(|error| (number, error))?;
        if beyond > 0 || body.len() as u64 == most {
            let reason = format!("a record longer than {MAX_DOCUMENT_BYTES} bytes");
            if found(Err(Broken { number, reason })).is_break() {
                return Ok(());
            }
            continue;
        }
        if (body.len() as u64) < length {
            let reason = "a broken WARC record: the file ends inside it".to_owned();
            let _ = found(Err(Broken { number, reason }));
            return Ok(());
        }
        let kind = get("content-type").unwrap_or_default().to_ascii_lowercase();
        let holds = match get("warc-type") {
            Some("conversion") => typed(&kind, body),
            Some("resource") => typed(&kind, body),
            Some("response") if kind.starts_with("application/http") => response(body),
            _ => Ok(Content::Other),
        };
        let address = get("warc-target-uri").unwrap_or_default().trim_matches(['<', '>']).to_owned();
        let date = get("warc-date").unwrap_or_default().to_owned();
        let record = match holds {
            Ok(holds) => Ok(Record { number, address, date, holds }),
            Err(reason) => Err(Broken { number, reason }),
        };
        if found(record).is_break() {
            return Ok(());
        }
    }
}

fn typed(kind: &str, body: Vec<u8>) -> Result<Content, String> {
    Ok(match kind.split(';').next().unwrap_or_default().trim() {
        "text/plain" => Content::Text(body),
        "text/html" | "application/xhtml+xml" => Content::Html(body),
        _ => Content::Other,
    })
}

/// The page in an HTTP response, with its transfer and content codings undone.
fn response(body: Vec<u8>) -> Result<Content, String> {
    let mut rest = &body[..];
    let mut status = Vec::new();
    let broken = |error: io::Error| error.to_string();
    read_line(&mut rest, &mut status).map_err(broken)?;
    let code = status.split(|byte| *byte == b' ').nth(1);
    if code != Some(b"200") {
        return Ok(Content::Other);
    }
    let headers = headers(&mut rest).map_err(broken)?;
    let get = |name: &str| {
        let header = headers.iter().find(|header| header.0 == name);
        header.map(|header| header.1.to_ascii_lowercase()).unwrap_or_default()
    };
    let kind = get("content-type");
    if matches!(typed(&kind, Vec::new()), Ok(Content::Other)) {
        return Ok(Content::Other);
    }
    let mut page = match get("transfer-encoding").contains("chunked") {
        true => dechunked(rest).unwrap_or_else(|| rest.to_vec()),
        false => rest.to_vec(),
    };
    match get("content-encoding").as_str() {
        // Some archives keep the header but store the page unpacked.
        "gzip" | "x-gzip" if page.starts_with(&[0x1f, 0x8b]) => {
            page = unpacked(flate2::read::MultiGzDecoder::new(&page[..]), page.len())?;
        }
        "deflate" => {
            if let Ok(unpacked) = unpacked(flate2::read::ZlibDecoder::new(&page[..]), page.len()) {
                page = unpacked;
            }
        }
        "br" | "zstd" => return Err("a page compressed in a way that is not read".to_owned()),
        _ => {}
    }
    typed(&kind, page)
}

/// Unpacks a page of so many bytes, if it is none that fills the memory.
fn unpacked(reader: impl Read, packed: usize) -> Result<Vec<u8>, String> {
    let most = RATIO * packed as u64 + LINE;
    let mut page = Vec::new();
    let read = reader.take(most + 1).read_to_end(&mut page);
    read.map_err(|error| format!("a page that cannot be unpacked: {error}"))?;
    match page.len() as u64 > most {
        true => Err(format!("a page that unpacks to more than {RATIO} times its size, as a bomb does")),
        false => Ok(page),
    }
}

/// Joins the chunks of a chunked body; `None` if it is not one after all.
fn dechunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(joined);
        }
        joined.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// Longest line of a header.
const LINE: u64 = 1 << 16;

/// Reads a line without its end, and tells whether there was none.
fn read_line(stream: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    stream.by_ref().take(LINE).read_until(b'\n', line)?;
    let at_end = line.is_empty();
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    Ok(at_end)
}

/// Header lines up to the empty one, names in lower case; a line that begins
/// with a space goes on with the one before.
fn headers(stream: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    const MOST: usize = 1000;
    let mut found: Vec<(String, String)> = Vec::new();
    let mut line = Vec::new();
    while !read_line(stream, &mut line)? && !line.is_empty() && found.len() < MOST {
        let text = String::from_utf8_lossy(&line);
        match (text.strip_prefix([' ', '\t']), found.last_mut()) {
            (Some(more), Some(last)) => {
                last.1.push(' ');
                last.1.push_str(more.trim());
            }
            _ => {
                if let Some((name, value)) = text.split_once(':') {
                    found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: &str, content_type: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <http://example.org/>\r\n\
             WARC-Date: 2020-01-02T03:04:05Z\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n{body}\r\n\r\n"
        )
    }

    fn read(archive: &str) -> Vec<Result<(u64, Option<String>), String>> {
        let mut found = Vec::new();
        let body = |content| match content {
            Content::Text(bytes) | Content::Html(bytes) => Some(String::from_utf8(bytes).unwrap()),
            Content::Other => None,
        };
        records(archive.as_bytes(), |record| {
            found.push(
                record.map(|record| (record.number, body(record.holds))).map_err(|broken| broken.reason),
            );
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    #[test]
    fn pages_are_taken_out_of_their_responses() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>one</p>";
        let chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n\
                       4\r\n<p>t\r\n6;x=y\r\nwo</p>\r\n0\r\n\r\n";
        let moved = "HTTP/1.1 301 Moved\r\nContent-Type: text/html\r\n\r\ngone";
        let image = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\npng";
        let http = "application/http; msgtype=response";
        let archive: String =
            [plain, chunked, moved, image].map(|body| record("response", http, body)).concat();
        let archive = record("warcinfo", "application/warc-fields", "a: b")
            + &archive
            + &record("conversion", "text/plain", "text");
        let expected = [
            (1, None),
            (2, Some("<p>one</p>")),
            (3, Some("<p>two</p>")),
            (4, None),
            (5, None),
            (6, Some("text")),
        ];
        assert_eq!(read(&archive), expected.map(|(n, text)| Ok((n, text.map(str::to_owned)))));
    }

    #[test]
    fn pages_that_are_bombs_are_refused() {
        use flate2::Compression;
        use flate2::read::GzEncoder;
        let page = |bytes: u64| {
            let mut packed = Vec::new();
            GzEncoder::new(io::repeat(b' ').take(bytes), Compression::best())
                .read_to_end(&mut packed)
                .unwrap();
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n\r\n";
            response([&head[..], &packed].concat())
        };
        assert!(matches!(page(60_000), Ok(Content::Text(text)) if text.len() == 60_000));
        assert!(page(100 << 20).unwrap_err().contains("as a bomb does"));
    }

    #[test]
    fn a_broken_record_does_not_end_the_reading() {
        let good = record("conversion", "text/plain", "good");
        let without = good.replace("Content-Length: 4", "Content-Size: 4");
        let cut = &good[..good.len() - 6];
        let found = read(&format!("{good}{without}{good}{cut}"));
        assert_eq!(found.len(), 4);
        assert!(found[0].is_ok() && found[1].is_err() && found[2].is_ok());
        assert!(found[3].as_ref().unwrap_err().contains("ends inside"));
    }
}

//! What goes in: documents, and the dates that order them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest document in bytes that a scan accepts: 1 GiB − 1.
pub const MAX_DOCUMENT_BYTES: usize = (1 << 30) - 1;

/// One article.
///
/// ```
/// use twicetold::Document;
///
/// let mut article = Document::new("2020/11/5", "Protests across Iran …");
/// article.source = Some("example.org".into());
/// article.date = "2020-11-05".parse().ok();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its name; no two documents of a scan may share one.
    pub id: String,
    /// The text, searched as it is: every span counts in it.
    pub text: String,
    /// The publisher, series or site, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it was published, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The file it was read from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line of that file, counted from 1, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Document {
    /// A document of which only the name and the text are known.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Document { id: id.into(), text: text.into(), ..Document::default() }
    }
}

/// A date of publication, as exact as its spelling: "2019" is the whole year,
/// "2019-11-15" a day, "2019-11-15T10:30" a minute.
///
/// Two dates that overlap have no known order, so "2019" is neither before nor
/// after "2019-11-15".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    text: String,
    first: i64,
    last: i64,
}

impl Date {
    /// Whether this date ends before `other` begins.
    pub fn is_before(&self, other: &Date) -> bool {
        self.last < other.first
    }

    /// The spelling it was read from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first and the last second it may mean, counted from 1970 in UTC.
    pub(crate) fn seconds(&self) -> (i64, i64) {
        (self.first, self.last)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.text
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

/// A date that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date like 2019, 2019-11, 2019-11-15, 20191115, 15-NOV-1987 or 2019-11-15T10:30:00Z")]
pub struct DateError(String);

impl FromStr for Date {
    type Err = DateError;

    /// Reads ISO 8601 dates of any exactness ("2019", "2019-11", "2019-11-15",
    /// "20191115"), with an optional time and offset after a `T` or a space,
    /// and day-month-year with an English month ("15-NOV-1987"). A time without
    /// an offset is taken as UTC; parts of a second are ignored.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let (first, last) = parse(text.trim()).ok_or_else(|| DateError(text.to_owned()))?;
        Ok(Date { text: text.trim().to_owned(), first, last })
    }
}

fn parse(text: &str) -> Option<(i64, i64)> {
    let day_end = text.find(['T', ' ', 't']).unwrap_or(text.len());
    let (day, time) = text.split_at(day_end);
    let (from, to) = parse_day(day)?;
    let time = time.get(1..).unwrap_or("").trim_start();
    if time.is_empty() {
        return Some((from * DAY, to * DAY - 1));
    }
    if to - from != 1 {
        return None;
    }
    let (second, exactness) = parse_time(time)?;
    let first = from * DAY + second;
    Some((first, first + exactness - 1))
}

const DAY: i64 = 86_400;

/// The first day and the day after the last, counted from 1970.
fn parse_day(text: &str) -> Option<(i64, i64)> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let month_name = |name: &str| {
        const MONTHS: &str = "janfebmaraprmayjunjulaugsepoctnovdec";
        let name = name.get(..3)?.to_ascii_lowercase();
        let at = MONTHS.find(&name)?;
        (at % 3 == 0).then_some(at as i64 / 3 + 1)
    };
    match parts[..] {
        [compact] if compact.len() == 8 => {
            span(digits(compact.get(..4)?)?, digits(compact.get(4..6)?), digits(compact.get(6..)?))
        }
        [year] if year.len() == 4 => span(digits(year)?, None, None),
        [year, month] if year.len() == 4 => span(digits(year)?, Some(digits(month)?), None),
        [year, month, day] if year.len() == 4 => {
            span(digits(year)?, Some(digits(month)?), Some(digits(day)?))
        }
        [day, month, year] if year.len() == 4 => {
            span(digits(year)?, Some(month_name(month)?), Some(digits(day)?))
        }
        _ => None,
    }
}

fn digits(text: &str) -> Option<i64> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn span(year: i64, month: Option<i64>, day: Option<i64>) -> Option<(i64, i64)> {
    match (month, day) {
        (None, _) => Some((days(year, 1, 1), days(year + 1, 1, 1))),
        (Some(month), _) if !(1..=12).contains(&month) => None,
        (Some(month), day) => {
            let from = days(year, month, 1);
            let to = days(year + month / 12, month % 12 + 1, 1);
            match day {
                None => Some((from, to)),
                Some(day) if (1..=to - from).contains(&day) => Some((from + day - 1, from + day)),
                Some(_) => None,
            }
        }
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; years begin in
/// March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

/// The second of the day in UTC, and how many seconds the spelling may mean.
fn parse_time(text: &str) -> Option<(i64, i64)> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let offset = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => 0,
        [sign, ..] => {
            let digits_only = zone.get(1..)?.replace(':', "");
            let hours = digits(digits_only.get(..2)?)?;
            let minutes = digits_only.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), digits)?;
            (hours * 3600 + minutes * 60) * if *sign == b'-' { -1 } else { 1 }
        }
    };
    let clock = clock.trim_end();
    let whole = clock.split(['.', ',']).next()?;
    let parts: Vec<i64> = whole.split(':').map(digits).collect::<Option<_>>()?;
    let (second, exactness) = match parts[..] {
        [h, m] if h < 24 && m < 60 => (h * 3600 + m * 60, 60),
        [h, m, s] if h < 24 && m < 60 && s <= 60 => (h * 3600 + m * 60 + s, 1),
        _ => return None,
    };
    Some((second - offset, exactness))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(date("1970-01-01").seconds(), (0, DAY - 1));
        assert_eq!(date("2000-03-01").seconds().0, 951_868_800);
        assert_eq!(date("2024-02").seconds(), (1_706_745_600, 1_709_251_199));
        assert_eq!(date("1969").seconds(), (-365 * DAY, -1));
    }

    #[test]
    fn spellings_of_one_day_are_equal() {
        for text in ["20191115", "2019/11/15", "15-NOV-2019", "2019.11.15", " 2019-11-15 "] {
            assert_eq!(date(text).seconds(), date("2019-11-15").seconds(), "{text}");
        }
    }

    #[test]
    fn times_and_offsets() {
        let noon = date("2019-11-15T12:00:00Z");
        assert_eq!(noon.seconds().0, noon.seconds().1);
        assert_eq!(date("2019-11-15T21:00:00+0900").seconds(), noon.seconds());
        assert_eq!(date("15-NOV-2019 12:00:00.59").seconds(), noon.seconds());
        assert_eq!(date(" 15-NOV-2019  12:00:00.59").seconds(), noon.seconds());
        assert_eq!(date("2019-11-15T07:00:00-05:00").seconds(), noon.seconds());
        assert_eq!(date("2019-11-15T12:00").seconds().1, noon.seconds().0 + 59);
    }

    #[test]
    fn overlapping_dates_have_no_order() {
        assert!(date("2018").is_before(&date("2019-01-01")));
        assert!(!date("2019").is_before(&date("2019-11-15")));
        assert!(!date("2019-11-15").is_before(&date("2019")));
        assert!(!date("2019").is_before(&date("2019")));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2019-13-01",
            "2019-02-29",
            "15-xyz-2019",
            "2019T10:00",
            "x2019",
            "2019-11-15T25:00",
            "12345",
            "２０１９",
            "2019-1é",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}

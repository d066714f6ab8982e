//! What goes in: documents, and the dates that order them.

use std::str::FromStr;
use std::sync::Arc;

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
    // Rows of the many families of a document repeat it.
    text: Arc<str>,
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
    pub fn seconds(&self) -> (i64, i64) {
        (self.first, self.last)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.as_str().to_owned()
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
#[error("`{0}` is not a date like 2019, 2019-11, 2019-11-15, 2019-11-15T10:30:00Z or 15 November 2019")]
pub struct DateError(String);

impl FromStr for Date {
    type Err = DateError;

    /// Reads ISO 8601 dates of any exactness ("2019", "2019-11", "2019-11-15",
    /// "20191115"), with an optional time and offset after a `T` or a space;
    /// dates with an English month, as in mail and news ("15-NOV-1987",
    /// "Nov 15, 2019", "Fri, 15 Nov 2019 10:30:00 GMT"); "15.11.2019", and with
    /// slashes where the day is beyond 12, so that it cannot be the month; the
    /// stamps of web archives ("20191115103000"); and seconds or milliseconds
    /// since 1970, in ten or thirteen digits. A time without an offset is taken
    /// as UTC; parts of a second are ignored.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let read = text.trim();
        let (first, last) = parse(read)
            .or_else(|| parse_stamp(read))
            .or_else(|| parse_words(read))
            .ok_or_else(|| DateError(text.to_owned()))?;
        Ok(Date { text: text.trim().into(), first, last })
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

/// Digits alone that count from 1970, or spell a day and a time.
fn parse_stamp(text: &str) -> Option<(i64, i64)> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        10 => text.parse().ok().map(|second| (second, second)),
        13 => text[..10].parse().ok().map(|second| (second, second)),
        14 => {
            let (from, _) = parse_day(&text[..8])?;
            let clock = format!("{}:{}:{}", &text[8..10], &text[10..12], &text[12..]);
            let (second, _) = parse_time(&clock)?;
            Some((from * DAY + second, from * DAY + second))
        }
        _ => None,
    }
}

/// A day, a named month and a year, in any order, with an optional time.
fn parse_words(text: &str) -> Option<(i64, i64)> {
    const WEEKDAYS: [&str; 7] =
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let is_weekday = |word: &str| {
        let word = word.trim_end_matches('.').to_ascii_lowercase();
        word.len() >= 3 && WEEKDAYS.iter().any(|day| day.starts_with(&word))
    };
    let (mut year, mut month, mut day, mut clock, mut zone) = (None, None, None, None, "");
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word);
        if word.contains(':') && clock.is_none() {
            clock = Some(word);
        } else if clock.is_some() && zone.is_empty() && is_zone(word) {
            zone = word;
        } else if word.len() == 4 && year.is_none() && digits(word).is_some() {
            year = digits(word);
        } else if ordinal.len() <= 2 && day.is_none() && digits(ordinal).is_some() {
            day = digits(ordinal);
        } else if month.is_none() && month_name(word.trim_end_matches('.')).is_some() {
            month = month_name(word.trim_end_matches('.'));
        } else if !is_weekday(word) {
            return None;
        }
    }
    let (from, to) = span(year?, Some(month?), day)?;
    match clock {
        None => Some((from * DAY, to * DAY - 1)),
        Some(_) if day.is_none() => None,
        Some(clock) => {
            let zone = if matches!(zone, "GMT" | "UTC") { "Z" } else { zone };
            let (second, exactness) = parse_time(&format!("{clock}{zone}"))?;
            Some((from * DAY + second, from * DAY + second + exactness - 1))
        }
    }
}

fn is_zone(word: &str) -> bool {
    matches!(word, "GMT" | "UTC" | "Z") || word.starts_with(['+', '-'])
}

/// The month of an English name, or of its first three letters.
fn month_name(name: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| {
        name.len() >= 3 && (month.starts_with(&name) || name == "sept" && *month == "september")
    })?;
    Some(at as i64 + 1)
}

const DAY: i64 = 86_400;

/// The first day and the day after the last, counted from 1970.
fn parse_day(text: &str) -> Option<(i64, i64)> {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
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
            let month = match (month_name(month), digits(month)) {
                (Some(month), _) => month,
                (None, Some(month)) if text.contains('.') => month,
                // With slashes either may come first, unless it is no month.
                (None, Some(second)) => {
                    let first = digits(day)?;
                    return match (first > 12, second > 12) {
                        (true, false) => span(digits(year)?, Some(second), Some(first)),
                        (false, true) => span(digits(year)?, Some(first), Some(second)),
                        _ if first == second => span(digits(year)?, Some(first), Some(second)),
                        _ => None,
                    };
                }
                (None, None) => return None,
            };
            span(digits(year)?, Some(month), Some(digits(day)?))
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
    fn spellings_of_mail_news_and_archives() {
        for text in [
            "Nov 15, 2019",
            "15 November 2019",
            "Friday, 15 Nov. 2019",
            "November 15th, 2019",
            "15.11.2019",
            "15/11/2019",
            "11/15/2019",
        ] {
            assert_eq!(date(text).seconds(), date("2019-11-15").seconds(), "{text}");
        }
        assert_eq!(date("November 2019").seconds(), date("2019-11").seconds());
        for text in [
            "Fri, 15 Nov 2019 10:30:00 GMT",
            "Fri, 15 Nov 2019 12:30:00 +0200",
            "20191115103000",
            "1573813800",
            "1573813800123",
        ] {
            assert_eq!(date(text).seconds(), date("2019-11-15T10:30:00Z").seconds(), "{text}");
        }
        // The fifth of June or the sixth of May.
        assert!("05/06/2019".parse::<Date>().is_err());
        assert!("15 things about 2019".parse::<Date>().is_err());
        assert!("Monkey 2019 May".parse::<Date>().is_err());
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

//! Records: objects of named fields, of which some make a document.
//!
//! Where the user names no field, the usual names are tried in turn, and the
//! first that holds something is taken.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use encoding_rs::Encoding;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use twicetold::{Date, Document};

use super::decode::{self, Decoded};

/// What a field is to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Text,
    Id,
    Source,
    Date,
    /// A web address, whose host may serve as the source.
    Address,
}

impl Role {
    const ALL: [Role; 5] = [Role::Text, Role::Id, Role::Source, Role::Date, Role::Address];

    fn name(self) -> &'static str {
        match self {
            Role::Text => "text",
            Role::Id => "id",
            Role::Source => "source",
            Role::Date => "date",
            Role::Address => "address",
        }
    }

    /// The usual names, the best first.
    fn usual(self) -> &'static [&'static str] {
        match self {
            Role::Text => &["text", "content", "body", "article", "raw_content", "content_text"],
            Role::Id => &["id", "url", "uid", "doc_id", "_id"],
            Role::Source => &["source", "series", "publisher", "site", "domain", "host"],
            Role::Date => &["date", "published", "published_at", "date_published", "pubdate", "publish_date"],
            Role::Address => &["url", "link", "uri", "id"],
        }
    }
}

/// The fields that hold what a document is made of.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    /// For each role the names to try; inner fields as `outer.inner`.
    names: [Vec<String>; Role::ALL.len()],
}

impl Fields {
    /// Takes the named fields, and the usual ones where none is named.
    pub(crate) fn new(
        text: Option<&str>,
        id: Option<&str>,
        source: Option<&str>,
        date: Option<&str>,
    ) -> Self {
        let given = [text, id, source, date, None];
        let names = Role::ALL.map(|role| match given[role as usize] {
            Some(name) => vec![name.to_owned()],
            // With a source named, no other serves.
            None if role == Role::Address && source.is_some() => Vec::new(),
            None => role.usual().iter().map(|&name| name.to_owned()).collect(),
        });
        Fields { names }
    }

    /// The names wanted for a role, the best first.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = (Role, usize, &str)> {
        let each = Role::ALL.into_iter().zip(&self.names);
        each.flat_map(|(role, names)| (0..).zip(names).map(move |(rank, name)| (role, rank, name.as_str())))
    }

    /// The names under which a text may stand, the best first.
    pub(crate) fn text_names(&self) -> &[String] {
        &self.names[Role::Text as usize]
    }

    /// Whether a field of this name, or one inside it, is wanted.
    pub(crate) fn concerns(&self, name: &str) -> bool {
        self.wanted().any(|(.., wanted)| {
            wanted.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The value of a field that should be text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    Absent,
    Text(String),
    /// As it is spelled.
    Number(String),
    Other,
}

/// What was found of the wanted fields of one object.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// For each role the rank of the name it was found under, and the value.
    found: [Option<(usize, Value)>; Role::ALL.len()],
    /// Names of other fields, for messages.
    others: Vec<String>,
}

/// Names of fields a message lists.
const NAMED: usize = 16;

impl Record {
    /// Takes a field, if it is wanted and no better one has a value.
    pub(crate) fn offer(&mut self, fields: &Fields, name: &str, value: Value) {
        let mut wanted = fields.wanted().filter(|wanted| wanted.2 == name).peekable();
        if wanted.peek().is_none() {
            if self.others.len() < NAMED {
                self.others.push(name.to_owned());
            }
            return;
        }
        if value == Value::Absent {
            return;
        }
        let mut value = Some(value);
        while let Some((role, rank, _)) = wanted.next() {
            let slot = &mut self.found[role as usize];
            if slot.as_ref().is_none_or(|(best, _)| rank < *best) {
                // An address may be the id and tell the source.
                let given = if wanted.peek().is_some() { value.clone() } else { value.take() };
                *slot = given.map(|value| (rank, value));
            }
        }
    }

    /// Bytes of its text.
    #[cfg(feature = "formats")]
    pub(crate) fn text_len(&self) -> usize {
        match &self.found[Role::Text as usize] {
            Some((_, Value::Text(text))) => text.len(),
            _ => 0,
        }
    }

    fn take(&mut self, role: Role) -> (usize, Value) {
        self.found[role as usize].take().unwrap_or_default()
    }
}

/// Why a record makes no document, and what may help.
pub(crate) type Refused = (String, Option<String>);

/// What was noticed while records were read.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    /// How many records each field served, by role and rank.
    used: BTreeMap<(Role, usize), u64>,
    /// The names of those fields.
    names: BTreeMap<(Role, usize), String>,
    /// Dates that could not be read.
    undated: Vec<String>,
    /// Texts with NUL bytes.
    nuls: usize,
    /// Texts that were not UTF-8, by encoding.
    decoded: BTreeMap<&'static str, usize>,
}

impl Noticed {
    /// Makes a document of a record, which stands at `line` of `path`.
    ///
    /// # Errors
    ///
    /// If the text is missing or not text, or the id is neither text nor a
    /// number.
    pub(crate) fn document(
        &mut self,
        fields: &Fields,
        mut record: Record,
        path: &str,
        line: u64,
    ) -> Result<Document, Refused> {
        let name = |role: Role, rank: usize| fields.names[role as usize].get(rank).map_or("", String::as_str);
        let mut used = Vec::new();
        let (rank, value) = record.take(Role::Text);
        let text = match value {
            Value::Text(text) => text,
            Value::Absent => return Err(missing(name(Role::Text, 0), &record.others)),
            Value::Number(_) | Value::Other => {
                return Err((format!("field `{}` is not a string", name(Role::Text, rank)), None));
            }
        };
        used.push((Role::Text, rank));
        let mut optional = |record: &mut Record, role: Role| {
            let (rank, value) = record.take(role);
            match value {
                Value::Text(text) | Value::Number(text) if !text.trim().is_empty() => {
                    used.push((role, rank));
                    Ok(Some(text))
                }
                Value::Text(_) | Value::Number(_) | Value::Absent => Ok(None),
                Value::Other => {
                    Err((format!("field `{}` is neither a string nor a number", name(role, rank)), None))
                }
            }
        };
        let id = optional(&mut record, Role::Id)?.unwrap_or_else(|| format!("{path}:{line}"));
        let date = optional(&mut record, Role::Date)?;
        let source = match optional(&mut record, Role::Source)? {
            Some(source) => Some(host(&source).unwrap_or(source)),
            None => {
                let (rank, address) = record.take(Role::Address);
                let host = if let Value::Text(address) = address { host(&address) } else { None };
                used.extend(host.as_ref().map(|_| (Role::Address, rank)));
                host
            }
        };
        for (role, rank) in used {
            *self.used.entry((role, rank)).or_insert(0) += 1;
            self.names.entry((role, rank)).or_insert_with(|| name(role, rank).to_owned());
        }
        let mut document = Document::new(id, text);
        document.source = source;
        document.date = date.and_then(|date| self.date(&date, path, line));
        (document.path, document.line) = (Some(path.to_owned()), Some(line));
        Ok(document)
    }

    /// Adds what was noticed elsewhere.
    pub(crate) fn absorb(&mut self, other: Noticed) {
        for (field, count) in other.used {
            *self.used.entry(field).or_insert(0) += count;
        }
        self.names.extend(other.names);
        self.undated.extend(other.undated);
        self.nuls += other.nuls;
        for (encoding, texts) in other.decoded {
            *self.decoded.entry(encoding).or_insert(0) += texts;
        }
    }

    /// Decodes a text, as [`decode::decode`] does.
    ///
    /// # Errors
    ///
    /// The same.
    pub(crate) fn decode(
        &mut self,
        bytes: Vec<u8>,
        given: Option<&'static Encoding>,
        declared: impl Fn(&[u8]) -> Option<&'static Encoding>,
    ) -> Result<String, Refused> {
        let Decoded { text, from } = decode::decode(bytes, given, declared)?;
        from.into_iter().for_each(|encoding| self.decoded(encoding));
        self.nuls += usize::from(text.contains('\0'));
        Ok(text)
    }

    /// A text was decoded.
    pub(crate) fn decoded(&mut self, from: &'static Encoding) {
        *self.decoded.entry(from.name()).or_insert(0) += 1;
    }

    /// Reads a date; one that cannot be read is remembered.
    pub(crate) fn date(&mut self, date: &str, path: &str, line: u64) -> Option<Date> {
        let read = date.parse::<Date>();
        read.map_err(|error| self.undated.push(format!("{path}:{line}: {error}"))).ok()
    }

    /// What the user should know.
    pub(crate) fn notes(mut self) -> Vec<String> {
        let mut notes = Vec::new();
        // Fields that are called what they are need no mention.
        let guessed = self.names.iter().any(|((role, _), name)| role.name() != name);
        if guessed {
            let each =
                self.names.iter().zip(self.used.values()).map(|(((role, _), name), count)| match role {
                    Role::Address => format!("source from the host of `{name}` ({count})"),
                    _ => format!("{} from `{name}` ({count})", role.name()),
                });
            notes.push(format!("fields read, with how often: {}", each.collect::<Vec<_>>().join(", ")));
        }
        self.undated.sort();
        if let Some(first) = self.undated.first() {
            let count = self.undated.len();
            notes.push(format!(
                "dates that could not be read and count as unknown: {count}, first at {first}"
            ));
        }
        if self.nuls > 0 {
            let files = self.nuls;
            notes.push(format!(
                "text files with NUL bytes, which are taken as separators: {files}; they may be binary or UTF-16"
            ));
        }
        if !self.decoded.is_empty() {
            let each = self.decoded.iter().map(|(name, count)| format!("{name} {count}"));
            notes.push(format!(
                "texts that are not UTF-8, decoded from {}; their spans count in the decoded text",
                each.collect::<Vec<_>>().join(", ")
            ));
        }
        notes
    }
}

fn missing(wanted: &str, others: &[String]) -> Refused {
    let alike = others
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &wanted.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= wanted.len() / 3)
        .min();
    let names = others.join(", ");
    let hint = match alike {
        Some((_, name)) => format!("did you mean `--text-field {name}`? There are: {names}"),
        None => format!("--text-field names the field with the text; there are: {names}"),
    };
    (format!("no field `{wanted}`"), Some(hint))
}

/// The host of a web address, without `www.`.
pub(crate) fn host(address: &str) -> Option<String> {
    let lower = address.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => host.split(':').next()?,
    };
    let host = host.strip_prefix("www.").unwrap_or(host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// Reads one JSON value as a record; of one that is no object only that.
pub(crate) struct RecordSeed<'a>(pub &'a Fields);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        let mut record = Record::default();
        deserializer.deserialize_map(Object { fields: self.0, inside: "", record: &mut record })?;
        Ok(record)
    }
}

/// Reads a JSON value and calls the function with it, or with each of its
/// elements if it is an array; with `None` for what is no object. It fails when
/// the function has enough.
pub(crate) struct Values<'a>(pub &'a Fields, pub &'a mut dyn FnMut(Option<Record>) -> ControlFlow<()>);

impl Values<'_> {
    fn found<E: serde::de::Error>(self, record: Option<Record>) -> Result<(), E> {
        match (self.1)(record) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(E::custom("enough")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut record = Record::default();
        Object { fields: self.0, inside: "", record: &mut record }.visit_map(map)?;
        self.found(Some(record))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Values(self.0, self.1))?.is_some() {}
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.found(None)
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.found(None)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.found(None)
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.found(None)
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.found(None)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.found(None)
    }
}

/// An object, whose fields are known by the names of those it is inside of.
struct Object<'a> {
    fields: &'a Fields,
    inside: &'a str,
    record: &'a mut Record,
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Object { fields, inside, record } = self;
        while let Some(key) = map.next_key::<std::borrow::Cow<str>>()? {
            let name = if inside.is_empty() { key } else { format!("{inside}.{key}").into() };
            let value = match fields.concerns(&name) {
                true => map.next_value_seed(Field { fields, name: &name, record })?,
                false => {
                    map.next_value::<IgnoredAny>()?;
                    Value::Other
                }
            };
            record.offer(fields, &name, value);
        }
        Ok(Value::Other)
    }
}

/// Reads a field: a string, a number as it is spelled, or an object in which
/// some field is wanted.
struct Field<'a> {
    fields: &'a Fields,
    name: &'a str,
    record: &'a mut Record,
}

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        Object { fields: self.fields, inside: self.name, record: self.record }.visit_map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, fields: &Fields) -> Result<Document, Refused> {
        let record = RecordSeed(fields).deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap();
        Noticed::default().document(fields, record, "f", 3)
    }

    #[test]
    fn the_usual_names_are_tried_in_turn() {
        let fields = Fields::new(None, None, None, None);
        let read = |json| read(json, &fields).unwrap();
        let document = read(
            r#"{"body": "b", "text": null, "url": "https://www.Example.org:80/a", "published": "2020-01-02"}"#,
        );
        assert_eq!((document.text.as_str(), document.id.as_str()), ("b", "https://www.Example.org:80/a"));
        assert_eq!(document.source.as_deref(), Some("example.org"));
        assert_eq!(document.date.unwrap().as_str(), "2020-01-02");
        let document =
            read(r#"{"content": "c", "text": "t", "id": 7, "series": "Gazette", "url": "http://x.y"}"#);
        assert_eq!((document.text.as_str(), document.id.as_str()), ("t", "7"));
        assert_eq!(document.source.as_deref(), Some("Gazette"));
        assert_eq!(read(r#"{"text": "t"}"#).id, "f:3");
    }

    #[test]
    fn inner_fields_are_named_by_their_path() {
        let fields = Fields::new(Some("doc.text"), Some("meta.id"), Some("a.b"), None);
        let json = r#"{"doc": {"text": "t", "x": [1]}, "meta": {"id": 5, "y": {}}, "a.b": "flat", "url": "http://x.y"}"#;
        let document = read(json, &fields).unwrap();
        assert_eq!((document.text.as_str(), document.id.as_str()), ("t", "5"));
        assert_eq!(document.source.as_deref(), Some("flat"));
    }

    #[test]
    fn a_mistyped_field_gets_a_suggestion() {
        let fields = Fields::new(Some("txet"), None, None, None);
        let (reason, hint) = read(r#"{"text": "t", "id": 1}"#, &fields).unwrap_err();
        assert_eq!(reason, "no field `txet`");
        assert!(hint.unwrap().contains("`--text-field text`"));
    }

    #[test]
    fn hosts() {
        assert_eq!(host("HTTPS://user@WWW.Example.org:8080/x?y").as_deref(), Some("example.org"));
        assert_eq!(host("http://[::1]:80/").as_deref(), Some("::1"));
        assert_eq!(host("example.org/a"), None);
        assert_eq!(host("http:///a"), None);
    }
}

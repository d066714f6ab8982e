//! The result files as tables: their columns, and the formats they are written
//! in.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::iter;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::args::Tables;
use super::output;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Text,
    Count,
    Number,
    /// A list of texts; in CSV as JSON.
    Texts,
}

/// A result file: its name, and its columns in their order.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [(&'static str, Cell)],
}

use Cell::{Count, Number, Text, Texts};

pub(crate) const DOCUMENTS: Table = Table {
    name: "documents",
    columns: &[
        ("id", Text),
        ("path", Text),
        ("line", Count),
        ("source", Text),
        ("date", Text),
        ("lang_unit", Text),
        ("bytes", Count),
        ("chars", Count),
        ("tokens", Count),
        ("weight", Count),
        ("status", Text),
        ("skip_reason", Text),
        ("cluster", Count),
        ("leader", Text),
        ("unique", Number),
        ("first", Number),
        ("shared", Number),
        ("syndicated", Number),
        ("quotation", Number),
        ("stock", Number),
        ("boilerplate", Number),
        ("repeat", Number),
        ("ignored", Number),
        ("originality", Number),
        ("originality_max", Number),
        ("originality_body", Number),
        ("fractional", Number),
        ("nearest", Text),
        ("nearest_containment", Number),
        ("top_source", Text),
        ("top_source_share", Number),
    ],
};

pub(crate) const FAMILIES: Table = Table {
    name: "families",
    columns: &[
        ("family", Count),
        ("kind", Text),
        ("reason", Text),
        ("df", Count),
        ("occurrences", Count),
        ("sources", Count),
        ("first_date", Text),
        ("last_date", Text),
        ("first_doc", Text),
        ("tokens", Count),
        ("variants", Count),
        ("cohesion", Number),
        ("rest_similarity", Number),
        ("quote_share", Number),
        ("position_mean", Number),
        ("position_sd", Number),
        ("edge_share", Number),
        ("block_share", Number),
        ("text", Text),
        ("text_hash", Text),
    ],
};

pub(crate) const OCCURRENCES: Table = Table {
    name: "occurrences",
    columns: &[
        ("family", Count),
        ("doc", Text),
        ("variant", Count),
        ("start_byte", Count),
        ("end_byte", Count),
        ("start_char", Count),
        ("end_char", Count),
        ("start_line", Count),
        ("end_line", Count),
        ("identity", Number),
    ],
};

pub(crate) const SPANS: Table = Table {
    name: "spans",
    columns: &[
        ("doc", Text),
        ("label", Text),
        ("family", Count),
        ("start_byte", Count),
        ("end_byte", Count),
        ("start_char", Count),
        ("end_char", Count),
        ("start_line", Count),
        ("end_line", Count),
        ("identity", Number),
        ("other_doc", Text),
        ("other_start_byte", Count),
        ("other_end_byte", Count),
    ],
};

pub(crate) const PAIRS: Table = Table {
    name: "pairs",
    columns: &[
        ("a", Text),
        ("b", Text),
        ("resemblance", Number),
        ("containment_a_in_b", Number),
        ("containment_b_in_a", Number),
        ("shared_tokens", Count),
    ],
};

pub(crate) const CLUSTERS: Table = Table {
    name: "clusters",
    columns: &[
        ("cluster", Count),
        ("leader", Text),
        ("size", Count),
        ("members", Texts),
        ("min_resemblance", Number),
    ],
};

pub(crate) const PASSIM: Table = Table {
    name: "passim",
    columns: &[
        ("cluster", Count),
        ("size", Count),
        ("begin", Count),
        ("end", Count),
        ("uid", Text),
        ("gid", Text),
    ],
};

impl Table {
    /// Writes rows to a file in a directory.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn write<T: Serialize + Send>(
        &self,
        directory: &Path,
        format: Tables,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        let name = self.file(format);
        let here = || format!("cannot write {name}");
        let file = File::create(directory.join(&name)).with_context(here)?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        self.encode(&mut file, format, rows).with_context(here)?;
        output::finish(file).with_context(here)
    }

    /// Writes rows to a stream.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn encode<T: Serialize + Send>(
        &self,
        out: &mut (impl Write + Send),
        format: Tables,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        match format {
            Tables::Jsonl => {
                let lines = |rows| {
                    let mut lines = Vec::new();
                    output::lines(&mut lines, rows)?;
                    Ok(lines)
                };
                in_order::<ROWS, _, _>(rows, lines, |lines| Ok(out.write_all(&lines)?))
            }
            Tables::Csv => {
                let mut table = csv::Writer::from_writer(&mut *out);
                table.write_record(self.columns.iter().map(|column| column.0))?;
                table.flush()?;
                drop(table);
                in_order::<ROWS, _, _>(rows, |rows| self.csv(rows), |lines| Ok(out.write_all(&lines)?))
            }
            Tables::Parquet => self.parquet(out, rows),
        }
    }

    pub(crate) fn file(&self, format: Tables) -> String {
        format!("{}.{}", self.name, format.ending())
    }

    fn csv<T: Serialize>(&self, rows: Vec<T>) -> Result<Vec<u8>> {
        let mut table = csv::Writer::from_writer(Vec::new());
        for row in rows {
            let row = serde_json::to_value(row)?;
            let cell = |(name, _): &(&str, Cell)| match &row[*name] {
                Value::Null => String::new(),
                Value::String(text) => harmless(text),
                other => other.to_string(),
            };
            table.write_record(self.columns.iter().map(cell))?;
        }
        Ok(table.into_inner()?)
    }

    #[cfg(not(feature = "formats"))]
    fn parquet<T>(&self, _: &mut impl Write, _: impl IntoIterator<Item = T>) -> Result<()> {
        anyhow::bail!("this build writes no Parquet; install it with all features, which is the default")
    }

    #[cfg(feature = "formats")]
    fn parquet<T: Serialize + Send>(
        &self,
        out: &mut (impl Write + Send),
        rows: impl IntoIterator<Item = T>,
    ) -> Result<()> {
        use std::sync::Arc;

        use arrow_array::builder::{Float64Builder, ListBuilder, StringBuilder, UInt64Builder};
        use arrow_array::{ArrayRef, RecordBatch};
        use arrow_schema::{DataType, Field, Schema};
        use parquet::arrow::ArrowWriter;
        use parquet::basic::Compression;
        use parquet::file::properties::WriterProperties;

        /// The file is another one with another number.
        const BATCH: usize = 8192;
        let field = |&(name, cell): &(&str, Cell)| {
            let of = match cell {
                Text => DataType::Utf8,
                Count => DataType::UInt64,
                Number => DataType::Float64,
                Texts => DataType::new_list(DataType::Utf8, true),
            };
            Field::new(name, of, true)
        };
        let schema = Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(out, schema.clone(), Some(properties))?;
        let column = |rows: &[Value], &(name, cell): &(&str, Cell)| -> ArrayRef {
            let cells = rows.iter().map(|row| &row[name]);
            match cell {
                Text => {
                    let mut column = StringBuilder::new();
                    cells.for_each(|cell| column.append_option(cell.as_str()));
                    Arc::new(column.finish())
                }
                Count => {
                    let mut column = UInt64Builder::new();
                    cells.for_each(|cell| column.append_option(cell.as_u64()));
                    Arc::new(column.finish())
                }
                Number => {
                    let mut column = Float64Builder::new();
                    cells.for_each(|cell| column.append_option(cell.as_f64()));
                    Arc::new(column.finish())
                }
                Texts => {
                    let mut column = ListBuilder::new(StringBuilder::new());
                    for cell in cells {
                        let texts = cell.as_array().into_iter().flatten();
                        texts.for_each(|text| column.values().append_option(text.as_str()));
                        column.append(!cell.is_null());
                    }
                    Arc::new(column.finish())
                }
            }
        };
        let batch = |rows: Vec<T>| {
            let rows: Vec<Value> =
                rows.iter().map(serde_json::to_value).collect::<serde_json::Result<_>>()?;
            let columns = self.columns.iter().map(|of| column(&rows, of)).collect();
            Ok(RecordBatch::try_new(schema.clone(), columns)?)
        };
        in_order::<BATCH, _, _>(rows, batch, |batch| Ok(writer.write(&batch)?))?;
        writer.close()?;
        Ok(())
    }
}

/// Rows that are encoded at a time.
const ROWS: usize = 512;

/// Makes something of every `N` rows, by several threads, and takes it in the order of the
/// rows, while more is made.
fn in_order<const N: usize, T: Send, M: Send>(
    rows: impl IntoIterator<Item = T>,
    make: impl Fn(Vec<T>) -> Result<M> + Sync,
    mut take: impl FnMut(M) -> Result<()> + Send,
) -> Result<()> {
    let mut rows = rows.into_iter();
    let mut made = Vec::new();
    loop {
        let some = || Some(rows.by_ref().take(N).collect()).filter(|some: &Vec<T>| !some.is_empty());
        let next: Vec<Vec<T>> = iter::from_fn(some).take(rayon::current_num_threads()).collect();
        let (next, taken) = rayon::join(
            || next.into_par_iter().map(&make).collect::<Vec<Result<M>>>(),
            || made.into_iter().try_for_each(|made: Result<M>| take(made?)),
        );
        taken?;
        if next.is_empty() {
            return Ok(());
        }
        made = next;
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page that describes the tables has each column with its type.
    #[test]
    fn the_documentation_is_true() {
        let page = include_str!("../../docs/results.md");
        for table in [DOCUMENTS, FAMILIES, OCCURRENCES, SPANS, PAIRS, CLUSTERS, PASSIM] {
            let (_, section) = page.split_once(&format!("\n## {}\n", table.name)).expect(table.name);
            let section = section.split("\n## ").next().unwrap_or_default();
            let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
            let documented: Vec<(String, String)> = rows
                .filter_map(|row| {
                    let (name, rest) = row.split_once("` | ")?;
                    Some((name.to_owned(), rest.split_once(" |")?.0.to_owned()))
                })
                .collect();
            let word = |cell| match cell {
                Text => "text",
                Count => "count",
                Number => "number",
                Texts => "list",
            };
            let columns: Vec<(String, String)> =
                table.columns.iter().map(|&(name, cell)| (name.to_owned(), word(cell).to_owned())).collect();
            assert_eq!(documented, columns, "{}", table.name);
        }
    }

    /// For fewer rows than are made at a time, for all of several times, and for some more;
    /// the first of two errors is the one.
    #[test]
    fn rows_keep_their_order() {
        for rows in [0, 1, 3, 4, 4000, 4003] {
            let mut taken = Vec::new();
            let take = |some: Vec<u32>| {
                taken.extend(some);
                Ok(())
            };
            in_order::<4, _, _>(0..rows, Ok, take).expect("no errors");
            assert_eq!(taken, (0..rows).collect::<Vec<_>>());
        }
        let odd = |rows: Vec<u32>| match rows[0] {
            100.. => anyhow::bail!("{}", rows[0]),
            _ => Ok(()),
        };
        let error = in_order::<1, _, _>(0..200, odd, Ok).expect_err("errors");
        assert_eq!(error.to_string(), "100");
    }

    #[test]
    fn formulas_are_made_harmless() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("a=1"), "a=1");
    }
}

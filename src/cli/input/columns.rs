//! Parquet and Arrow: tables stored by column.

use std::io::{BufReader, Write};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, BooleanArray, LargeStringArray, RecordBatch, StringArray, StringViewArray,
};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::reader::ChunkReader;

use super::record::{Fields, Record, Value};
use super::stated;
use super::unpack::Whole;

/// Rows read at a time.
const ROWS: usize = 1024;

/// Calls `found` with each row of a Parquet file, numbered from 1, until it has
/// enough.
///
/// # Errors
///
/// If the file is broken; the rows before that were found.
pub(crate) fn parquet(
    whole: Whole,
    fields: &Fields,
    found: impl FnMut(u64, Record) -> ControlFlow<()>,
) -> Result<(), ArrowError> {
    let size = whole.size()?;
    match whole {
        Whole::File(file) => rows_of(file, size, fields, found),
        Whole::Bytes(bytes) => rows_of(bytes::Bytes::from(bytes), size, fields, found),
    }
}

fn rows_of(
    file: impl ChunkReader + 'static,
    size: u64,
    fields: &Fields,
    found: impl FnMut(u64, Record) -> ControlFlow<()>,
) -> Result<(), ArrowError> {
    let stored = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    stated::parquet(stored.metadata(), size)?;
    // A text that is stored once and stands in every row is held once.
    let views = Schema::new(stored.schema().fields().iter().map(as_view).collect::<Vec<_>>());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(views));
    let viewed = ArrowReaderMetadata::try_new(stored.metadata().clone(), options)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, viewed);
    // Only the columns asked for are read.
    let schema = builder.schema().clone();
    let of_schema = schema.fields().iter().enumerate();
    let roots: Vec<usize> =
        of_schema.filter(|(_, field)| fields.concerns(field.name())).map(|(at, _)| at).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build()?;
    rows(reader, &schema, fields, found)
}

/// A column of texts, or of columns of texts, that are read as views.
fn as_view(field: &FieldRef) -> FieldRef {
    let of = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Struct(inner) => DataType::Struct(inner.iter().map(as_view).collect()),
        _ => return field.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(of))
}

/// Calls `found` with each row of an Arrow file or stream, numbered from 1, until
/// it has enough.
///
/// # Errors
///
/// If the file is broken; the rows before that were found.
pub(crate) fn arrow(
    whole: Whole,
    is_file: bool,
    fields: &Fields,
    found: impl FnMut(u64, Record) -> ControlFlow<()>,
) -> Result<(), ArrowError> {
    let size = whole.size()?;
    let mut reader = whole.reader();
    stated::arrow(&mut reader, size, is_file)?;
    if is_file {
        let reader = arrow_ipc::reader::FileReader::try_new(reader, None)?;
        let schema = reader.schema();
        rows(reader, &schema, fields, found)
    } else {
        let reader = arrow_ipc::reader::StreamReader::try_new(BufReader::new(reader), None)?;
        let schema = reader.schema();
        rows(reader, &schema, fields, found)
    }
}

fn rows(
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    schema: &Schema,
    fields: &Fields,
    mut found: impl FnMut(u64, Record) -> ControlFlow<()>,
) -> Result<(), ArrowError> {
    let mut number = 0;
    for batch in batches {
        let batch = batch?;
        let mut columns: Vec<(String, Column)> = Vec::new();
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            gather(field, field.name(), column, fields, &mut columns);
        }
        let is_unread = |field: &&FieldRef| batch.column_by_name(field.name()).is_none();
        let unread: Vec<&FieldRef> = schema.fields().iter().filter(is_unread).collect();
        for row in 0..batch.num_rows() {
            number += 1;
            let mut record = Record::default();
            for (name, column) in &columns {
                record.offer(fields, name, column.get(row));
            }
            for field in &unread {
                record.offer(fields, field.name(), Value::Absent);
            }
            if found(number, record).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Adds a column, or those inside it.
fn gather(
    field: &Field,
    name: &str,
    column: &ArrayRef,
    fields: &Fields,
    columns: &mut Vec<(String, Column)>,
) {
    let wanted = fields.wanted().any(|wanted| wanted.2 == name);
    if let (DataType::Struct(inner), false) = (field.data_type(), wanted) {
        let within = column.as_struct();
        for (field, column) in inner.iter().zip(within.columns()) {
            gather(field, &format!("{name}.{}", field.name()), column, fields, columns);
        }
        return;
    }
    let column = match column.as_any_dictionary_opt() {
        None => Column { values: column.clone(), keys: None },
        Some(dictionary) if dictionary.values().is_empty() => {
            Column { values: dictionary.values().clone(), keys: Some(vec![None; column.len()]) }
        }
        Some(dictionary) => {
            let keys = dictionary.normalized_keys().into_iter().enumerate();
            let keys = keys.map(|(row, key)| (!column.is_null(row)).then_some(key)).collect();
            Column { values: dictionary.values().clone(), keys: Some(keys) }
        }
    };
    columns.push((name.to_owned(), column));
}

/// A column, or the distinct values of one and which of them each row has.
struct Column {
    values: ArrayRef,
    keys: Option<Vec<Option<usize>>>,
}

impl Column {
    fn get(&self, row: usize) -> Value {
        match &self.keys {
            None => value(&self.values, row),
            Some(keys) => keys[row].map_or(Value::Absent, |key| value(&self.values, key)),
        }
    }
}

/// A value as text: numbers as they are spelled, dates as ISO 8601 spells them.
fn value(column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Absent;
    }
    macro_rules! number {
        ($type:ty) => {
            Value::Number(column.as_primitive::<$type>().value(row).to_string())
        };
    }
    macro_rules! time {
        ($type:ty) => {
            column
                .as_primitive::<$type>()
                .value_as_datetime(row)
                .map_or(Value::Other, |time| Value::Text(time.to_string()))
        };
    }
    match column.data_type() {
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Value::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Value::Text(column.as_string_view().value(row).to_owned()),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => {
            let date = column.as_primitive::<Date32Type>().value_as_date(row);
            date.map_or(Value::Other, |date| Value::Text(date.to_string()))
        }
        DataType::Date64 => time!(Date64Type),
        DataType::Timestamp(TimeUnit::Second, _) => time!(TimestampSecondType),
        DataType::Timestamp(TimeUnit::Millisecond, _) => time!(TimestampMillisecondType),
        DataType::Timestamp(TimeUnit::Microsecond, _) => time!(TimestampMicrosecondType),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => time!(TimestampNanosecondType),
        _ => Value::Other,
    }
}

/// What becomes of a row.
pub(crate) enum Row {
    Keep,
    Drop,
    /// Its new text.
    Text(String),
}

/// How a table is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    ArrowFile,
    ArrowStream,
}

/// Columns to add, and their cells in each row; empty ones are null.
pub(crate) type Added<'a, const N: usize> = Option<(&'a [&'a str], &'a dyn Fn(u64) -> [String; N])>;

/// Writes a table again, in its own format, with what becomes of each row.
/// Returns false, and writes nothing of use, if the text is no column by itself.
///
/// # Errors
///
/// If the table cannot be read or written.
pub(crate) fn rewrite<const N: usize>(
    whole: Whole,
    format: Format,
    names: &[String],
    row: &dyn Fn(u64) -> Row,
    added: Added<N>,
    out: &mut (dyn Write + Send),
) -> Result<bool, ArrowError> {
    let (batches, schema): (Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>, SchemaRef) =
        match format {
            Format::Parquet => {
                let bytes = bytes::Bytes::from(whole.into_bytes()?);
                let reader =
                    ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(ROWS).build()?;
                let schema = arrow_array::RecordBatchReader::schema(&reader);
                (Box::new(reader), schema)
            }
            Format::ArrowFile => {
                let reader = arrow_ipc::reader::FileReader::try_new(whole.reader(), None)?;
                let schema = reader.schema();
                (Box::new(reader), schema)
            }
            Format::ArrowStream => {
                let reader = arrow_ipc::reader::StreamReader::try_new(BufReader::new(whole.reader()), None)?;
                let schema = reader.schema();
                (Box::new(reader), schema)
            }
        };
    let columns: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let mut fields: Vec<FieldRef> = schema.fields().iter().cloned().collect();
    for name in added.iter().flat_map(|added| added.0) {
        fields.push(Arc::new(Field::new(*name, DataType::Utf8, true)));
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let mut writer = match format {
        Format::Parquet => {
            let properties = parquet::file::properties::WriterProperties::builder()
                .set_compression(parquet::basic::Compression::SNAPPY);
            Writer::Parquet(Box::new(parquet::arrow::ArrowWriter::try_new(
                out,
                schema.clone(),
                Some(properties.build()),
            )?))
        }
        Format::ArrowFile => Writer::File(arrow_ipc::writer::FileWriter::try_new(out, &schema)?),
        Format::ArrowStream => Writer::Stream(arrow_ipc::writer::StreamWriter::try_new(out, &schema)?),
    };
    let mut number = 0;
    for batch in batches {
        let batch = batch?;
        let rows: Vec<Row> = (1..=batch.num_rows() as u64).map(|at| row(number + at)).collect();
        let mut all: Vec<ArrayRef> = batch.columns().to_vec();
        if rows.iter().any(|row| matches!(row, Row::Text(_))) {
            // Each row's text stands in the first of the columns that has a
            // value there.
            for (place, &column) in columns.iter().enumerate() {
                let is_text =
                    |at: usize| columns[..place].iter().all(|&before| batch.column(before).is_null(at));
                let texts =
                    (0..batch.num_rows()).map(|at| match (&rows[at], value(batch.column(column), at)) {
                        (Row::Text(text), Value::Text(_)) if is_text(at) => Some(text.clone()),
                        (_, Value::Text(text)) => Some(text),
                        _ => None,
                    });
                let texts: Vec<Option<String>> = texts.collect();
                all[column] = match batch.column(column).data_type() {
                    DataType::Utf8 => Arc::new(StringArray::from(texts)),
                    DataType::LargeUtf8 => Arc::new(LargeStringArray::from(texts)),
                    DataType::Utf8View => Arc::new(StringViewArray::from(texts)),
                    _ => return Ok(false),
                };
            }
            if columns.is_empty() {
                return Ok(false);
            }
        }
        if let Some((names, cells)) = added {
            let cells: Vec<[String; N]> =
                (1..=batch.num_rows() as u64).map(|at| cells(number + at)).collect();
            for column in 0..names.len() {
                let cell = |row: &[String; N]| Some(row[column].clone()).filter(|cell| !cell.is_empty());
                all.push(Arc::new(StringArray::from(cells.iter().map(cell).collect::<Vec<_>>())));
            }
        }
        number += batch.num_rows() as u64;
        let batch = RecordBatch::try_new(schema.clone(), all)?;
        let kept: BooleanArray = rows.iter().map(|row| Some(!matches!(row, Row::Drop))).collect();
        writer.write(&arrow_select::filter::filter_record_batch(&batch, &kept)?)?;
    }
    writer.finish()?;
    Ok(true)
}

enum Writer<'a> {
    Parquet(Box<parquet::arrow::ArrowWriter<&'a mut (dyn Write + Send)>>),
    File(arrow_ipc::writer::FileWriter<&'a mut (dyn Write + Send)>),
    Stream(arrow_ipc::writer::StreamWriter<&'a mut (dyn Write + Send)>),
}

impl Writer<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        match self {
            Writer::Parquet(writer) => Ok(writer.write(batch)?),
            Writer::File(writer) => writer.write(batch),
            Writer::Stream(writer) => writer.write(batch),
        }
    }

    fn finish(self) -> Result<(), ArrowError> {
        match self {
            Writer::Parquet(writer) => writer.close().map(drop).map_err(ArrowError::from),
            Writer::File(mut writer) => writer.finish(),
            Writer::Stream(mut writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{DictionaryArray, Int32Array};

    use super::*;
    use crate::cli::input::{Settings, collect_stream};

    /// A file in which a text is stored once and stands in many rows.
    fn repeated(text: &str, rows: usize) -> Vec<u8> {
        let keys = Int32Array::from(vec![0; rows]);
        let texts = StringArray::from(vec![text]);
        let column: ArrayRef = Arc::new(DictionaryArray::new(keys, Arc::new(texts)));
        let batch = RecordBatch::try_from_iter([("text", column)]).unwrap();
        let mut file = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        file
    }

    #[test]
    fn a_long_text_in_many_rows_is_a_bomb() {
        let file = repeated(&"x".repeat(1 << 20), 300);
        assert!(file.len() < 2 << 20, "{}", file.len());
        let read = collect_stream("a.parquet", &file[..], &Settings::default()).unwrap();
        assert_eq!((read.documents.len(), read.skipped.len()), (256, 1));
        assert!(read.skipped[0].reason.contains("as a bomb does"), "{}", read.skipped[0].reason);
        let few = repeated("One and the same.", 300);
        let read = collect_stream("a.parquet", &few[..], &Settings::default()).unwrap();
        assert_eq!((read.documents.len(), read.skipped.len()), (300, 0));
    }

    /// Found by fuzzing: a buffer that begins at an odd place is too much for
    /// the reader, which panics.
    #[test]
    fn a_panic_of_the_reader_is_told() {
        let mut file = include_bytes!("../../../tests/samples/articles.arrows").to_vec();
        file[1168] = 0xff;
        let read = collect_stream("a.arrows", &file[..], &Settings::default()).unwrap();
        assert_eq!((read.documents.len(), read.skipped.len()), (0, 1));
        assert!(read.skipped[0].reason.starts_with("a broken Arrow file: "), "{}", read.skipped[0].reason);
    }
}

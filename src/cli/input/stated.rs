//! Lengths that Arrow and Parquet files state, looked at before they are
//! believed: the packages that read these files ask for as much memory as is
//! stated, and where there is not that much the program would end.

use std::io::{self, Read, Seek, SeekFrom};

use arrow_ipc::{Block, Message, RecordBatch, root_as_footer, root_as_message};
use arrow_schema::ArrowError;
use parquet::file::metadata::ParquetMetaData;

use super::unpack::{RATIO, UNSUSPECTED};

/// Looks at a Parquet file of so many bytes.
///
/// # Errors
///
/// If a column is said to go on past its end.
pub(crate) fn parquet(stored: &ParquetMetaData, size: u64) -> Result<(), ArrowError> {
    let columns = stored.row_groups().iter().flat_map(|group| group.columns());
    for (start, len) in columns.map(|column| column.byte_range()) {
        within(start, len, size)?;
    }
    Ok(())
}

/// Looks at an Arrow file, or stream, of so many bytes, and goes back to its
/// start. What is broken otherwise is left for its reader to tell.
///
/// # Errors
///
/// If a part of it is said to go on past its end, or to unpack to more than
/// anything but a bomb does; or if it cannot be read.
pub(crate) fn arrow(file: &mut (impl Read + Seek), size: u64, is_file: bool) -> Result<(), ArrowError> {
    let mut bytes = Vec::new();
    if is_file {
        for block in blocks(file, size)? {
            let (meta, body) = (block.metaDataLength() as u64, block.bodyLength() as u64);
            let start = block.offset() as u64;
            let len = meta.checked_add(body).ok_or_else(|| past_end(start, u64::MAX))?;
            within(start, len, size)?;
            file.seek(SeekFrom::Start(start))?;
            let head = head(file)?;
            if let Some(head) = head.filter(|head| *head <= meta) {
                message(file, head, start + meta, body, &mut bytes)?;
            }
        }
    } else {
        // The reader of a stream takes what there is, whatever is stated.
        while let Some(head @ 1..) = head(file)? {
            let at = file.stream_position()? + head;
            if at > size {
                break;
            }
            let Some(body) = message(file, head, at, size - at, &mut bytes)? else { break };
            file.seek(SeekFrom::Start(at + body))?;
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// The blocks that the footer of a file lists; none if it is broken.
fn blocks(file: &mut (impl Read + Seek), size: u64) -> io::Result<Vec<Block>> {
    /// A length and `ARROW1`.
    const END: u64 = 10;
    let Some(end) = size.checked_sub(END) else { return Ok(Vec::new()) };
    file.seek(SeekFrom::Start(end))?;
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let Some(start) = end.checked_sub(u32::from_le_bytes(length).into()) else { return Ok(Vec::new()) };
    file.seek(SeekFrom::Start(start))?;
    let mut footer = Vec::new();
    file.take(end - start).read_to_end(&mut footer)?;
    let listed = root_as_footer(&footer).map(|footer| {
        let lists = [footer.dictionaries(), footer.recordBatches()];
        lists.into_iter().flatten().flat_map(|list| list.iter().copied().collect::<Vec<_>>()).collect()
    });
    Ok(listed.unwrap_or_default())
}

/// The length of the message that begins here; `None` at the end.
fn head(file: &mut impl Read) -> io::Result<Option<u64>> {
    /// Before the length, but in old files.
    const CONTINUES: u32 = u32::MAX;
    let mut next = || {
        let mut length = [0; 4];
        match file.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
            Ok(()) => Ok(Some(u32::from_le_bytes(length))),
        }
    };
    let length = match next()? {
        Some(CONTINUES) => next()?,
        length => length,
    };
    Ok(length.map(u64::from))
}

/// Looks at a message of `head` bytes whose body begins at `at` and has at most
/// `most` bytes. Returns how long the body is said to be; `None` if the message
/// is broken. `bytes` is a buffer.
fn message(
    file: &mut (impl Read + Seek),
    head: u64,
    at: u64,
    most: u64,
    bytes: &mut Vec<u8>,
) -> Result<Option<u64>, ArrowError> {
    bytes.clear();
    file.take(head).read_to_end(bytes)?;
    let Ok(message) = root_as_message(bytes) else { return Ok(None) };
    let body = message.bodyLength() as u64;
    if body > most {
        return Ok(None);
    }
    if let Some(batch) = batch(&message).filter(|batch| batch.compression().is_some()) {
        let mut unpacked = 0_u64;
        for buffer in batch.buffers().into_iter().flatten() {
            let (start, len) = (buffer.offset() as u64, buffer.length() as u64);
            if len < 8 || start > body {
                continue;
            }
            // -1 says that this one is not packed.
            let mut stated = [0; 8];
            file.seek(SeekFrom::Start(at + start))?;
            file.read_exact(&mut stated)?;
            let stated = u64::try_from(i64::from_le_bytes(stated)).unwrap_or(0);
            unpacked = unpacked.saturating_add(stated);
        }
        if unpacked > UNSUSPECTED.max(body.saturating_mul(RATIO)) {
            let reason = format!("{body} bytes at {at} are said to unpack to {unpacked}, as a bomb does");
            return Err(ArrowError::ParseError(reason));
        }
    }
    Ok(Some(body))
}

fn batch<'a>(message: &Message<'a>) -> Option<RecordBatch<'a>> {
    let of_dictionary = || message.header_as_dictionary_batch()?.data();
    message.header_as_record_batch().or_else(of_dictionary)
}

fn within(start: u64, len: u64, size: u64) -> Result<(), ArrowError> {
    match start.checked_add(len) {
        Some(end) if end <= size => Ok(()),
        _ => Err(past_end(start, len)),
    }
}

fn past_end(start: u64, len: u64) -> ArrowError {
    ArrowError::ParseError(format!("{len} bytes are said to begin at {start}, which is more than there is"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{RecordBatch, StringArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};

    use crate::cli::input::{Collected, Settings, collect_stream};

    /// Bytes of text in the column, a number that stands nowhere else.
    const TEXT: usize = 123_457;
    const LIE: i64 = 1 << 45;

    fn sample() -> RecordBatch {
        let long = "one and two and three, ".repeat(TEXT).chars().take(TEXT - 3).collect::<String>();
        RecordBatch::try_from_iter([(
            "text",
            Arc::new(StringArray::from(vec!["One", &long])) as arrow_array::ArrayRef,
        )])
        .unwrap()
    }

    fn packed() -> IpcWriteOptions {
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap()
    }

    fn file(options: IpcWriteOptions) -> Vec<u8> {
        let (batch, mut bytes) = (sample(), Vec::new());
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes
    }

    fn stream() -> Vec<u8> {
        let (batch, mut bytes) = (sample(), Vec::new());
        let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), packed()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes
    }

    /// Puts another number in the place of one, wherever it stands from a place
    /// on; it must stand there.
    fn lie(mut bytes: Vec<u8>, from: usize, number: i64, lie: i64) -> Vec<u8> {
        let places: Vec<usize> =
            (from..bytes.len() - 7).filter(|&at| bytes[at..at + 8] == number.to_le_bytes()).collect();
        assert!(!places.is_empty());
        for at in places {
            bytes[at..at + 8].copy_from_slice(&lie.to_le_bytes());
        }
        bytes
    }

    fn read(name: &str, bytes: &[u8]) -> Collected {
        collect_stream(name, bytes, &Settings::default()).unwrap()
    }

    fn refused(name: &str, bytes: &[u8], why: &str) {
        let read = read(name, bytes);
        assert_eq!((read.documents.len(), read.skipped.len()), (0, 1));
        assert!(read.skipped[0].reason.contains(why), "{}", read.skipped[0].reason);
    }

    #[test]
    fn a_buffer_that_lies_about_what_it_unpacks_to_is_refused() {
        for (name, bytes) in [("a.feather", file(packed())), ("a.arrows", stream())] {
            assert_eq!(read(name, &bytes).documents.len(), 2, "{name}");
            refused(name, &lie(bytes.clone(), 0, TEXT as i64, LIE), "as a bomb does");
            // What is stated is no bomb, but wrong.
            refused(name, &lie(bytes, 0, TEXT as i64, TEXT as i64 + 9), "a broken Arrow file");
        }
    }

    #[test]
    fn a_block_that_goes_on_past_the_end_is_refused() {
        let bytes = file(IpcWriteOptions::default());
        let footer = u32::from_le_bytes(bytes[bytes.len() - 10..][..4].try_into().unwrap()) as usize;
        let from = bytes.len() - 10 - footer;
        let body =
            super::blocks(&mut std::io::Cursor::new(&bytes), bytes.len() as u64).unwrap()[0].bodyLength();
        for stated in [LIE, i64::MAX, -1] {
            refused("a.feather", &lie(bytes.clone(), from, body, stated), "more than there is");
        }
    }

    #[test]
    fn a_column_that_goes_on_past_the_end_is_refused() {
        let (batch, mut bytes) = (sample(), Vec::new());
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert_eq!(read("a.parquet", &bytes).documents.len(), 2);
        let stored =
            ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).unwrap();
        let group = stored.row_group(0).clone();
        let column = group.column(0).clone().into_builder().set_total_compressed_size(LIE).build().unwrap();
        let group = group.into_builder().set_column_metadata(vec![column]).build().unwrap();
        let lying = stored.into_builder().set_row_groups(vec![group]).build();
        // After the old footer, which nothing points to any more.
        ParquetMetaDataWriter::new(&mut bytes, &lying).finish().unwrap();
        refused("a.parquet", &bytes, "more than there is");
    }
}

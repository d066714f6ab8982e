//! Streams and what they are packed in: compression and archives, recognised
//! by how they begin, whatever they are called.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, Write};
use std::ops::ControlFlow;
use std::rc::Rc;

use flate2::bufread::GzDecoder;

use super::kinds::Holds;

/// A file or a stream, read from the start.
pub(crate) struct Source<'a> {
    stream: Box<dyn BufRead + 'a>,
    /// The file it reads, if that is not packed.
    file: Option<File>,
    packed: Option<Packed>,
}

pub(crate) trait Seekable: Read + Seek {}
impl<T: Read + Seek> Seekable for T {}

/// Bytes looked at to recognise a format; a tar archive tells only at 257.
const HEAD: u64 = 1024;
const BUFFER: usize = 1 << 18;
/// Compressions inside one another; more is an attack.
const NESTED: usize = 4;
/// Bytes up to which a stream may be packed as well as it likes.
pub(super) const UNSUSPECTED: u64 = 1 << 28;
/// How many times its packed size a longer one may be. Text packs to a fifth,
/// and to a hundredth where it says the same again and again.
pub(super) const RATIO: u64 = 250;

impl<'a> Source<'a> {
    /// A file; `read` is told how many bytes of it are read as a stream.
    pub(crate) fn file(file: File, read: impl FnMut(u64) + 'a) -> io::Result<Self> {
        let stream = Told { stream: file.try_clone()?, read };
        let stream = Box::new(BufReader::with_capacity(BUFFER, stream));
        Ok(Source { stream, file: Some(file), packed: None })
    }

    pub(crate) fn stream(stream: impl Read + 'a) -> Self {
        Source { stream: Box::new(BufReader::with_capacity(BUFFER, stream)), file: None, packed: None }
    }

    /// Undoes compression, and returns how the content begins.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is compressed in a way that this build does not
    /// know.
    pub(crate) fn unpack(mut self) -> io::Result<(Self, Vec<u8>)> {
        for _ in 0..=NESTED {
            let mut head = Vec::new();
            match self.stream.by_ref().take(HEAD).read_to_end(&mut head) {
                Err(error) if head.is_empty() => return Err(error),
                // What came before the error is read first.
                Err(error) => self.stream = Box::new(BufReader::new(Fails(Some(error)))),
                Ok(_) => {}
            }
            let Some(codec) = Packed::of(&head) else {
                self.stream = Box::new(Cursor::new(head.clone()).chain(self.stream));
                return Ok((self, head));
            };
            let size = Rc::new(Cell::new(0));
            let sum = size.clone();
            let read = move |bytes| sum.set(sum.get() + bytes);
            let packed = Told { stream: Cursor::new(head).chain(self.stream), read };
            let was = self.packed.unwrap_or(codec);
            self = Source::stream(Bounded { stream: codec.reader(packed)?, bound: Bound::new(size) });
            self.packed = Some(was);
        }
        Err(io::Error::other("compressed more often than four times"))
    }

    /// What it was compressed with, outermost.
    pub(crate) fn packed(&self) -> Option<Packed> {
        self.packed
    }

    pub(crate) fn into_stream(self) -> Box<dyn BufRead + 'a> {
        self.stream
    }

    /// The file itself, or all of the stream, for formats that are read from
    /// their end.
    pub(crate) fn into_seekable(mut self) -> io::Result<Whole> {
        match self.file {
            Some(mut file) => {
                file.rewind()?;
                Ok(Whole::File(file))
            }
            None => {
                let mut bytes = Vec::new();
                self.stream.read_to_end(&mut bytes)?;
                Ok(Whole::Bytes(bytes))
            }
        }
    }
}

/// A stream that tells what is read of it.
pub(super) struct Told<R, F> {
    pub stream: R,
    pub read: F,
}

impl<R: Read, F: FnMut(u64)> Read for Told<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        (self.read)(read as u64);
        Ok(read)
    }
}

impl<R: BufRead, F: FnMut(u64)> BufRead for Told<R, F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        (self.read)(amount as u64);
        self.stream.consume(amount);
    }
}

/// What came out of something packed, and how much that may be.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// The size as it is packed, or as much of that as was read.
    packed: Rc<Cell<u64>>,
    given: Rc<Cell<u64>>,
}

impl Bound {
    pub(crate) fn new(packed: Rc<Cell<u64>>) -> Self {
        Bound { packed, given: Rc::default() }
    }

    /// Counts what came out.
    ///
    /// # Errors
    ///
    /// If it is out of proportion.
    pub(crate) fn add(&self, bytes: usize) -> io::Result<()> {
        self.given.set(self.given.get() + bytes as u64);
        if self.given.get() > UNSUSPECTED && self.given.get() / RATIO > self.packed.get() {
            let reason = format!(
                "unpacks to more than {RATIO} times its size, as a bomb does; if it is none, unpack it first"
            );
            return Err(io::Error::other(reason));
        }
        Ok(())
    }
}

/// An unpacked stream that ends with an error if it is out of proportion.
struct Bounded<R> {
    stream: R,
    bound: Bound,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.bound.add(read)?;
        Ok(read)
    }
}

/// A stream that fails once, and then is at its end.
struct Fails(Option<io::Error>);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// All members of a gzip file. What stores blocks pads it with zeros, which are
/// passed over.
struct Gzip<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(member) = self.member.take() else { break };
            let mut rest = member.into_inner();
            loop {
                let next = rest.fill_buf()?;
                match next.iter().position(|byte| *byte != 0) {
                    None if next.is_empty() => return Ok(0),
                    None => {
                        let zeros = next.len();
                        rest.consume(zeros);
                    }
                    Some(0) => break,
                    Some(_) => return Err(io::Error::other("other data after the compressed")),
                }
            }
            self.member = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// A file or its bytes.
pub(crate) enum Whole {
    File(File),
    Bytes(Vec<u8>),
}

impl Whole {
    /// Its bytes.
    #[cfg(feature = "formats")]
    pub(crate) fn size(&self) -> io::Result<u64> {
        match self {
            Whole::File(file) => Ok(file.metadata()?.len()),
            Whole::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }

    #[cfg(feature = "formats")]
    pub(crate) fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self {
            Whole::Bytes(bytes) => Ok(bytes),
            Whole::File(mut file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    pub(crate) fn reader(self) -> Box<dyn Seekable> {
        match self {
            Whole::File(file) => Box::new(BufReader::new(file)),
            Whole::Bytes(bytes) => Box::new(Cursor::new(bytes)),
        }
    }
}

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Packed {
    pub(super) fn of(head: &[u8]) -> Option<Packed> {
        match head {
            [0x1f, 0x8b, ..] => Some(Packed::Gzip),
            // A frame, or one to be skipped as parallel compressors write it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packed::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Packed::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packed::Xz),
            _ => None,
        }
    }

    /// All members, frames or streams, one after the other.
    fn reader<'a>(self, packed: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
        match self {
            Packed::Gzip => Ok(Box::new(Gzip { member: Some(GzDecoder::new(packed)) })),
            #[cfg(feature = "formats")]
            Packed::Zstd => Ok(Box::new(zstd::stream::read::Decoder::with_buffer(packed)?)),
            #[cfg(feature = "formats")]
            Packed::Bzip2 => Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(packed))),
            #[cfg(feature = "formats")]
            Packed::Xz => Ok(Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(packed))),
            #[cfg(not(feature = "formats"))]
            _ => Err(io::Error::other(format!("compressed with {self:?}, which this build does not read"))),
        }
    }
}

impl Packed {
    /// Compresses what is written.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn write<W: Write>(
        self,
        out: W,
        write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<W> {
        match self {
            Packed::Gzip => {
                let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                write(&mut packer)?;
                Ok(packer.finish()?)
            }
            #[cfg(feature = "formats")]
            Packed::Zstd => {
                let mut packer = zstd::stream::write::Encoder::new(out, 0)?;
                write(&mut packer)?;
                Ok(packer.finish()?)
            }
            #[cfg(feature = "formats")]
            Packed::Bzip2 => {
                let mut packer = bzip2::write::BzEncoder::new(out, bzip2::Compression::default());
                write(&mut packer)?;
                Ok(packer.finish()?)
            }
            #[cfg(feature = "formats")]
            Packed::Xz => {
                let mut packer = liblzma::write::XzEncoder::new(out, 6);
                write(&mut packer)?;
                Ok(packer.finish()?)
            }
            #[cfg(not(feature = "formats"))]
            _ => anyhow::bail!("compressed with {self:?}, which this build does not write"),
        }
    }
}

/// Calls `found` with the name and the content of every file in an archive, until
/// it has enough.
///
/// # Errors
///
/// If the archive is broken; the files before that were found.
#[cfg(feature = "formats")]
pub(crate) fn members(
    holds: Holds,
    source: Source,
    mut found: impl FnMut(String, io::Result<Source>) -> ControlFlow<()>,
) -> io::Result<()> {
    if holds == Holds::Tar {
        let mut archive = tar::Archive::new(source.into_stream());
        for entry in archive.entries()? {
            let entry = entry?;
            if entry.header().entry_type().is_file() {
                let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                if found(name, Ok(Source::stream(entry))).is_break() {
                    break;
                }
            }
        }
        return Ok(());
    }
    let whole = source.into_seekable()?;
    // One bound for all members, which may lie over one another.
    let bound = Bound::new(Rc::new(Cell::new(whole.size()?)));
    let mut archive = zip::ZipArchive::new(whole.reader()).map_err(io::Error::other)?;
    for at in 0..archive.len() {
        let name = archive
            .name_for_index(at)
            .and_then(Result::ok)
            .map_or_else(|| at.to_string(), |name| name.into_owned());
        let done = match archive.by_index(at) {
            Ok(member) if member.is_file() => {
                found(name, Ok(Source::stream(Bounded { stream: member, bound: bound.clone() })))
            }
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => found(name, Err(io::Error::other(error))),
        };
        if done.is_break() {
            break;
        }
    }
    Ok(())
}

#[cfg(not(feature = "formats"))]
pub(crate) fn members(
    _: Holds,
    _: Source,
    _: impl FnMut(String, io::Result<Source>) -> ControlFlow<()>,
) -> io::Result<()> {
    Err(io::Error::other("an archive, which this build does not read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was packed is only a little of what it unpacks to.
    #[test]
    fn bombs_are_not_unpacked() {
        let sizes = [UNSUSPECTED / 2, UNSUSPECTED / 4 * 5];
        let read = sizes.map(|size| {
            let packer =
                flate2::read::GzEncoder::new(io::repeat(b'0').take(size), flate2::Compression::default());
            let (source, _) = Source::stream(packer).unpack()?;
            io::copy(&mut source.into_stream(), &mut io::sink())
        });
        assert_eq!(read[0].as_ref().unwrap(), &sizes[0]);
        assert!(read[1].as_ref().unwrap_err().to_string().contains("as a bomb does"));
    }

    /// No member is suspicious, but all together are.
    #[cfg(feature = "formats")]
    #[test]
    fn many_members_are_one_bomb() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for number in 0..3 {
            archive.start_file(format!("{number}.txt"), options).unwrap();
            io::copy(&mut io::repeat(b'0').take(UNSUSPECTED / 5 * 2), &mut archive).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        let mut read = Vec::new();
        members(Holds::Zip, Source::stream(&bytes[..]), |_, member| {
            read.push(io::copy(&mut member.unwrap().into_stream(), &mut io::sink()).is_ok());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(read, [true, true, false]);
    }

    #[test]
    fn members_and_padding_of_gzip() {
        let pack = |text: &str| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(text.as_bytes()).unwrap();
            packer.finish().unwrap()
        };
        let read = |packed: &[u8]| {
            let (source, _) = Source::stream(packed).unpack()?;
            let mut text = String::new();
            source.into_stream().read_to_string(&mut text).map(|_| text)
        };
        let two = [pack("one "), pack(""), pack("two")].concat();
        assert_eq!(read(&two).unwrap(), "one two");
        assert_eq!(read(&[&two[..], &[0; 600]].concat()).unwrap(), "one two");
        assert_eq!(read(b"").unwrap(), "");
        assert!(read(&[&two[..], &[0; 6], b"x"].concat()).is_err());
        assert!(read(&two[..two.len() - 3]).is_err());
        // Packed again and again.
        let deep = (0..6).fold(b"x".to_vec(), |inner, _| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(&inner).unwrap();
            packer.finish().unwrap()
        });
        assert!(read(&deep).is_err());
    }
}

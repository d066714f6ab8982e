//! Results of an earlier scan, read back.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twicetold::{ClusterRow, DocumentRow, FamilyRow, OccurrenceRow, Only, PairRow, SpanRow};

use super::input::{self, Collected, Meter, Settings};
use super::unfinished;

/// A directory with results, of which the tables are read when asked for.
pub(crate) struct Results {
    directory: PathBuf,
    run: Run,
    /// All that `run.json` says.
    whole: Value,
}

/// What is needed of `run.json`; the rest is passed over.
#[derive(Deserialize)]
struct Run {
    program: String,
    inputs: Vec<PathBuf>,
    input: Settings,
    digest: String,
    against: Vec<PathBuf>,
    against_digest: Option<String>,
    output_format: String,
    config: Settled,
}

/// What is needed of the settings.
#[derive(Deserialize)]
struct Settled {
    /// What alone was looked for; earlier versions looked for everything.
    #[serde(default)]
    only: Option<Only>,
}

impl Results {
    /// Opens the results in a directory.
    ///
    /// # Errors
    ///
    /// If there are none, or not as JSON Lines.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        unfinished::settle(directory)?;
        let path = directory.join("run.json");
        let file = File::open(&path).with_context(|| {
            format!("no results in {}: they are written by `twicetold scan --out`", directory.display())
        })?;
        let read = || {
            let whole: Value = serde_json::from_reader(BufReader::new(file))?;
            Ok((Run::deserialize(&whole)?, whole))
        };
        let (run, whole) = read().map_err(|error: serde_json::Error| {
            let context = format!("{} is not of this version of twicetold", path.display());
            anyhow::Error::new(error).context(context)
        })?;
        ensure!(run.program == env!("CARGO_PKG_NAME"), "{} is of another program", path.display());
        ensure!(
            run.output_format == "jsonl",
            "the results in {} are {} files; scan again without --output-format to have JSON Lines",
            directory.display(),
            run.output_format
        );
        Ok(Results { directory: directory.to_owned(), run, whole })
    }

    /// Makes sure that passages were looked for.
    ///
    /// # Errors
    ///
    /// If they were not.
    pub(crate) fn with_passages(&self) -> Result<()> {
        match self.run.config.only {
            None => Ok(()),
            Some(only) => bail!(
                "the scan looked for {} alone; scan again without --only to know passages and originality",
                only.as_str()
            ),
        }
    }

    pub(crate) fn documents(&self) -> Result<Vec<DocumentRow>> {
        self.table("documents.jsonl")
    }

    pub(crate) fn families(&self) -> Result<Vec<FamilyRow>> {
        self.table("families.jsonl")
    }

    pub(crate) fn occurrences(&self) -> Result<Vec<OccurrenceRow>> {
        self.table("occurrences.jsonl")
    }

    pub(crate) fn pairs(&self) -> Result<Vec<PairRow>> {
        self.table("pairs.jsonl")
    }

    pub(crate) fn spans(&self) -> Result<Vec<SpanRow>> {
        self.table("spans.jsonl")
    }

    pub(crate) fn clusters(&self) -> Result<Vec<ClusterRow>> {
        self.table("clusters.jsonl")
    }

    /// All that `run.json` says.
    pub(crate) fn run(&self) -> &Value {
        &self.whole
    }

    /// Reads the collection again.
    ///
    /// # Errors
    ///
    /// If it is not what was scanned.
    pub(crate) fn collection(&self, meter: &dyn Meter) -> Result<Collected> {
        self.again(&self.run.inputs, &self.run.digest, meter)
    }

    /// Reads the collection again that it was set against, if there was one.
    ///
    /// # Errors
    ///
    /// If it is not what it was.
    pub(crate) fn against(&self, meter: &dyn Meter) -> Result<Option<Collected>> {
        let digest = self.run.against_digest.as_ref();
        digest.map(|digest| self.again(&self.run.against, digest, meter)).transpose()
    }

    fn again(&self, inputs: &[PathBuf], digest: &str, meter: &dyn Meter) -> Result<Collected> {
        if inputs.iter().any(|input| input == Path::new("-")) {
            bail!("the scan read standard input, which cannot be read again; scan a file");
        }
        let collected = input::collect(inputs, &self.run.input, meter)?;
        if collected.digest() != digest {
            let inputs: Vec<_> = inputs.iter().map(|input| input.display().to_string()).collect();
            bail!(
                "the inputs are not what was scanned ({}): they changed, or this is another directory; scan them again",
                inputs.join(", ")
            );
        }
        Ok(collected)
    }

    /// How the collection was read.
    pub(crate) fn settings(&self) -> &Settings {
        &self.run.input
    }

    fn table<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>> {
        let path = self.directory.join(name);
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = (1..).zip(BufReader::with_capacity(1 << 18, file).lines());
        let row = |(number, line): (u64, std::io::Result<String>)| {
            serde_json::from_str(&line?).with_context(|| format!("{}:{number}", path.display()))
        };
        lines.map(row).collect()
    }
}

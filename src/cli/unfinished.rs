//! Files that appear complete and together, or not at all, whatever happens.
//!
//! They are written into a temporary directory beside their place. When all are
//! complete the directory gets another name, which is one step that nothing can
//! interrupt; from then on the files are in force, and moving them to their
//! place is done again by whoever finds it half done.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::output::finish;

/// A temporary directory, removed when the program ends or is interrupted; if
/// it is killed, by the next run.
pub(crate) struct Unfinished {
    directory: TempDir,
    /// Held as long as somebody writes here.
    lock: File,
}

/// What becomes of complete files.
#[derive(Serialize, Deserialize)]
struct Plan {
    /// Files to move, of which the last one tells that the others are there.
    files: Vec<String>,
    /// Earlier files that do not belong to them.
    remove: Vec<String>,
}

const PREFIX: &str = ".twicetold-";
const COMPLETE: &str = ".twicetold-complete";
const PLAN: &str = ".twicetold-plan";
const LOCK: &str = ".twicetold-lock";
/// A directory without a lock is somebody's who just made it, if it is younger.
const YOUNG: Duration = Duration::from_secs(60);

/// The one to remove when the program is interrupted.
static CURRENT: Mutex<Option<PathBuf>> = Mutex::new(None);

impl Unfinished {
    /// Makes one in a directory, after setting right what an earlier run left
    /// there.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub(crate) fn new(within: &Path) -> Result<Self> {
        settle(within)?;
        sweep(within)?;
        // A second handler cannot be set; this program sets one.
        let _ = ctrlc::set_handler(|| {
            if let Ok(Some(path)) = CURRENT.lock().as_deref() {
                let _ = fs::remove_dir_all(path);
            }
            std::process::exit(130);
        });
        // An interruption waits until it is known what to remove.
        let mut current = CURRENT.lock().expect("no thread panics while it holds this");
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(within)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.try_lock()?;
        *current = Some(directory.path().to_owned());
        drop(current);
        Ok(Unfinished { directory, lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The files and directories in it, sorted.
    ///
    /// # Errors
    ///
    /// If it cannot be listed, or a name is not Unicode.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let name = entry?.file_name();
            let name =
                name.into_string().map_err(|name| anyhow!("the name {} is not Unicode", name.display()))?;
            names.push(name);
        }
        names.retain(|name| name != LOCK);
        names.sort();
        Ok(names)
    }

    /// Moves files to the directory that it is in, the last one at the end, and
    /// removes earlier ones there.
    ///
    /// # Errors
    ///
    /// If a file cannot be moved or removed. Then all others still are when the
    /// directory is looked at again.
    pub(crate) fn commit(self, files: Vec<String>, remove: Vec<String>) -> Result<()> {
        let within = self.path().parent().unwrap_or(Path::new(".")).to_owned();
        let mut plan = BufWriter::new(File::create(self.path().join(PLAN))?);
        serde_json::to_writer(&mut plan, &Plan { files, remove })?;
        finish(plan)?;
        // Some systems rename no directory in which a file is open.
        drop(self.lock);
        set_current(None);
        fs::rename(self.directory.path(), within.join(COMPLETE)).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                anyhow!("another run writes to the same directory")
            }
            _ => anyhow!(error).context("cannot make the files valid"),
        })?;
        // It has another name now, under which it stays.
        let _ = self.directory.keep();
        settle(&within)
    }
}

/// Writes a file, complete or not at all.
///
/// # Errors
///
/// If it cannot be written; then an earlier one stays.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let unfinished = Unfinished::new(directory.unwrap_or(Path::new(".")))?;
    let written = unfinished.path().join("file");
    let mut file = BufWriter::new(File::create(&written)?);
    write(&mut file)?;
    finish(file)?;
    fs::rename(written, path)?;
    set_current(None);
    Ok(())
}

/// Ends what an earlier run began: moves complete files to their place.
///
/// # Errors
///
/// If one cannot be moved.
pub(crate) fn settle(within: &Path) -> Result<()> {
    let complete = within.join(COMPLETE);
    let plan = match fs::read(complete.join(PLAN)) {
        Ok(plan) => serde_json::from_slice::<Plan>(&plan)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // All is moved; or nothing was ever there, which is the rule.
            return absent(fs::remove_dir_all(&complete)).context("cannot remove what is left of a run");
        }
        Err(error) => return Err(error).context("cannot end an earlier run"),
    };
    let pending: Vec<&String> = plan.files.iter().filter(|name| complete.join(name).exists()).collect();
    // While files are moved, nobody is to take them for complete.
    if let (Some(last), false) = (plan.files.last(), pending.is_empty()) {
        absent(fs::remove_file(within.join(last))).with_context(|| format!("cannot replace {last}"))?;
    }
    for name in &plan.remove {
        absent(fs::remove_file(within.join(name)))
            .with_context(|| format!("cannot remove the earlier {name}"))?;
    }
    for name in pending {
        fs::rename(complete.join(name), within.join(name))
            .with_context(|| format!("cannot replace {name}"))?;
    }
    Ok(fs::remove_dir_all(complete)?)
}

/// Removes directories of runs that were killed.
fn sweep(within: &Path) -> Result<()> {
    for entry in fs::read_dir(within)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(PREFIX) || name == COMPLETE || !entry.file_type()?.is_dir() {
            continue;
        }
        let dead = match File::open(entry.path().join(LOCK)) {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(error)) => return Err(error.into()),
            },
            Err(_) => entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > YOUNG),
        };
        if dead {
            absent(fs::remove_dir_all(entry.path()))?;
        }
    }
    Ok(())
}

fn set_current(path: Option<PathBuf>) {
    *CURRENT.lock().expect("no thread panics while it holds this") = path;
}

/// It is no error if what is to be removed is not there.
fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(of: &Path) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = fs::read_dir(of)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| {
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, fs::read_to_string(&path).unwrap_or_else(|_| "a directory".to_owned()))
            })
            .collect();
        found.sort();
        found
    }

    /// Wherever a run stops while it moves files, the next one ends it.
    #[test]
    fn what_is_half_moved_is_moved() {
        let names = ["a", "b", "run"];
        for moved in 0..=names.len() {
            let out = TempDir::new().expect("a directory");
            for name in ["a", "b", "run", "stale"] {
                fs::write(out.path().join(name), "old").expect("written");
            }
            let complete = out.path().join(COMPLETE);
            fs::create_dir(&complete).expect("made");
            let plan = Plan { files: names.map(str::to_owned).to_vec(), remove: vec!["stale".to_owned()] };
            fs::write(complete.join(PLAN), serde_json::to_vec(&plan).expect("JSON")).expect("written");
            for (at, name) in names.iter().enumerate() {
                let to = if at < moved { out.path() } else { &complete };
                fs::write(to.join(name), "new").expect("written");
            }
            settle(out.path()).expect("settled");
            let expected = names.map(|name| (name.to_owned(), "new".to_owned()));
            assert_eq!(contents(out.path()), expected, "{moved} moved");
            settle(out.path()).expect("nothing to do");
            assert_eq!(contents(out.path()), expected);
        }
    }

    #[test]
    fn only_the_directories_of_the_dead_are_removed() {
        let out = TempDir::new().expect("a directory");
        let alive = Unfinished::new(out.path()).expect("made");
        let dead = out.path().join(".twicetold-dead");
        fs::create_dir(&dead).expect("made");
        fs::write(dead.join(LOCK), "").expect("written");
        fs::create_dir(out.path().join(".twicetold-young")).expect("made");
        fs::write(out.path().join("mine"), "kept").expect("written");
        sweep(out.path()).expect("swept");
        assert!(alive.path().exists() && !dead.exists());
        assert!(out.path().join(".twicetold-young").exists() && out.path().join("mine").exists());
        let path = alive.path().to_owned();
        drop(alive);
        assert!(!path.exists());
    }
}

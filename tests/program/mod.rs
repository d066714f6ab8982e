//! Runs the program as a user does.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "test support")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs the program in a directory.
pub fn run(directory: &Path, args: &[&str]) -> Output {
    piped(directory, args, b"")
}

/// The same with something on its standard input.
pub fn piped(directory: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_twicetold"))
        .args(args)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// Runs the program, which must succeed, and returns its standard output.
pub fn done(directory: &Path, args: &[&str]) -> String {
    let output = run(directory, args);
    assert_eq!(status(&output), 0, "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// Runs the program, which must refuse, and returns what it says.
pub fn refused(directory: &Path, args: &[&str]) -> String {
    let output = run(directory, args);
    assert_eq!(status(&output), 2, "{args:?}");
    stderr(&output)
}

/// All files of a directory, but for the time in `run.json`.
pub fn results(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let of = |entry: &fs::DirEntry| match entry.file_name().to_str().unwrap() {
        "run.json" => {
            let mut run: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
            run["timing"].take();
            run.to_string().into_bytes()
        }
        _ => fs::read(entry.path()).unwrap_or_default(),
    };
    files.map(|entry| (entry.file_name().into_string().unwrap(), of(&entry))).collect()
}

/// The rows of a file of JSON Lines.
pub fn lines(path: PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => fs::copy(entry.path(), to.join(entry.file_name())).map(drop).unwrap(),
        }
    }
}

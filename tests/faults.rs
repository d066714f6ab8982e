//! Faults of the machine: what fails while the program runs, and what is left.
//!
//! A library loaded before the system's (`faults/shim.c`) makes calls fail as
//! full disks and broken drives do.

#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, reason = "tests")]

mod generate;
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{done, results, run, status, stderr, stdout};
use serde_json::Value;
use tempfile::TempDir;

/// A directory with the file `name` of generated articles.
fn articles(name: &str, bytes: usize) -> TempDir {
    let directory = TempDir::new().unwrap();
    write_articles(&directory.path().join(name), 1, bytes);
    directory
}

fn write_articles(path: &Path, seed: u64, bytes: usize) {
    let rows = generate::collection(seed, bytes).into_iter();
    let rows = rows.map(|d| serde_json::json!({"id": d.id, "text": d.text}).to_string() + "\n");
    fs::write(path, rows.collect::<String>()).unwrap();
}

/// What fails: a call, on which files, after how many bytes or calls, and how.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
struct Fault(&'static str, &'static str, u64, Errno);

#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
enum Errno {
    NotFound = 2,
    Io = 5,
    Denied = 13,
    NoSpace = 28,
    ReadOnly = 30,
}

/// Runs the program with a fault.
#[cfg(target_os = "linux")]
fn faulty(directory: &Path, args: &[&str], Fault(call, path, after, errno): Fault) -> Output {
    Command::new(env!("CARGO_BIN_EXE_twicetold"))
        .args(args)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .env("LD_PRELOAD", shim())
        .env("FAULT_CALL", call)
        .env("FAULT_PATH", path)
        .env("FAULT_AFTER", after.to_string())
        .env("FAULT_ERRNO", (errno as i32).to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The library that makes calls fail, built once.
#[cfg(target_os = "linux")]
fn shim() -> &'static Path {
    use std::sync::OnceLock;
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let library =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        // Whoever has Rust has a C compiler, which links.
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .args(["-ldl"])
            .status();
        assert!(built.unwrap().success());
        library
    })
}

/// Whatever fails while results are written, the earlier ones stay as they were
/// and nothing else is left.
#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_leave_the_earlier_ones() {
    use Errno::*;
    let directory = articles("old.jsonl", 60_000);
    write_articles(&directory.path().join("new.jsonl"), 2, 90_000);
    done(directory.path(), &["scan", "old.jsonl", "--out", "results", "-q"]);
    let earlier = results(&directory.path().join("results"));
    let faults = [
        (Fault("write", "results/.twicetold-", 0, NoSpace), "No space left on device"),
        (
            Fault("write", "documents.jsonl", 5_000, NoSpace),
            "cannot write documents.jsonl: No space left on device",
        ),
        (Fault("write", "report.html", 100_000, NoSpace), "No space left on device"),
        (Fault("write", "run.json", 0, NoSpace), "No space left on device"),
        (Fault("fsync", "spans.jsonl", 0, Io), "cannot write spans.jsonl: Input/output error"),
        (Fault("create", "families.jsonl", 0, Denied), "cannot write families.jsonl: Permission denied"),
        (Fault("mkdir", "results/", 0, ReadOnly), "Read-only file system"),
        (Fault("create", "results", 0, ReadOnly), "cannot write to results"),
        (Fault("rename", ".twicetold-complete", 0, Io), "Input/output error"),
    ];
    for (fault, message) in faults {
        let output = faulty(directory.path(), &["scan", "new.jsonl", "--out", "results", "-q"], fault);
        assert_eq!(status(&output), 2, "{fault:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{fault:?}: {}", stderr(&output));
        done(directory.path(), &["families", "results"]);
        let found = results(&directory.path().join("results"));
        assert!(found == earlier, "{fault:?}: {:?}", found.keys());
    }
    // Moving the files into place is done again until it is done.
    let fault = Fault("rename", "results/families.jsonl", 0, Io);
    let output = faulty(directory.path(), &["scan", "new.jsonl", "--out", "results", "-q"], fault);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    done(directory.path(), &["families", "results"]);
    done(directory.path(), &["scan", "new.jsonl", "--out", "expected", "-q"]);
    assert!(results(&directory.path().join("results")) == results(&directory.path().join("expected")));

    // What `clean` and `report` write, too.
    let args = ["clean", "results", "--out", "cleaned", "--drop", "boilerplate"];
    let fault = Fault("write", "cleaned", 1000, NoSpace);
    let output = faulty(directory.path(), &args, fault);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(directory.path().join("cleaned")).map_or(0, Iterator::count), 0);
    let page = fs::read(directory.path().join("results/report.html")).unwrap();
    let fault = Fault("write", "results", 10_000, NoSpace);
    let output = faulty(directory.path(), &["report", "results"], fault);
    assert_eq!(status(&output), 2);
    assert!(fs::read(directory.path().join("results/report.html")).unwrap() == page);
}

/// Inputs that cannot be read are named, and the others are read.
#[cfg(target_os = "linux")]
#[test]
fn inputs_that_fail_are_named_and_the_rest_goes_on() {
    use Errno::*;
    let directory = articles("a.jsonl", 700_000);
    let lines = fs::read_to_string(directory.path().join("a.jsonl")).unwrap().lines().count();
    for name in ["b.txt", "c.csv", "d.html"] {
        let page = "id,text\n1,One two three four five six seven eight nine ten.\n".repeat(2);
        fs::write(directory.path().join(name), page).unwrap();
    }
    let inputs = ["scan", "a.jsonl", "b.txt", "c.csv", "--dry-run"];
    let cases = [
        // A broken drive: what stands before the place is read.
        (Fault("read", "a.jsonl", 300_000, Io), "Input/output error", "; the lines before it were read"),
        (Fault("read", "b.txt", 0, Io), "b.txt: Input/output error", ""),
        (Fault("read", "c.csv", 0, Io), "c.csv", "Input/output error"),
        (Fault("open", "b.txt", 0, Denied), "b.txt: permission denied", ""),
        // It was there when the directory was listed.
        (Fault("open", "b.txt", 0, NotFound), "b.txt: no such file or directory", ""),
    ];
    for (fault, message, more) in cases {
        let output = faulty(directory.path(), &inputs, fault);
        assert_eq!(status(&output), 3, "{fault:?}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(message) && said.contains(more), "{fault:?}: {said}");
        assert!(stdout(&output).contains("b.txt") != (fault.1 == "b.txt"), "{fault:?}: {}", stdout(&output));
    }
    let output = faulty(directory.path(), &["scan", "a.jsonl", "-q", "--format", "json"], cases[0].0);
    let read = program::json_of(&output)["documents"].as_array().unwrap().len() - 1;
    assert!(read > lines / 4 && read < lines, "{read} of {lines}");
}

/// Standard output on a full disk is an error, unlike one that is closed.
#[cfg(target_os = "linux")]
#[test]
fn a_summary_that_cannot_be_written_is_an_error() {
    let directory = articles("a.jsonl", 20_000);
    for args in [
        &["scan", "a.jsonl"][..],
        &["scan", "a.jsonl", "--format", "json"],
        &["man"],
        &["completions", "bash"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_twicetold"))
            .args(args)
            .current_dir(directory.path())
            .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
            .output()
            .unwrap();
        assert_eq!(status(&output), 2, "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("No space left on device"), "{args:?}: {}", stderr(&output));
    }
}

/// Too little memory is said, not suffered.
#[cfg(target_os = "linux")]
#[test]
fn exhausted_memory_is_told() {
    let directory = articles("a.jsonl", 3_000_000);
    let limited = |megabytes: u64, args: &str| {
        let command = format!("ulimit -v {} && exec \"$0\" {args}", megabytes << 10);
        Command::new("sh")
            .args(["-c", &command, env!("CARGO_BIN_EXE_twicetold")])
            .current_dir(directory.path())
            .output()
            .unwrap()
    };
    let mut told = 0;
    for megabytes in (20..600).step_by(20) {
        // Where the program itself has no room, it can tell nothing.
        if limited(megabytes, "--version").status.code() != Some(0) {
            continue;
        }
        let output = limited(megabytes, "scan a.jsonl --threads 1 --top 0 --out results");
        let said = stderr(&output);
        if output.status.code() == Some(0) {
            assert!(told > 0, "some of them were too little");
            return;
        }
        assert_eq!(output.status.code(), Some(2), "{megabytes} MB: {said}");
        let cause = ["memory is exhausted", "cannot start the worker threads", "Cannot allocate memory"];
        assert!(cause.iter().any(|cause| said.contains(cause)), "{megabytes} MB: {said}");
        assert!(!directory.path().join("results/run.json").exists());
        told += 1;
    }
    panic!("600 MB are enough");
}

/// Bounded memory holds less, and changes no byte of the results; what is not in
/// memory is nowhere to be seen.
#[cfg(target_os = "linux")]
#[test]
fn bounded_memory_changes_nothing() {
    const BOUND: u64 = 256_000_000;
    let directory = articles("a.jsonl", 90_000_000);
    // On a disk, which the system's directory for temporary files need not be.
    let disk = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| directory.path().join(name);
    let timing = |out: &str, key: &str| {
        let run: Value = serde_json::from_slice(&fs::read(at(out).join("run.json")).unwrap()).unwrap();
        run["timing"][key].as_u64().unwrap()
    };
    let scan = |args: &[&str]| {
        let common = ["scan", "a.jsonl", "-q", "--top", "0", "--out"];
        let output = run(directory.path(), &[&common, args].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        assert_eq!(fs::read_dir(&disk).unwrap().count(), 0);
    };
    let temp = disk.path().to_str().unwrap();
    scan(&["free"]);
    scan(&["bounded", "--memory", "256MB", "--temp-dir", temp]);
    let (peak, bounded) = (timing("free", "peak_memory_bytes"), timing("bounded", "peak_memory_bytes"));
    // On a busy machine it may be a little more than the bound for a moment.
    assert!(BOUND < peak && bounded < peak / 10 * 9, "{bounded} of {peak}");
    assert!(timing("bounded", "spilled_bytes") + BOUND > peak && timing("free", "spilled_bytes") == 0);
    assert!(results(&at("free")) == results(&at("bounded")));

    // So it is where results are read back.
    let clean = |args: &[&str]| {
        let common = ["clean", "free", "--drop", "shared", "-q", "--out"];
        let output = run(directory.path(), &[&common, args].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
    };
    clean(&["c"]);
    clean(&["d", "--memory", "256MB", "--temp-dir", temp]);
    assert!(results(&at("c")) == results(&at("d")));
}

/// A bound that cannot be kept is refused before anything is done, and so is a
/// directory that cannot hold the rest.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_bounded_where_it_can_be() {
    let directory = articles("a.jsonl", 20_000);
    for (args, told) in [
        ("--memory 100MB", "100.0 MB of memory are too little, 256.0 MB are the least"),
        ("--memory 1G --temp-dir nowhere", "cannot spill to nowhere"),
        ("--memory 1G --temp-dir a.jsonl", "cannot spill to a.jsonl"),
        ("--memory 1G --temp-dir /dev/shm", "it is held in memory itself"),
        ("--temp-dir .", "--memory <SIZE>"),
    ] {
        let args: Vec<&str> =
            ["scan", "a.jsonl", "--out", "results"].into_iter().chain(args.split(' ')).collect();
        let output = run(directory.path(), &args);
        assert_eq!(status(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(told), "{args:?}: {}", stderr(&output));
        assert!(!directory.path().join("results").exists());
    }
}

/// A disk that fills up while memory is bounded is told of, and nothing is left.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_what_is_not_in_memory_is_told() {
    let directory = articles("a.jsonl", 40_000_000);
    let disk = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // No file may be longer than 64 MiB, and who tries is told instead of killed.
    let command = "trap '' XFSZ; ulimit -f 65536; exec \"$0\" \"$@\"";
    let output = Command::new("bash")
        .args(["-c", command, env!("CARGO_BIN_EXE_twicetold"), "scan", "a.jsonl", "--out", "results"])
        .args(["--memory", "1G", "--temp-dir"])
        .arg(disk.path())
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    let told = format!("bytes more could not be had in {}", disk.path().display());
    assert!(stderr(&output).contains("no file may be larger"), "{}", stderr(&output));
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
    assert!(stderr(&output).contains("name another directory with --temp-dir"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(&disk).unwrap().count(), 0);
    assert_eq!(fs::read_dir(directory.path().join("results")).unwrap().count(), 0);
}

/// An interrupted run takes its temporary directory with it.
#[test]
fn an_interrupted_run_clears_up() {
    for signal in ["INT", "TERM"] {
        let directory = articles("a.jsonl", 2_000_000);
        let out = directory.path().join("results");
        let mut child = Command::new(env!("CARGO_BIN_EXE_twicetold"))
            .args(["scan", "a.jsonl", "-q", "--out", "results"])
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let writes = || fs::read_dir(&out).is_ok_and(|mut entries| entries.next().is_some());
        while !writes() && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let killed = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        let ended = child.wait().unwrap();
        let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        // It may have been done already.
        match ended.code() {
            Some(0) => assert!(left.iter().any(|name| name == "run.json"), "{left:?}"),
            code => {
                assert_eq!(code, Some(130));
                assert!(left.is_empty(), "{left:?}");
            }
        }
    }
}

/// A run may be killed at any moment: what is in the output directory is the
/// earlier result or the new one as a whole.
#[test]
fn a_killed_run_leaves_a_whole_result() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (name, seed) in [("a", 1), ("b", 2)] {
        write_articles(&at(&format!("{name}.jsonl")), seed, 150_000);
    }
    let scan = |name: &str, out: &str| -> Vec<String> {
        ["scan", name, "-q", "--top", "0", "--out", out].map(str::to_owned).to_vec()
    };
    let read = |out: &str| results(&at(out));
    let (mut whole, mut longest) = (Vec::new(), 0);
    for name in ["a", "b"] {
        let started = Instant::now();
        let args = scan(&format!("{name}.jsonl"), name);
        let output = run(directory.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        whole.push(read(name));
        longest = longest.max(started.elapsed().as_micros() as usize);
    }
    assert!(whole[0] != whole[1]);
    let kills = std::env::var("TWICETOLD_KILLS").map_or(40, |kills| kills.parse().unwrap());
    let mut random = generate::Random(7);
    let (mut seen, mut now) = ([0; 2], 2);
    for number in 0..kills {
        let next = number % 2;
        let mut child = Command::new(env!("CARGO_BIN_EXE_twicetold"))
            .args(scan(["a.jsonl", "b.jsonl"][next], "out"))
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Some are killed early, some late, and some are done, on slow machines too.
        std::thread::sleep(Duration::from_micros(random.below(2 * longest) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        // Whoever opens the results ends what was begun.
        let output = run(directory.path(), &["families", "out"]);
        if status(&output) != 0 {
            assert!(now == 2 && !at("out/documents.jsonl").exists(), "{}", stderr(&output));
            continue;
        }
        let mut found = read("out");
        found.retain(|name, _| !name.starts_with(".twicetold-"));
        now =
            (0..2).find(|&of| found == whole[of]).unwrap_or_else(|| panic!("a mixture: {:?}", found.keys()));
        seen[now] += 1;
    }
    assert!(kills < 40 || seen[0] > 0 && seen[1] > 0, "{seen:?}");
    // The next whole run clears up.
    let args = scan("a.jsonl", "out");
    let output = run(directory.path(), &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let mut left = read("out");
    // One that was killed before it had a lock is left alone for a minute.
    let dead = |name: &str| at(&format!("out/{name}/.twicetold-lock")).exists();
    left.retain(|name, _| !name.starts_with(".twicetold-") || dead(name));
    assert!(left == whole[0], "nothing else is left: {:?}", left.keys());
}

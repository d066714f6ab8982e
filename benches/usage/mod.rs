//! What one piece of work takes of the machine.

#![allow(dead_code, reason = "each bench uses a part")]

use std::process::{Command, Stdio};
use std::time::Instant;

/// Processor time, the part of it that the system took, and wall time in seconds;
/// bytes of memory at most above what was in use before.
pub struct Usage {
    pub cpu: f64,
    pub system: f64,
    pub wall: f64,
    pub peak: f64,
}

impl Usage {
    /// Measures some work, where the system tells.
    pub fn of<T>(work: impl FnOnce() -> T) -> (T, Option<Usage>) {
        // What was used before is forgotten, where the system can.
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        let (before, start) = (Reading::now(), Instant::now());
        let made = work();
        let wall = start.elapsed().as_secs_f64();
        let usage = before.zip(Reading::now()).map(|(before, after)| Usage {
            cpu: after.cpu - before.cpu,
            system: after.system - before.system,
            wall,
            peak: after.peak - before.resident,
        });
        (made, usage)
    }
}

/// What is said where there is no such system.
pub const UNKNOWN: &str = "processor time and memory are read from /proc, which is absent";

/// Runs this bench anew in a process of its own, with an environment variable that
/// says what to measure: memory that was used once is not always given back
/// before the next measurement. Returns what it prints.
pub fn alone(variable: &str, value: &str) -> String {
    let this = std::env::current_exe().expect("a path");
    let child = Command::new(this).env(variable, value).stderr(Stdio::inherit()).output().expect("it starts");
    assert!(child.status.success(), "{value}: {}", child.status);
    String::from_utf8(child.stdout).expect("UTF-8")
}

/// Processor time of this process, its own and what the system did for it, and the
/// same of all programs that it started and that ended.
pub fn seconds() -> Option<[f64; 4]> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the name in parentheses, in ticks of 10 ms.
    let ticks = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let seconds: Vec<f64> =
        ticks.map_while(|ticks| ticks.parse().ok()).map(|ticks: f64| ticks / 100.0).collect();
    seconds.first_chunk().copied()
}

/// What the system says of this process.
struct Reading {
    cpu: f64,
    system: f64,
    /// Bytes now, and at most so far.
    resident: f64,
    peak: f64,
}

impl Reading {
    fn now() -> Option<Reading> {
        let [user, system, ..] = seconds()?;
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kilobytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Some(Reading {
            cpu: user + system,
            system,
            resident: kilobytes("VmRSS")? * 1024.0,
            peak: kilobytes("VmHWM")? * 1024.0,
        })
    }
}

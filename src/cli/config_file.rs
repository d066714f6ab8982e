//! A file with settings, which flags override.
//!
//! Its keys are the long names of flags. At the top they hold for every command
//! that has the flag, in a table named like a command for that one. They are
//! put among the arguments where the user gave no such flag, so that one parser
//! judges both.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{ArgAction, Command};
use toml::{Table, Value};

/// Flags that make each other pointless: one given by the user outdoes the
/// others of the file.
const RIVALS: [&[&str]; 2] = [&["sensitivity", "shingle", "window"], &["quiet", "verbose"]];

/// The arguments with those of the file that `--config` names, if it is given.
///
/// # Errors
///
/// If the file cannot be read, or holds something that is no flag.
pub(crate) fn with_file(command: impl FnOnce() -> Command, args: Vec<OsString>) -> Result<Vec<OsString>> {
    let Some(path) = named(&args) else { return Ok(args) };
    let path = Path::new(&path);
    let read = || -> Result<Vec<OsString>> {
        let table: Table = fs::read_to_string(path)?.parse()?;
        insert(&command(), args, &table)
    };
    read().with_context(|| format!("cannot use the settings in {}", path.display()))
}

fn named(args: &[OsString]) -> Option<OsString> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let bytes = arg.as_encoded_bytes();
        if bytes == b"--" {
            return None;
        } else if bytes == b"--config" {
            return args.next().cloned();
        } else if let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    None
}

fn insert(command: &Command, mut args: Vec<OsString>, table: &Table) -> Result<Vec<OsString>> {
    let is_command = |arg: &&OsString| command.find_subcommand(arg.as_os_str()).is_some();
    let chosen = args.iter().find(is_command).and_then(|name| command.find_subcommand(name));
    let at = chosen
        .and_then(|chosen| args.iter().position(|arg| arg.as_os_str() == OsStr::new(chosen.get_name())));
    let mut added: Vec<OsString> = Vec::new();
    for (key, value) in table {
        if let Value::Table(inner) = value {
            let Some(of) = command.find_subcommand(key) else {
                bail!(
                    "`[{key}]` is no command; there are: {}",
                    names(command.get_subcommands().map(Command::get_name))
                );
            };
            for (key, value) in inner {
                add(
                    &mut added,
                    &args,
                    (command, of),
                    key,
                    value,
                    chosen.map(Command::get_name) == Some(of.get_name()),
                )?;
            }
        } else {
            let mut holders = command.get_subcommands().filter(|of| flag(command, of, key).is_some());
            let Some(any) = holders.next() else { bail!("{}", unknown(command, key)) };
            let of = chosen.filter(|of| flag(command, of, key).is_some());
            add(&mut added, &args, (command, of.unwrap_or(any)), key, value, of.is_some())?;
        }
    }
    if let Some(at) = at {
        args.splice(at + 1..at + 1, added);
    }
    Ok(args)
}

fn flag<'a>(command: &'a Command, of: &'a Command, key: &str) -> Option<&'a clap::Arg> {
    let mut all = of.get_arguments().chain(command.get_arguments());
    all.find(|arg| arg.get_long() == Some(key) && key != "config" && key != "help")
}

fn unknown(command: &Command, key: &str) -> String {
    let all = command.get_subcommands().flat_map(Command::get_arguments).filter_map(clap::Arg::get_long);
    let alike = all.map(|name| (strsim::damerau_levenshtein(name, key), name)).min();
    match alike.filter(|(distance, name)| *distance <= name.len() / 3) {
        Some((_, name)) => format!("`{key}` is no flag; did you mean `{name}`?"),
        None => format!("`{key}` is no flag; the keys are the long names of flags"),
    }
}

/// Adds one setting, if it is `wanted` and the user did not decide it.
fn add(
    added: &mut Vec<OsString>,
    args: &[OsString],
    (command, of): (&Command, &Command),
    key: &str,
    value: &Value,
    wanted: bool,
) -> Result<()> {
    let Some(flag) = flag(command, of, key) else { bail!("{}", unknown(command, key)) };
    let is_switch = matches!(flag.get_action(), ArgAction::SetTrue);
    let values: Vec<String> = match value {
        Value::Boolean(on) if is_switch => match on {
            true => vec![String::new()],
            false => Vec::new(),
        },
        _ if is_switch => bail!("`{key}` is true or false"),
        Value::Array(values) => values.iter().map(|value| text(key, value)).collect::<Result<_>>()?,
        value => vec![text(key, value)?],
    };
    let given = |name: &str| {
        let long = format!("--{name}");
        args.iter().filter_map(|arg| arg.to_str()).any(|arg| {
            arg.strip_prefix(long.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    let outdone = RIVALS.iter().filter(|rivals| rivals.contains(&key)).flat_map(|rivals| rivals.iter());
    if wanted && !given(key) && !outdone.into_iter().any(|rival| given(rival)) {
        for value in values {
            added.push(if is_switch { format!("--{key}") } else { format!("--{key}={value}") }.into());
        }
    }
    Ok(())
}

fn text(key: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        _ => bail!("`{key}` is a text, a number, or a list of them"),
    }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Args;

    fn merged(args: &str, file: &str) -> Result<String> {
        let args = args.split(' ').map(OsString::from).collect();
        let merged = insert(&Args::command(), args, &file.parse().unwrap())?;
        Ok(merged.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn flags_override_the_file() {
        let file = "min-tokens = 12\nquiet = true\nglob = ['*.a', '*.b']\n[scan]\ntop = 3\n[clean]\ndrop = 'stock'\n";
        let found = merged("twicetold scan --top=5 x", file).unwrap();
        assert_eq!(found, "twicetold scan --glob=*.a --glob=*.b --min-tokens=12 --quiet --top=5 x");
        assert_eq!(
            merged("twicetold clean r --drop repeat", file).unwrap(),
            "twicetold clean --quiet r --drop repeat"
        );
        assert_eq!(
            merged("twicetold scan --sensitivity high", "shingle = 7").unwrap(),
            "twicetold scan --sensitivity high"
        );
        assert_eq!(merged("twicetold scan", "hidden = false").unwrap(), "twicetold scan");
    }

    #[test]
    fn what_is_no_flag_is_named() {
        let error = |file: &str| merged("twicetold scan x", file).unwrap_err().to_string();
        assert!(error("min-token = 12").contains("did you mean `min-tokens`"));
        assert!(error("[scna]\ntop = 1").contains("`[scna]` is no command"));
        assert!(error("[clean]\ndorp = 'stock'").contains("did you mean `drop`"));
        assert!(error("hidden = 1").contains("true or false"));
    }
}

//! Where there is no heap on disk: it needs 64 bits and Linux.
#![expect(unsafe_code, reason = "it stands for an allocator, which is unsafe to call")]

use std::io;
use std::path::Path;

use anyhow::{Result, bail};

/// Nothing of the kind.
pub(crate) enum Spill {}

impl Spill {
    pub(crate) fn new(_: &Path) -> Result<&'static Spill> {
        bail!("memory is bounded on 64-bit Linux only")
    }

    pub(crate) fn heap(&self) -> &Spill {
        match *self {}
    }

    pub(crate) unsafe fn malloc(&self, _: usize, _: usize) -> *mut u8 {
        match *self {}
    }

    pub(crate) unsafe fn realloc(&self, _: *mut u8, _: usize, _: usize, _: usize) -> *mut u8 {
        match *self {}
    }

    pub(crate) unsafe fn free(&self, _: *mut u8, _: usize, _: usize) {
        match *self {}
    }

    pub(crate) fn holds(&self, _: *mut u8) -> bool {
        match *self {}
    }

    pub(crate) fn bytes(&self) -> usize {
        match *self {}
    }

    pub(crate) fn refused(&self) -> &'static str {
        match *self {}
    }

    pub(crate) fn watch(&self, _: usize) -> io::Result<()> {
        match *self {}
    }
}

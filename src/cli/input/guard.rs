//! Panics of other packages on files made to break them.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a reader that may panic, and returns what it said if it did. What it was
/// given must not be used after that, or must be sound at any time.
pub(crate) fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    let before = GUARDED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(before);
    done.map_err(message)
}

fn message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason given".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_says_is_returned() {
        assert_eq!(guarded(|| 7), Ok(7));
        let number = std::hint::black_box(3);
        assert_eq!(
            guarded(|| assert!(number > 3, "{number} is too little")),
            Err("3 is too little".to_owned())
        );
        assert!(guarded(|| guarded(|| [0; 3][number]).is_err()).is_ok_and(|failed| failed));
    }
}

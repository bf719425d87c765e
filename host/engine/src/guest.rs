//! What the host keeps for one instance: what it may still use up, and what it wrote.

use std::time::{Duration, Instant};

use wasmtime::{ResourceLimiter, Result};

use crate::bindings::{log, types};
use crate::failure::Forbidden;
use crate::limits::Limits;
use crate::text::tame;

/// The data of one instance's store.
pub(crate) struct Guest {
    memory_left: usize,
    memory_used: usize,
    tables_left: usize,
    refused_memory: bool,
    /// When it ran on after the free part of its time.
    counted_from: Option<Instant>,
    notebook: Notebook,
}

#[cfg(test)]
thread_local! {
    /// The most memory that an instance had on this thread, for tests that measure.
    pub(crate) static PEAK: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What becomes of notes.
pub(crate) enum Notebook {
    /// Writing is an error.
    Forbidden,
    /// Nobody would read them.
    Dropped,
    /// They are kept with the decision: those that there are, how many more, and how long one may be.
    Kept {
        notes: Vec<String>,
        more: usize,
        bytes: usize,
    },
}

impl Notebook {
    pub(crate) fn kept(limits: &Limits) -> Self {
        Self::Kept {
            notes: Vec::new(),
            more: limits.notes,
            bytes: limits.note_bytes,
        }
    }
}

impl Guest {
    pub(crate) fn new(limits: &Limits, notebook: Notebook) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            memory_used: 0,
            tables_left: limits.table_elements,
            refused_memory: false,
            counted_from: None,
            notebook,
        }
    }

    /// Lets the instance have `bytes` of memory more than it is meant to have.
    pub(crate) fn grant_memory(&mut self, bytes: usize) {
        self.memory_left += bytes;
    }

    /// Notes that the free part of its time is over; false if that was noted before, and so all of it is.
    pub(crate) fn begin_to_count(&mut self) -> bool {
        let is_first = self.counted_from.is_none();
        self.counted_from.get_or_insert_with(Instant::now);
        is_first
    }

    /// As if it had not run so far.
    pub(crate) fn count_anew(&mut self) {
        self.counted_from = None;
    }

    /// How long it ran beyond what is free.
    pub(crate) fn used(&self) -> Duration {
        self.counted_from
            .map_or(Duration::ZERO, |from| from.elapsed())
    }

    /// The memory that it has, in bytes. It can give none back, so it never had more.
    pub(crate) fn memory_used(&self) -> usize {
        self.memory_used
    }

    /// Whether it was denied memory.
    pub(crate) fn was_refused_memory(&self) -> bool {
        self.refused_memory
    }

    /// What happens to notes from here on.
    pub(crate) fn set_notebook(&mut self, notebook: Notebook) {
        self.notebook = notebook;
    }

    /// What it wrote.
    pub(crate) fn into_notes(self) -> Vec<String> {
        match self.notebook {
            Notebook::Kept { notes, .. } => notes,
            Notebook::Forbidden | Notebook::Dropped => Vec::new(),
        }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let fits = take(&mut self.memory_left, current, desired);
        self.refused_memory |= !fits;
        if fits {
            self.memory_used += desired.saturating_sub(current);
            #[cfg(test)]
            PEAK.with(|peak| peak.set(peak.get().max(self.memory_used)));
        }
        Ok(fits)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(take(&mut self.tables_left, current, desired))
    }
}

fn take(left: &mut usize, current: usize, desired: usize) -> bool {
    match left.checked_sub(desired.saturating_sub(current)) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    }
}

impl types::Host for Guest {}

impl log::Host for Guest {
    fn write(&mut self, message: String) -> Result<()> {
        match &mut self.notebook {
            Notebook::Forbidden => Err(Forbidden.into()),
            Notebook::Kept { notes, more, bytes } if *more > 0 => {
                *more -= 1;
                notes.push(tame(&message, *bytes));
                Ok(())
            }
            Notebook::Kept { .. } | Notebook::Dropped => Ok(()),
        }
    }
}

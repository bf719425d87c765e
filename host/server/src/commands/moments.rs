//! Instants, as people read them.

use countersign_core::time::{Clock as _, SystemClock, Timestamp};

use super::terminal::Plain;
use crate::console::Moment;

/// An instant, exactly and seen from now.
pub fn when(at: Timestamp) -> Plain {
    let moment = Moment::new(at, SystemClock.now());
    Plain::new(&format!("{} ({})", moment.exact, moment.distance))
}

/// Instants in a table: seen from now, and exactly where there is room for both.
pub struct Moments {
    now: Timestamp,
    is_roomy: bool,
}

/// From this width on a table has room for exact times.
const ROOMY: usize = 170;

impl Moments {
    /// For a table of this width, now.
    pub fn now(width: Option<usize>) -> Self {
        Self {
            now: SystemClock.now(),
            is_roomy: width.is_none_or(|width| width >= ROOMY),
        }
    }

    /// An instant.
    pub fn cell(&self, at: Timestamp) -> Plain {
        let moment = Moment::new(at, self.now);
        match self.is_roomy {
            true => Plain::new(&format!("{} ({})", moment.exact, moment.distance)),
            false => Plain::new(&moment.distance),
        }
    }

    /// An instant, or what its absence means.
    pub fn cell_or(&self, at: Option<Timestamp>, absent: &str) -> Plain {
        at.map_or_else(|| Plain::new(absent), |at| self.cell(at))
    }
}

//! A recorded decision.

use countersign_core::decision::Decision;
use countersign_core::id::DecisionId;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::time::Timestamp;
use countersign_core::verdict::{Judgement, Opinion, Ruling, Took};
use serde::Deserialize;

/// What is asked again of a decision, and what it is held against. As JSON it is what `GET /decisions/{id}`
/// answers, which is a line of an export.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Line")]
pub struct Record {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// What the policies were asked; absent where the core judged alone.
    pub question: Option<Question>,
    /// What they said.
    pub judgement: Judgement,
}

impl Record {
    /// Whether no policy was asked.
    pub fn is_of_the_core(&self) -> bool {
        self.question.is_none() || self.judgement.generation == 0
    }
}

/// Something that a record is made of. That is work, so each thread does it for those that it asks about.
pub trait Taken: Send {
    /// The record, or in one sentence why this version understands none.
    fn record(self) -> Result<Record, String>;

    /// How many bytes it holds, about.
    fn length(&self) -> usize {
        0
    }
}

impl Taken for Record {
    fn record(self) -> Result<Self, String> {
        Ok(self)
    }
}

impl From<Decision> for Record {
    fn from(decision: Decision) -> Self {
        Self {
            id: decision.id,
            at: decision.at,
            question: decision.question,
            judgement: decision.judgement,
        }
    }
}

/// The members that count. Others are passed over, so that a later version's export is understood.
#[derive(Deserialize)]
struct Line {
    id: DecisionId,
    at: Timestamp,
    #[serde(default)]
    question: Option<Question>,
    class: CallerClass,
    policy_generation: u64,
    ruling: Ruling,
    #[serde(default)]
    opinions: Vec<Opinion>,
    #[serde(default)]
    duration_us: Took,
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            at: line.at,
            question: line.question,
            judgement: Judgement {
                generation: line.policy_generation,
                class: line.class,
                ruling: line.ruling,
                opinions: line.opinions,
                took: line.duration_us,
            },
        }
    }
}

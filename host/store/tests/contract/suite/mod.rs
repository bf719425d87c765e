//! The contract, by noun. Time is what the tests say it is.

mod ahead;
mod approvals;
mod audit;
mod cast;
mod decisions;
mod deprovision;
mod descendants;
mod draining;
mod durability;
mod endings;
mod events;
mod generations;
mod grants;
mod holdings;
mod keys;
mod lost;
mod mints;
mod people;
mod quorums;
mod removals;
mod reviews;
mod rush;
mod secrets;
mod sessions;
mod settling;
mod shadow;
mod signatures;
mod states;
mod tallies;
mod tokens;
mod usage;
mod votes;
mod workspace_tokens;
mod workspaces;
mod world;

use super::{Database, Store};

//! `countersign policy verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is verified, and how hard.
#[derive(Args, Debug)]
pub struct Verify {
    /// The component, or `builtin`; its settings are read from a .toml of the same name beside it
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// A file of settings, in place of the one beside the component
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// A file of cases, whose properties must hold as well; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub properties: Vec<PathBuf>,
    /// How much is asked
    #[arg(long, value_enum, default_value = "normal")]
    pub effort: Effort,
    /// What is drawn at random, is drawn by it
    #[arg(long, value_name = "NUMBER", default_value_t = countersign_lab::verify::SEED)]
    pub seed: u64,
    /// Findings as JSON, on standard output
    #[arg(long)]
    pub json: bool,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Effort {
    /// One row in ten is swept, and a tenth is drawn
    Quick,
    /// Some seconds for a module of ours
    Normal,
    /// Ten times as much at random
    Thorough,
}

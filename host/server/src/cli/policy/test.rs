//! What can be said to test a policy by its cases.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

const MORE: &str = "\
Without CASES the cases are those of FILE.cases.toml beside FILE.wasm, and those that the component
carries. The latter run with the module's defaults, as a host runs them when it loads the module; those
of files run with the settings beside the component (FILE.toml), or with --settings. What a case sets
itself comes on top. The format is explained in docs/policies.md.

Exit codes:
  0  every case holds
  1  a case does not hold
  2  the command, the component, the settings or a file of cases was not understood, or there is no case

Examples:
  countersign policy test freeze.wasm
  countersign policy test freeze.wasm night.toml weekend.toml --settings strict.toml
  countersign policy test freeze.wasm --filter '*mint*' --watch
  countersign policy test freeze.wasm --quiet --junit results.xml
  countersign policy test freeze.wasm --json | jq '.cases[] | select(.passed | not).name'
";

/// What is tested, by what, and how it is told.
#[derive(Args, Debug)]
#[command(after_help = MORE)]
pub struct Test {
    /// The component
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// Files of cases [default: FILE.cases.toml beside the component, and those that it carries]
    #[arg(value_name = "CASES")]
    pub cases: Vec<PathBuf>,
    /// Settings for the module [default: FILE.toml beside the component, if it is there]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Only cases whose whole name fits; `*` stands for any text. May be given several times
    #[arg(long, value_name = "PATTERN")]
    pub filter: Vec<String>,
    /// Write the result as JSON
    #[arg(long, conflicts_with_all = ["quiet", "watch"])]
    pub json: bool,
    /// Write the result for continuous integration as well, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Run again whenever the component, the settings or a file of cases changes, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Say nothing where every case holds
    #[arg(long, short)]
    pub quiet: bool,
    /// Whether to use colours; `auto` is on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

//! `countersign policy matrix` and `diff`, as they are written.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal, in colours where one is there
    #[default]
    Terminal,
    /// For a document or a pull request
    Markdown,
    /// One page, complete in itself
    Html,
    /// For a spreadsheet
    Csv,
    /// For a program
    Json,
}

/// Where what is shown goes, and how.
#[derive(Args, Clone, Debug)]
pub struct Shown {
    /// How it is shown
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write it there instead of on standard output
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Never in colours
    #[arg(long, env = "NO_COLOR", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub no_color: bool,
}

/// Which rows of the exhaustive table are looked at.
#[derive(Args, Clone, Debug)]
pub struct Rows {
    /// These verbs alone; `*` stands for any characters (secret_*, several times for several)
    #[arg(long = "verb", value_name = "PATTERN")]
    pub verbs: Vec<String>,
    /// These credentials alone (*-token)
    #[arg(long = "credential", value_name = "PATTERN")]
    pub credentials: Vec<String>,
}

/// A module, and all of its answers.
#[derive(Args, Debug)]
#[command(after_help = "\
Rows that agree are one line: `any agent token · admin · not self` stands for six rows. Nothing is left
out. `csv` and `json` have a line for each row, unless --folded asks otherwise.
A host's operator may set how long gates live: --pending-seconds and --grant-seconds show them so.

Examples:
  countersign policy matrix two-people.wasm
  countersign policy matrix builtin --verb 'secret_*'
  countersign policy matrix two-people.wasm --format html --out two-people.html
")]
pub struct Matrix {
    /// The component, or `builtin` for the baseline in this program; settings are read from a .toml of the
    /// same name beside it
    #[arg(value_name = "COMPONENT")]
    pub component: PathBuf,
    /// Settings from here instead
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Which rows
    #[command(flatten)]
    pub rows: Rows,
    /// Fold csv and json, too
    #[arg(long)]
    pub folded: bool,
    /// How it is shown
    #[command(flatten)]
    pub shown: Shown,
}

/// Two modules, or one with two settings.
#[derive(Args, Debug)]
#[command(after_help = "\
What loosens comes first: a smaller verdict, fewer people or of more groups, a longer life, a caller who
is taken for more. Then what tightens, then what is only said otherwise. Lives are compared as on a host
whose operator set --pending-seconds and --grant-seconds, where these are given.

Exit codes:
  0  there is no difference
  1  there are differences, and nothing loosens
  3  something loosens, which is for a person to agree to
  2  it could not be compared

Examples:
  countersign policy diff builtin two-people.wasm
  countersign policy diff old.wasm new.wasm --format markdown
  countersign policy diff p.wasm p.wasm --settings-a today.toml --settings-b tomorrow.toml
  countersign policy diff old.wasm new.wasm --pending-seconds 86400
")]
pub struct Diff {
    /// What it was: a component, or `builtin`
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// What it would be: a component, or `builtin` [default: A, which --settings-b makes another]
    #[arg(value_name = "B")]
    pub after: Option<PathBuf>,
    /// Settings of A, instead of those beside it
    #[arg(long, value_name = "FILE")]
    pub settings_a: Option<PathBuf>,
    /// Settings of B, instead of those beside it
    #[arg(long, value_name = "FILE")]
    pub settings_b: Option<PathBuf>,
    /// Which rows
    #[command(flatten)]
    pub rows: Rows,
    /// How it is shown
    #[command(flatten)]
    pub shown: Shown,
}

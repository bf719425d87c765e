//! `countersign login`, as it is written.

use clap::Args;

/// How somebody signs in.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A session is the operator's: it can decide approvals. It lasts twelve hours, and is kept in
$XDG_CONFIG_HOME/countersign/session.json, which only you can read.

Examples:
  countersign login                             the host that runs on this machine's ./countersign-data
  countersign login --data-dir /var/lib/countersign
  countersign login --browser                   a link for a browser instead
  countersign login --link -                    a host elsewhere: paste the link that
                                                `countersign login --browser` gives there
")]
pub struct Login {
    /// The host's origin [default: the login link's]
    #[arg(value_name = "URL", env = "COUNTERSIGN_URL")]
    pub url: Option<String>,
    /// Make a one-time link for a browser instead, and sign in nobody here. The link is shown on a
    /// terminal only; elsewhere it goes to `login-link` in the data folder
    #[arg(long, conflicts_with = "link")]
    pub browser: bool,
    /// `-`: read a login link from standard input, for a host that runs elsewhere
    #[arg(long, value_name = "-")]
    pub link: Option<String>,
}

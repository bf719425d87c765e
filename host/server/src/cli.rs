//! The command line: what can be said. What it does is in `commands`, and for the host in `serve`.

mod access;
mod approvals;
mod audit;
mod decisions;
mod login;
mod policy;
mod tokens;

use clap::{Args as _, CommandFactory as _, Parser, Subcommand};

pub use self::access::Access;
pub use self::approvals::{ApprovalCommand, Decision, Named};
pub use self::audit::{AuditCommand, Export, Verify as VerifyAudit};
pub use self::decisions::{DecisionCommand, DecisionExport};
pub use self::login::Login;
pub use self::policy::{
    Bench, Build, Check, Color, Describe, Diff, Differences, Effort, Format, History,
    HostedCommand, Keygen, Matrix, Pin, PolicyCommand, Push, Replay, Rollback, Rows, SetMode,
    Shown, Sign, Test, Unpin, Verify, VerifySignature,
};
pub use self::tokens::{Mint, Revoke, TokenCommand};
use crate::config::Flags;

/// The flags of the host that commands for people have a use for as well.
const SHARED_FLAGS: [&str; 2] = ["config", "data_dir"];

/// The commands that run no host; how one is run is none of their help's business.
const CLIENTS: [&str; 8] = [
    "login",
    "logout",
    "token",
    "approval",
    "audit",
    "decision",
    "policy",
    "completions",
];

const EXIT_CODES: &str = "\
Exit codes of the commands that talk to a host:
  0  done
  1  refused, or failed: the sentence says why and what to do
  2  the command was not understood
  3  it waits for a person: nothing was done yet
  4  a policy or a person said no
  5  not signed in, or the token is not valid
  6  the host cannot be reached, or cannot work now: try again later
  7  the approval has ended: expired, withdrawn, lapsed or revoked

Examples:
  countersign                                   run the host
  countersign login                             sign in, on the host's machine
  countersign approval list                     what waits for people
  countersign approval approve <ID>             read it, and say yes
  TOKEN=$(countersign token mint --name ci --wait)
";

/// Puts a person between an agent and a privileged action.
///
/// Without a command, `countersign` serves: HTTP on 127.0.0.1:8080, SQLite and keys in
/// ./countersign-data, the built-in policy `baseline`. It says where to sign in.
#[derive(Parser, Debug)]
#[command(
    name = "countersign",
    version,
    max_term_width = 100,
    after_help = EXIT_CODES,
    subcommand_help_heading = "Commands"
)]
pub struct Cli {
    /// Where things are
    #[command(flatten, next_help_heading = "Settings of the host")]
    pub flags: Flags,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the host (the default)
    Serve,
    /// Sign in to a host, for the commands below
    Login(Login),
    /// End the session of `login`
    Logout,
    /// Mint, list and revoke the organisation's tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// See what waits for people, decide it, or wait for it
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// Take the audit log along, and check one
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Take recorded decisions along
    #[command(subcommand)]
    Decision(DecisionCommand),
    /// Work on policy modules alone, with no server and no database; or on those of a host
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look at the configuration without starting anything
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Replace the key that stored secrets are sealed with
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Look for what is wrong, and say what to do about it
    ///
    /// Looks at the configuration, the data folder, the key, the database, the policies, the clock, the
    /// disk, the control plane, the running host and the session of `login`; changes none of them.
    /// Ends with 0 where nothing is wrong, else with 1.
    Doctor,
    /// Write completions for a shell
    #[command(after_help = "\
Examples:
  countersign completions bash > /etc/bash_completion.d/countersign
  countersign completions zsh  > \"${fpath[1]}/_countersign\"
  countersign completions fish > ~/.config/fish/completions/countersign.fish
")]
    Completions {
        /// Which one
        #[arg(value_name = "SHELL")]
        shell: CompletedShell,
    },
}

/// The shells that completions are written for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum CompletedShell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// What can be done with the keys.
#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// Replace the key in the data folder, or take the new one from SECRETS_ENCRYPTION_KEY and the former
    /// from SECRETS_ENCRYPTION_KEY_OLD, and seal every secret again. The host of this data folder must be
    /// stopped. Interrupted at any moment, it goes on when it is run again
    Rotate,
}

/// What can be done with the configuration.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Explain every mistake, or say what would be used and where each value comes from
    Check,
}

/// The command line's grammar. The host's settings are understood everywhere, so that `countersign
/// --data-dir D login` and `countersign login --data-dir D` are one; the help of commands that do not run
/// a host leaves them out.
pub fn grammar() -> clap::Command {
    let mut grammar = Cli::command();
    grammar.build();
    let settings: Vec<String> = settings().map(|arg| arg.get_id().to_string()).collect();
    let is_noise = |arg: &clap::Arg| {
        let id = arg.get_id().as_str();
        settings.iter().any(|setting| setting == id) && !SHARED_FLAGS.contains(&id)
    };
    CLIENTS.into_iter().fold(grammar, |grammar, name| {
        grammar.mut_subcommand(name, |command| without(command, &is_noise))
    })
}

fn without(command: clap::Command, is_noise: &impl Fn(&clap::Arg) -> bool) -> clap::Command {
    let command = command.mut_args(|arg| match is_noise(&arg) {
        true => arg.hide(true),
        false => arg,
    });
    command.mut_subcommands(|command| without(command, is_noise))
}

/// The host's settings that are flags, as the command line knows them.
pub fn settings() -> impl Iterator<Item = clap::Arg> {
    let flags = Flags::augment_args(clap::Command::new("settings"));
    let arguments: Vec<clap::Arg> = flags.get_arguments().cloned().collect();
    arguments.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(path: &[&str]) -> String {
        let mut command = grammar();
        for name in path {
            command = command
                .find_subcommand(name)
                .unwrap_or_else(|| panic!("there is a command `{name}`"))
                .clone();
        }
        command.render_long_help().to_string()
    }

    #[test]
    fn the_grammar_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_hosts_settings_are_in_the_help_of_what_runs_a_host_alone() {
        for host in [&[][..], &["serve"], &["doctor"], &["config", "check"]] {
            assert!(help(host).contains("--database-url"), "{host:?}");
        }
        for client in [&["login"][..], &["token", "mint"], &["approval", "list"]] {
            assert!(!help(client).contains("--database-url"), "{client:?}");
            assert!(help(client).contains("--data-dir"), "{client:?}");
        }
    }

    #[test]
    fn the_hosts_settings_are_understood_before_and_after_a_command() {
        for line in [
            ["countersign", "--data-dir", "d", "approval", "list"],
            ["countersign", "approval", "list", "--data-dir", "d"],
        ] {
            let cli = Cli::try_parse_from(line).expect("understood");
            assert_eq!(cli.flags.data_dir, Some("d".into()), "{line:?}");
            grammar().try_get_matches_from(line).expect("understood");
        }
    }

    #[test]
    fn whoever_reads_the_help_learns_the_exit_codes_and_sees_examples() {
        let text = help(&[]);
        assert!(text.contains("it waits for a person"), "{text}");
        for command in [
            &["login"][..],
            &["token", "mint"],
            &["token", "revoke"],
            &["approval", "approve"],
            &["approval", "wait"],
            &["audit", "export"],
            &["decision", "export"],
            &["policy", "replay"],
            &["completions"],
            &["policy", "test"],
        ] {
            assert!(help(command).contains("Examples:"), "{command:?}");
        }
    }
}

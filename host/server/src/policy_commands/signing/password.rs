//! A password, from the terminal, unseen.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::commands::failure::Failure;
use crate::config::Hidden;

/// The longest password; `minisign` takes no longer one.
const MOST: u64 = 1_024;

/// One that is there already.
pub fn password(prompt: &str) -> Result<Hidden, Failure> {
    let mut terminal = Terminal::open()?;
    terminal.ask(prompt)
}

/// A new one, twice.
pub fn fresh_password() -> Result<Hidden, Failure> {
    let mut terminal = Terminal::open()?;
    let password = terminal.ask("Password for the secret key: ")?;
    if password.reveal().is_empty() {
        return Err(Failure::usage(
            "an empty password protects nothing: choose one, or say --no-password",
        ));
    }
    let again = terminal.ask("The same password again: ")?;
    match password.reveal() == again.reveal() {
        true => Ok(password),
        false => Err(Failure::failed(
            "the two passwords are not the same: nothing was written",
        )),
    }
}

/// The terminal of whoever typed the command, wherever its input and output go.
struct Terminal {
    reader: BufReader<File>,
    writer: File,
}

impl Terminal {
    fn open() -> Result<Self, Failure> {
        let none = |_: io::Error| {
            Failure::usage(
                "a password is needed, and there is no terminal to ask for it: run this at one, or use a key that was made with --no-password",
            )
        };
        let writer = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(none)?;
        let reader = BufReader::new(writer.try_clone().map_err(none)?);
        Ok(Self { reader, writer })
    }

    fn ask(&mut self, prompt: &str) -> Result<Hidden, Failure> {
        let cannot =
            |error: io::Error| Failure::failed(format!("cannot ask for a password: {error}"));
        let mut screen = &self.writer;
        let _unseen = Unseen::of(screen).map_err(cannot)?;
        screen.write_all(prompt.as_bytes()).map_err(cannot)?;
        let mut line = String::new();
        let mut reader = (&mut self.reader).take(MOST + 1);
        let read = reader.read_line(&mut line);
        let line = Hidden::new(line);
        let _ = screen.write_all(b"\n");
        if read.map_err(cannot)? == 0 {
            return Err(Failure::failed("no password was typed"));
        }
        if line.reveal().len() as u64 > MOST {
            return Err(Failure::usage(format!(
                "a password has {MOST} bytes at most"
            )));
        }
        Ok(Hidden::new(
            line.reveal().trim_end_matches(['\n', '\r']).to_owned(),
        ))
    }
}

/// While it stands, what is typed does not show.
struct Unseen<'t> {
    terminal: &'t File,
    before: Termios,
}

impl<'t> Unseen<'t> {
    fn of(terminal: &'t File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        // Not with what was typed thrown away: some type ahead, and some are programs.
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

//! The host's side of the compiler's process.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::engine::Counting;
use crate::text::tame;
use crate::{Engine, Limits, LoadError};

/// What makes a process the compiler: its first argument.
pub(super) const COMMAND: &str = "compile-policy-component";

/// The last byte of an answer that is machine code. At the end it also says that nothing is missing.
pub(super) const WORKED: u8 = b'+';
/// The last byte of an answer that is a sentence.
pub(super) const REFUSED: u8 = b'-';

/// What the code that is made counts, on the command line.
const FUEL: &str = "fuel";
const NOTHING: &str = "nothing";

/// What the compiler is told on its command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) image_bytes: usize,
    pub(super) memory_bytes: u64,
    pub(super) cpu_seconds: u64,
    pub(super) counting: Counting,
}

impl Order {
    fn new(limits: &Limits, counting: Counting) -> Self {
        Self {
            counting,
            image_bytes: limits.memory_bytes,
            memory_bytes: limits.compile_bytes as u64,
            cpu_seconds: limits.compile_time.as_secs(),
        }
    }

    fn arguments(&self) -> [String; 5] {
        let numbers = [self.image_bytes as u64, self.memory_bytes, self.cpu_seconds];
        let [image, memory, cpu] = numbers.map(|number| number.to_string());
        let counting = match self.counting {
            Counting::Fuel => FUEL,
            Counting::Nothing => NOTHING,
        };
        [COMMAND, &image, &memory, &cpu, counting].map(str::to_owned)
    }

    /// The arguments after the first.
    pub(super) fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let order = Self {
            image_bytes: arguments.next()?.parse().ok()?,
            memory_bytes: arguments.next()?.parse().ok()?,
            cpu_seconds: arguments.next()?.parse().ok()?,
            counting: match arguments.next()?.as_str() {
                FUEL => Counting::Fuel,
                NOTHING => Counting::Nothing,
                _ => return None,
            },
        };
        arguments.next().is_none().then_some(order)
    }
}

/// The machine code of `component`, made by `program`.
pub(super) fn compile(
    program: &Path,
    component: &[u8],
    engine: &Engine,
) -> Result<Vec<u8>, LoadError> {
    let limits = engine.limits();
    let order = Order::new(limits, engine.counting_what());
    let child = Command::new(program)
        .args(order.arguments())
        // What the host knows, tokens and keys among it, is none of the compiler's business.
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| LoadError::NoCompiler(error.to_string()))?;
    let (answer, status) = converse(child, component, limits)
        .map_err(|error| LoadError::NoCompiler(error.to_string()))?;
    let Some(mut answer) = answer else {
        return Err(LoadError::CompileTime(limits.compile_time.as_secs()));
    };
    if answer.len() > limits.code_bytes {
        return Err(LoadError::CompileMemory(limits.code_bytes >> 20));
    }
    if !status.success() {
        return Err(broken(status, limits));
    }
    match answer.pop() {
        Some(WORKED) => Ok(answer),
        Some(REFUSED) => {
            let sentence = String::from_utf8_lossy(&answer);
            Err(LoadError::Compile(tame(&sentence, 512)))
        }
        _ => Err(LoadError::CompilerBroke("it says nothing".to_owned())),
    }
}

/// Hands `component` over and takes the answer, which is `None` if it does not come in time.
fn converse(
    mut child: Child,
    component: &[u8],
    limits: &Limits,
) -> std::io::Result<(Option<Vec<u8>>, ExitStatus)> {
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (mut stdin, stdout) = pipes.expect("INVARIANT: both were asked for");
    let (said, heard) = mpsc::channel();
    std::thread::scope(|scope| {
        let speaker = std::thread::Builder::new().spawn_scoped(scope, move || {
            // One that has broken down takes nothing more in, and its status says so.
            let _ = stdin.write_all(component);
            drop(stdin);
            let mut answer = Vec::new();
            let _ = stdout
                .take(limits.code_bytes as u64 + 1)
                .read_to_end(&mut answer);
            let _ = said.send(answer);
        });
        if let Err(error) = speaker {
            // There is no thread to be had, and nobody to speak to the child.
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        // Its processor time is bounded by the kernel; this is for a machine that has none for it.
        let answer = heard.recv_timeout(deadline(limits)).ok();
        let is_over = answer
            .as_ref()
            .is_some_and(|answer| answer.len() <= limits.code_bytes);
        if !is_over {
            child.kill()?;
        }
        Ok((answer, child.wait()?))
    })
}

fn deadline(limits: &Limits) -> Duration {
    limits.compile_time * 2
}

fn broken(status: ExitStatus, limits: &Limits) -> LoadError {
    use rustix::process::Signal;
    use std::os::unix::process::ExitStatusExt as _;
    match status.signal() {
        Some(signal) if signal == Signal::XCPU.as_raw() => {
            LoadError::CompileTime(limits.compile_time.as_secs())
        }
        // Rust aborts where memory cannot be had.
        Some(signal) if signal == Signal::ABORT.as_raw() => {
            LoadError::CompileMemory(limits.compile_bytes >> 20)
        }
        _ => LoadError::CompilerBroke(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_arrives_as_it_was_given() {
        for counting in [Counting::Fuel, Counting::Nothing] {
            let order = Order::new(&Limits::default(), counting);
            let arguments = order.arguments().into_iter().skip(1);
            assert_eq!(Order::parse(arguments), Some(order));
        }
        for wrong in [
            &["1", "2", "3", "fuel", "5"][..],
            &["1", "2", "3", "4"],
            &["1", "2", "3"],
        ] {
            let words = wrong.iter().map(|word| (*word).to_owned());
            assert_eq!(Order::parse(words), None);
        }
    }
}

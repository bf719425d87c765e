//! What can go wrong, in sentences for the person who brought the module.

use std::path::PathBuf;

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A limit is out of its bounds.
    #[error("limit `{limit}` is {value}, and must be from {least} to {most}")]
    OutOfBounds {
        /// Its name in [`crate::Limits`].
        limit: &'static str,
        /// What it was set to; times are in milliseconds.
        value: u128,
        /// The least that it may be.
        least: u128,
        /// The most that it may be.
        most: u128,
    },
    /// The sandbox cannot be set up on this machine.
    #[error(
        "cannot set up the sandbox for policies: {0}; is the address space of this process limited?"
    )]
    Sandbox(String),
    /// The thread behind the deadlines cannot be started.
    #[error("cannot start the clock of the sandbox")]
    Clock(#[source] std::io::Error),
}

/// Why a module, or a set of modules, is not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The file is larger than [`crate::Limits::component_bytes`].
    #[error("the module is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The bytes are no component that this host can run.
    #[error("cannot compile it as a WebAssembly component: {0}")]
    Compile(String),
    /// Compiling it takes longer than [`crate::Limits::compile_time`].
    #[error(
        "compiling it takes more than {0} s: leave out what it does not need, or split its largest functions"
    )]
    CompileTime(u64),
    /// Compiling it takes more memory than [`crate::Limits::compile_bytes`], or makes more code than
    /// [`crate::Limits::code_bytes`].
    #[error(
        "compiling it takes more than {0} MiB: leave out what it does not need, or split its largest functions"
    )]
    CompileMemory(usize),
    /// The compiler broke down over it.
    #[error("the compiler broke down over it ({0}): build it anew with another toolchain")]
    CompilerBroke(String),
    /// The compiler's process cannot be started, which says nothing about the module.
    #[error("the compiler cannot be started: {0}; may this host start processes?")]
    NoCompiler(String),
    /// It asks for more than a policy is given.
    #[error(
        "it imports `{0}`, and a policy is given nothing but `countersign:policy/types@0.1.0` and `countersign:policy/log@0.1.0`"
    )]
    Import(String),
    /// It lacks an export of the contract, or has one of another type.
    #[error("it does not match `countersign:policy@0.1.0`: {0}")]
    Contract(String),
    /// `describe` failed, or the module cannot even be started.
    #[error("it cannot be described: {0}")]
    Describe(String),
    /// The manifest says what it must not.
    #[error("its manifest is wrong: {0}")]
    Manifest(String),
    /// The settings are malformed, too large, or name what the module does not know.
    #[error("its settings are wrong: {0}")]
    Settings(String),
    /// The module refused its settings.
    #[error("it refuses its settings: {0}")]
    Refused(String),
    /// `configure` failed.
    #[error("it cannot be configured: {0}")]
    Configure(String),
    /// Two modules of one name.
    #[error("more than one module is named `{0}`")]
    SameName(String),
    /// More modules than a generation may have.
    #[error("a set of {0} modules is too large")]
    TooMany(usize),
    /// No module of the classifier's name.
    #[error("no module is named `{0}`, which says what kind of caller asks")]
    NoClassifier(String),
    /// More counts than a generation may ask for.
    #[error("the modules ask for {0} different tallies together, which is too many")]
    TooManyTallies(usize),
    /// Its signature does not do, or it has none and needs one.
    #[error("{0}")]
    Signature(String),
    /// The cases that a module carries do not hold, or cannot be read.
    #[error("{0}")]
    Cases(String),
    /// A question that nobody answers.
    #[error("no module has a rule for `{verb}` here: {row}")]
    Uncovered {
        /// The verb.
        verb: String,
        /// The row of the exhaustive table.
        row: String,
    },
    /// Answering the whole table takes too long.
    #[error("the modules together take more than {0} s to answer the exhaustive table")]
    Slow(u64),
    /// A question on which a module fails.
    #[error("module `{module}` fails here: {row}: {failure}")]
    Fails {
        /// The module's name.
        module: String,
        /// The row of the exhaustive table.
        row: String,
        /// What happened.
        failure: String,
    },
}

/// Why the folder of policies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there.
    #[error("policy folder `{}` does not exist", .0.display())]
    Absent(PathBuf),
    /// It is something else.
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// It cannot be read.
    #[error("cannot read policy folder `{}`", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Too many modules.
    #[error("policy folder `{}` holds more than {most} modules", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
        /// How many it may hold.
        most: usize,
    },
    /// The thread that watches cannot be started.
    #[error("cannot start watching the policy folder")]
    Watch(#[source] std::io::Error),
    /// What decided when the host last ran cannot decide now, and the folder has nothing in its place.
    #[error(
        "the policies that decided last cannot be loaded, and what is in `{}` cannot stand in their place ({problem}): mend the folder, or take the broken file out of it",
        folder.display()
    )]
    Recorded {
        /// The folder.
        folder: PathBuf,
        /// What is wrong in it.
        problem: String,
        /// Why the recorded policies cannot be loaded.
        #[source]
        source: LoadError,
    },
    /// The modules that are there before the folder is read do not make a set.
    #[error("the built-in policies do not stand on their own")]
    BuiltIn(#[source] LoadError),
}

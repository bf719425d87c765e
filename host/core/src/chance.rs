//! Randomness as a port.

/// A source of bytes that nobody can predict.
pub trait Chance: Send + Sync {
    /// Fills `bytes`. A machine without randomness cannot run the host, so this does not fail: it panics.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's randomness.
pub struct OsChance;

impl Chance for OsChance {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks for randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("INVARIANT: the operating system provides randomness");
    }
}

/// `N` random bytes.
pub fn bytes<const N: usize>(chance: &dyn Chance) -> [u8; N] {
    let mut bytes = [0; N];
    chance.fill(&mut bytes);
    bytes
}

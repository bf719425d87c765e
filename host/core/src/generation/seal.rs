//! The seal of a recorded generation: what shows that a host with the ledger's key recorded it, and as it is
//! read. Whoever can write the database alone makes none.

use std::ops::Deref;

use subtle::ConstantTimeEq as _;
use zeroize::ZeroizeOnDrop;

use super::{GenerationRecord, ModuleRecord};
use crate::keys::{from_hex, hex, mac};

/// HMAC-SHA256 over all of a generation that decides, in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal(String);

impl Seal {
    /// One that was kept. Whether it holds, [`GenerationKey::genuine`] says.
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// As it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A generation's seal does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// There is none.
    #[error(
        "generation {0} has no seal, so no host with this database's key recorded it as it is there, and it decides nothing: find out who writes to the database, and go back to a generation whose seal holds (`countersign policy history`, `countersign policy rollback`)"
    )]
    Missing(u64),
    /// It is another's.
    #[error(
        "generation {0} is not as a host with this database's key recorded it, for its seal does not hold, and it decides nothing: find out who writes to the database, and go back to a generation whose seal holds (`countersign policy history`, `countersign policy rollback`)"
    )]
    Broken(u64),
}

/// A generation whose seal holds. There is no other way to one than [`GenerationKey::genuine`], so that
/// nothing goes live unchecked.
#[derive(Clone, Debug)]
pub struct Genuine(GenerationRecord);

impl Deref for Genuine {
    type Target = GenerationRecord;

    fn deref(&self) -> &GenerationRecord {
        &self.0
    }
}

/// The key that generations are sealed with.
#[derive(Clone, ZeroizeOnDrop)]
pub struct GenerationKey([u8; 32]);

impl GenerationKey {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seal of the modules that decide under `number`, and of those in shadow.
    pub fn seal(&self, number: u64, modules: &[ModuleRecord], shadow: &[ModuleRecord]) -> Seal {
        Seal(hex(&self.mac(number, modules, shadow)))
    }

    /// `record`, if its seal holds.
    pub fn genuine(&self, record: GenerationRecord) -> Result<Genuine, SealError> {
        let number = record.number;
        let seal = record.seal.as_ref().ok_or(SealError::Missing(number))?;
        let made = self.mac(number, &record.modules, &record.shadow);
        let kept: Option<[u8; 32]> = from_hex(seal.as_str());
        let holds = kept.is_some_and(|kept| kept.ct_eq(&made).into());
        match holds {
            true => Ok(Genuine(record)),
            false => Err(SealError::Broken(number)),
        }
    }

    fn mac(&self, number: u64, modules: &[ModuleRecord], shadow: &[ModuleRecord]) -> [u8; 32] {
        let mut parts = Parts::default();
        parts.text("countersign generation v1");
        parts.number(number);
        for modules in [modules, shadow] {
            parts.count(modules.len());
            for module in modules {
                parts.module(module);
            }
        }
        let parts: Vec<&[u8]> = parts.0.iter().map(Vec::as_slice).collect();
        mac(&self.0, &parts)
    }
}

impl std::fmt::Debug for GenerationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GenerationKey")
    }
}

/// What is sealed, part by part: each list after its length, and what may be absent after whether it is there,
/// so that no two generations look the same.
#[derive(Default)]
struct Parts(Vec<Vec<u8>>);

impl Parts {
    fn text(&mut self, text: &str) {
        self.0.push(text.as_bytes().to_vec());
    }

    fn number(&mut self, number: u64) {
        self.0.push(number.to_be_bytes().to_vec());
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn module(&mut self, module: &ModuleRecord) {
        // In full, so that a member that comes is not left out: in a new version of the form, where it is
        // there, since what is sealed stays sealed.
        let ModuleRecord {
            id,
            settings,
            file,
            pinned,
        } = module;
        for text in [&id.name, &id.version, &id.digest] {
            self.text(text);
        }
        self.count(settings.len());
        for (name, values) in settings {
            self.text(name);
            self.count(values.len());
            for value in values {
                self.text(value);
            }
        }
        self.count(usize::from(file.is_some()));
        if let Some(file) = file {
            self.text(file);
        }
        self.count(usize::from(pinned.is_some()));
        if let Some(pin) = pinned {
            self.text(&pin.by);
            self.number(pin.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::Pin;
    use crate::time::Timestamp;
    use crate::verdict::ModuleId;

    fn module() -> ModuleRecord {
        ModuleRecord {
            id: ModuleId {
                name: "freeze".to_owned(),
                version: "1.0.0".to_owned(),
                digest: "d1".to_owned(),
            },
            settings: [("verbs".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into(),
            file: Some("freeze.wasm".to_owned()),
            pinned: Some(Pin {
                by: "session:ann".to_owned(),
                since: 2,
            }),
        }
    }

    fn record(key: &GenerationKey) -> GenerationRecord {
        let (modules, shadow) = (vec![module()], vec![module()]);
        GenerationRecord {
            number: 3,
            at: Timestamp::from_micros(0),
            by: "session:ann".to_owned(),
            summary: "a module came".to_owned(),
            seal: Some(key.seal(3, &modules, &shadow)),
            modules,
            shadow,
            approval: None,
        }
    }

    #[test]
    fn a_seal_holds_for_exactly_what_was_sealed() {
        let key = GenerationKey::new([1; 32]);
        assert!(key.genuine(record(&key)).is_ok());
        type Change = fn(&mut GenerationRecord);
        let changes: [Change; 15] = [
            |record| record.number = 4,
            |record| record.modules[0].id.name = "thaw".to_owned(),
            |record| record.modules[0].id.version = "2.0.0".to_owned(),
            |record| record.modules[0].id.digest = "d2".to_owned(),
            |record| record.modules[0].settings = [].into(),
            |record| {
                let joined = vec!["ab".to_owned()];
                record.modules[0].settings = [("verbs".to_owned(), joined)].into();
            },
            |record| record.modules[0].file = None,
            |record| record.modules[0].pinned = None,
            |record| {
                let pin = record.modules[0].pinned.as_mut();
                pin.expect("it is pinned").since = 1;
            },
            |record| {
                let pin = record.modules[0].pinned.as_mut();
                pin.expect("it is pinned").by = "session:bob".to_owned();
            },
            |record| record.modules.clear(),
            |record| record.modules.push(module()),
            |record| record.shadow.clear(),
            |record| {
                let all = record.modules.drain(..).chain(record.shadow.drain(..));
                record.modules = all.collect();
            },
            |record| record.seal = Some(Seal::from_text("ab".repeat(32))),
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut record = record(&key);
            change(&mut record);
            let number = record.number;
            let refused = key.genuine(record).map(|_| at);
            assert_eq!(refused, Err(SealError::Broken(number)), "change {at}");
        }
        let mut bare = record(&key);
        bare.seal = None;
        assert_eq!(key.genuine(bare).err(), Some(SealError::Missing(3)));
        let another = GenerationKey::new([2; 32]);
        assert_eq!(
            another.genuine(record(&key)).err(),
            Some(SealError::Broken(3))
        );
    }
}

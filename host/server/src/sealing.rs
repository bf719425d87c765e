//! Seals the generations of policies of a ledger from before there were seals: once, at the first start that
//! knows of them. From then on the ledger's key says that each has one, so that no row can be passed off as
//! older than that.

use countersign_core::chance::Chance;
use countersign_core::keys::Keys;
use countersign_core::ports::Ledger;
use countersign_core::time::Clock;

use crate::data_dir::Roots;

/// How often it is tried, where other hosts record policies at the same time.
const ATTEMPTS: usize = 5;

/// The keys of a ledger whose generations are sealed.
pub async fn begin(
    ledger: &dyn Ledger,
    keys: Keys,
    roots: &Roots,
    (chance, clock): (&dyn Chance, &dyn Clock),
) -> anyhow::Result<Keys> {
    if keys.are_generations_sealed() {
        return Ok(keys);
    }
    let key = keys.generations();
    for _ in 0..ATTEMPTS {
        let mut seals = Vec::new();
        let mut before = u64::MAX;
        while let Some(record) = ledger.generation_before(before).await? {
            before = record.number;
            let seal = key.seal(record.number, &record.modules, &record.shadow);
            seals.push((record.number, seal));
        }
        let wrapped = keys.with_generations_sealed(chance);
        if ledger
            .seal_generations(&seals, &wrapped, clock.now())
            .await?
        {
            tracing::info!(
                generations = seals.len(),
                "what was recorded of the policies before is sealed, as it is"
            );
            return Ok(Keys::open(roots.all(), &ledger.stored_keys().await?)?);
        }
    }
    anyhow::bail!(
        "the policies that were recorded by an earlier version cannot be sealed, because the database also opens to a key that this host does not have, or hosts of the earlier version still use it: stop those, finish replacing the key, and start again"
    )
}

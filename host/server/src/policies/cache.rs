//! The cache of compiled policies, which a host can do without.

use std::sync::Arc;

use countersign_core::chance::Chance;
use countersign_engine::Cache;

use crate::data_dir::DataDir;
use crate::report;

/// Its folder, in the data folder.
const FOLDER: &str = "policy-cache";

/// The cache of this host's data folder; `None`, said in the log, where it cannot be had.
pub fn open(data: &DataDir, chance: &dyn Chance) -> Option<Arc<Cache>> {
    let key = data.cache_key(chance).map_err(|error| report(&error));
    let cache =
        key.and_then(|key| Cache::open(&data.file(FOLDER), key).map_err(|error| report(&error)));
    cache
        .map(Arc::new)
        .inspect_err(|error| {
            tracing::warn!(
                error,
                "compiled policies are not kept, and are compiled anew at each start"
            );
        })
        .ok()
}

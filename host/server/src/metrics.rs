//! What the host counts of its work, for Prometheus. Labels are names that this host knows: a caller can
//! neither choose one nor make more of them, and none says who asks for what.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use countersign_core::gate::{Passed, Stopped};
use countersign_core::verb::Verb;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::policies::Policies;

/// The upper bounds of the buckets of answering times, in seconds: a read takes one millisecond, a deed
/// some, and a long poll up to a minute.
const BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 60.0,
];
/// The methods that routes take; what else is sent is one label.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    verb: &'static str,
    outcome: &'static str,
}

/// The name is a loaded module's own, which those choose who may change policies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    module: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kept {
    result: &'static str,
}

/// The counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    decisions: Family<Decided, Counter>,
    generation: Gauge<u64, AtomicU64>,
    behind: Gauge<u64, AtomicU64>,
    failures: Family<Failed, Counter>,
    shadow_failures: Family<Failed, Counter>,
    cache: Family<Kept, Counter>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("countersign");
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests answered, by method, route and status",
            requests.clone(),
        );
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let seconds = Family::new_with_constructor(histogram);
        registry.register(
            "request_seconds",
            "Seconds until the answer, by route; long polls included",
            seconds.clone(),
        );
        let decisions = Family::default();
        registry.register(
            "decisions",
            "Decisions recorded, by verb and by what came of them: done, pending or refused",
            decisions.clone(),
        );
        let generation = Gauge::default();
        registry.register(
            "policy_generation",
            "The number of the generation of policies that decides",
            generation.clone(),
        );
        let behind = Gauge::default();
        registry.register(
            "policies_behind",
            "1 while a later generation is recorded that this host cannot take over, so that it decides nothing",
            behind.clone(),
        );
        let failures = Family::default();
        registry.register(
            "policy_failures",
            "Decisions that a module failed, which denies, by module and kind",
            failures.clone(),
        );
        let shadow_failures = Family::default();
        registry.register(
            "policy_shadow_failures",
            "Decisions that a module in shadow failed, which would deny if it decided, by module and kind",
            shadow_failures.clone(),
        );
        let cache = Family::default();
        registry.register(
            "policy_cache",
            "Compiled components looked for in the cache: found, missed, or discarded because they did not hold",
            cache.clone(),
        );
        registry.register(
            "build",
            "The version that runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        Self {
            registry,
            requests,
            seconds,
            decisions,
            generation,
            behind,
            failures,
            shadow_failures,
            cache,
        }
    }

    /// A request was answered.
    pub fn answered(
        &self,
        method: &Method,
        route: Option<&MatchedPath>,
        status: StatusCode,
        took: Duration,
    ) {
        let known = METHODS.iter().find(|known| **known == method.as_str());
        let route = route.map_or("none", MatchedPath::as_str).to_owned();
        let answered = Answered {
            method: known.copied().unwrap_or("other"),
            route: route.clone(),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&answered).inc();
        let seconds = self.seconds.get_or_create(&Route { route });
        seconds.observe(took.as_secs_f64());
    }

    /// A decision was recorded.
    pub fn decided(&self, verb: Verb, result: &Result<Passed, Stopped>) {
        let outcome = match result {
            Ok(_) => "done",
            Err(Stopped::Pending(_)) => "pending",
            Err(Stopped::Refused(_)) => "refused",
        };
        let verb = verb.as_str();
        let decided = Decided { verb, outcome };
        self.decisions.get_or_create(&decided).inc();
    }

    /// All of it, in Prometheus' text format.
    pub fn text(&self, policies: &Policies) -> Result<String, std::fmt::Error> {
        self.generation.set(policies.generation());
        self.behind.set(policies.is_behind().into());
        // They are counted elsewhere, so that counting costs a decision nothing.
        let deciding = (policies.failures(), &self.failures);
        let shadow = (policies.shadow.failures(), &self.shadow_failures);
        for (failures, family) in [deciding, shadow] {
            for (module, kind, count) in failures.counts() {
                let kind = kind.as_str();
                let failed = Failed { module, kind };
                set(family, &failed, count);
            }
        }
        if let Some(counts) = policies.cache_counts() {
            let results = [
                ("found", counts.found),
                ("missed", counts.missed),
                ("discarded", counts.discarded),
            ];
            for (result, count) in results {
                set(&self.cache, &Kept { result }, count);
            }
        }
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Makes a counter what was counted elsewhere.
fn set<L>(family: &Family<L, Counter>, labels: &L, count: u64)
where
    L: Clone + std::hash::Hash + Eq,
{
    let counter = family.get_or_create(labels);
    counter.inner().store(count, Ordering::Relaxed);
}

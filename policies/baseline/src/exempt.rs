//! Exemptions: a named actor needs nobody for a named verb, until a named instant.

use countersign_policy::{Request, Verb};

use crate::instant;

/// How fine a clock the exemptions need.
pub const CLOCK_SECONDS: u32 = 60;

/// One exemption. It lifts a gate, never a denial.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemption {
    actor: String,
    verb: Verb,
    until_unix_ms: u64,
    /// For the audit log: the instant as it was written, and why.
    ground: String,
}

impl Exemption {
    /// Reads `actor=… verb=… until=… reason=…`; the reason is the rest of the line.
    pub fn parse(text: &str, verb: impl Fn(&str) -> Result<Verb, String>) -> Result<Self, String> {
        let (mut actor, mut named, mut until) = (None, None, None);
        let mut rest = text.trim();
        let reason = loop {
            if let Some(reason) = rest.strip_prefix("reason=") {
                break reason.trim();
            }
            let (field, behind) = rest
                .split_once(' ')
                .ok_or("lacks a `reason=` at its end".to_owned())?;
            rest = behind.trim_start();
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| format!("has `{field}` where `name=value` belongs"))?;
            let slot = match name {
                "actor" => &mut actor,
                "verb" => &mut named,
                "until" => &mut until,
                _ => {
                    return Err(format!(
                        "has `{name}`, which is not actor, verb, until or reason"
                    ));
                }
            };
            if value.is_empty() {
                return Err(format!("has an empty `{name}`"));
            }
            if slot.replace(value).is_some() {
                return Err(format!("has `{name}` twice"));
            }
        };
        if reason.is_empty() {
            return Err("gives no reason".to_owned());
        }
        let required = |slot: Option<_>, name| slot.ok_or_else(|| format!("lacks `{name}=`"));
        let until = required(until, "until")?;

        Ok(Self {
            actor: required(actor, "actor")?.to_owned(),
            verb: verb(required(named, "verb")?)?,
            until_unix_ms: instant::unix_ms(until).ok_or_else(|| {
                format!("has `until={until}`, which is not an instant such as 2026-12-31T00:00:00Z")
            })?,
            ground: format!("exempt until {until}: {reason}"),
        })
    }

    /// Why this request needs nobody, if it does not.
    ///
    /// The clock is rounded down, so the exemption ends up to a minute early, and never late. Without
    /// a clock it has no effect.
    pub fn lifts(&self, request: &Request, verb: Verb) -> Option<&str> {
        let latest_unix_ms = request.time.checked_add(u64::from(CLOCK_SECONDS) * 1_000)?;
        let holds = request.time != 0
            && latest_unix_ms <= self.until_unix_ms
            && self.verb == verb
            && self.actor == request.caller.actor;
        holds.then_some(&self.ground)
    }
}

//! From columns to the core's types: a text that is none of theirs is a damaged row.

use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::PAGE_LIMIT;
use crate::fault::Fault;

/// What makes a token, of the organisation or of a workspace, live at `$1`. With its workspace, each is
/// revoked: so nobody need ask for both.
macro_rules! live {
    () => {
        "revoked_at IS NULL
         AND (expires_at IS NULL OR expires_at > $1)
         AND (draining_until IS NULL OR draining_until > $1)"
    };
}
pub(super) use live;

/// How often the token of a row of `$table` was presented in the hours that began after `$since`.
macro_rules! uses_since {
    ($table:literal, $since:literal) => {
        concat!(
            "(SELECT CAST(COALESCE(SUM(uses), 0) AS BIGINT) FROM token_usage
              WHERE token = ",
            $table,
            ".id AND hour > ",
            $since,
            ") AS uses_24h"
        )
    };
}
pub(super) use uses_since;

/// `text` as `parse` reads it.
pub(super) fn parsed<T>(
    column: &str,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Fault> {
    parse(text).ok_or_else(|| Fault::Corrupt(format!("`{column}` is `{text}`")))
}

/// [`parsed`] for a column that may be null.
pub(super) fn parsed_option<T>(
    column: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    text.map(|text| parsed(column, text, parse)).transpose()
}

/// What a column of JSON text holds.
pub(super) fn from_json<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Corrupt(format!("`{column}`: {error}")))
}

/// JSON text for a column.
pub(super) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("INVARIANT: the core's types have text keys only")
}

/// An instant that may be null.
pub(super) fn instant(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

/// A number of things, of which there are never fewer than none.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// How many rows a page has.
pub(super) fn limit(page: &Page) -> i64 {
    page.limit.min(PAGE_LIMIT).into()
}

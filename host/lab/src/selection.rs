//! A part of the exhaustive table, as people name it.

use countersign_core::exhaustive::Row;
use countersign_core::policy::Credential;
use countersign_core::verb::Verb;

use crate::cases::Words;

/// Rows of these verbs and credentials; nothing: of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    verbs: Option<Vec<Verb>>,
    credentials: Option<Vec<Credential>>,
}

impl Selection {
    /// What fits any of these patterns, in which `*` stands for any characters; no pattern: everything. The
    /// error names the pattern that nothing fits, and what comes closest to it.
    pub fn of(verbs: &[String], credentials: &[String]) -> Result<Self, String> {
        let judged: Vec<Verb> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| !verb.is_judged_by_core_alone())
            .collect();
        Ok(Self {
            verbs: chosen(verbs, &judged, Verb::as_str)?,
            credentials: chosen(credentials, Credential::ALL, Credential::as_str)?,
        })
    }

    /// Whether `row` is meant.
    pub fn has(&self, row: &Row) -> bool {
        let is_any = |verbs: &Vec<Verb>| verbs.contains(&row.verb);
        let is_anyone = |some: &Vec<Credential>| some.contains(&row.credential);
        self.verbs.as_ref().is_none_or(is_any) && self.credentials.as_ref().is_none_or(is_anyone)
    }
}

fn chosen<T: Copy>(
    patterns: &[String],
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<Option<Vec<T>>, String> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let words = Words::Several(patterns.to_vec());
    words.pick(all, word).map(Some)
}

#[cfg(test)]
mod tests {
    use countersign_core::exhaustive;

    use super::*;

    fn count(verbs: &[&str], credentials: &[&str]) -> Result<usize, String> {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let selection = Selection::of(&owned(verbs), &owned(credentials))?;
        Ok(exhaustive::rows().filter(|row| selection.has(row)).count())
    }

    #[test]
    fn patterns_choose_rows_and_no_pattern_chooses_all() {
        assert_eq!(count(&[], &[]), Ok(exhaustive::rows().count()));
        assert_eq!(count(&["deprovision"], &["*-token"]), Ok(3 * 4));
        assert_eq!(
            count(&["secret_list", "workspace_list"], &["vouched"]),
            Ok(16)
        );
    }

    #[test]
    fn what_fits_nothing_is_named() {
        let error = count(&["secret_wirte"], &[]).expect_err("there is none");
        assert_eq!(
            error,
            "there is no `secret_wirte`; do you mean `secret_write`?"
        );
        assert!(count(&[], &["cookie*"]).is_err());
        // No policy is asked about these.
        assert!(count(&["approval_decide"], &[]).is_err());
    }
}

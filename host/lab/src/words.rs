//! What people read of rows and terms: never more words than it takes.

use std::collections::BTreeSet;

use countersign_core::policy::{Credential, Quorum, Role};
use countersign_core::verb::Verb;

use crate::answers::Takes;
use crate::fold::{Block, Condition};

/// The tokens that agents hold.
const AGENT_TOKENS: [Credential; 3] = [
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
];

/// Who: `any agent token`, `anyone but anonymous`.
pub fn credentials(set: &BTreeSet<Credential>) -> String {
    let missing: Vec<_> = Credential::ALL
        .iter()
        .filter(|c| !set.contains(c))
        .collect();
    if missing.is_empty() {
        return "anyone".to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    let has_all_tokens = AGENT_TOKENS.iter().all(|token| set.contains(token));
    if has_all_tokens {
        parts.push("any agent token");
    }
    let rest = set
        .iter()
        .filter(|one| !has_all_tokens || !AGENT_TOKENS.contains(one));
    parts.extend(rest.map(|one| one.as_str()));
    if missing.len() < parts.len() && missing.len() < 3 {
        let missing: Vec<_> = missing.iter().map(|one| one.as_str()).collect();
        return format!("anyone but {}", missing.join(", "));
    }
    parts.join(", ")
}

/// With which role: `all roles`, `admin, editor`.
pub fn roles(set: &BTreeSet<Role>) -> String {
    if set.len() == Role::ALL.len() {
        return "all roles".to_owned();
    }
    let mut missing = Role::ALL.iter().filter(|role| !set.contains(role));
    if let (Some(one), None) = (missing.next(), missing.next()) {
        return format!("all but {one}");
    }
    let roles: Vec<_> = set.iter().rev().map(|role| role.as_str()).collect();
    roles.join(", ")
}

/// For what: `secret_write, secret_delete`, `every verb`.
pub fn verbs(verbs: &[Verb]) -> String {
    let judged = |verb: &&Verb| !verb.is_judged_by_core_alone();
    if verbs.len() == Verb::ALL.iter().filter(judged).count() {
        return "every verb".to_owned();
    }
    let verbs: Vec<_> = verbs.iter().map(|verb| verb.as_str()).collect();
    verbs.join(", ")
}

/// In which case: `self`, `not self`; nothing where it makes no difference.
pub fn conditions(conditions: &[Condition]) -> String {
    let conditions: Vec<_> = conditions.iter().map(condition).collect();
    conditions.join(", ")
}

fn condition(condition: &Condition) -> String {
    let flags = condition.choice.iter();
    let (taken, missing): (Vec<_>, Vec<_>) = flags.partition(|one| condition.taken.contains(one));
    let named = |flags: Vec<&Option<&'static str>>| flags.into_iter().copied().flatten().collect();
    let (taken, missing): (Vec<&str>, Vec<&str>) = (named(taken), named(missing));
    let has_none = condition.taken.contains(&None);
    match (has_none, missing.as_slice()) {
        (true, [first, second]) => format!("neither {first} nor {second}"),
        (_, [one]) if has_none || taken.len() > 1 => format!("not {one}"),
        _ => taken.join(" or "),
    }
}

/// A block in one phrase: `any agent token · admin · not self`.
pub fn block(block: &Block) -> String {
    let mut parts = vec![credentials(&block.credentials)];
    if block.roles.len() < Role::ALL.len() {
        parts.push(roles(&block.roles));
    }
    if !block.conditions.is_empty() {
        parts.push(conditions(&block.conditions));
    }
    parts.join(" · ")
}

/// What it takes to pass a gate: `2 people of ops; 1 h to decide, 15 min to use it`.
pub fn takes(takes: &Takes) -> String {
    let people: Vec<_> = takes.quorums.iter().map(quorum).collect();
    let people = match people.as_slice() {
        [] => "1 person".to_owned(),
        some => some.join(" and "),
    };
    let lives: Vec<_> = [
        (takes.pending_ttl, "to decide"),
        (takes.grant_ttl, "to use it"),
    ]
    .into_iter()
    .filter_map(|(seconds, what)| Some(format!("{} {what}", span(seconds?))))
    .collect();
    match lives.is_empty() {
        true => people,
        false => format!("{people}; {}", lives.join(", ")),
    }
}

fn quorum(quorum: &Quorum) -> String {
    let people = match quorum.people.max(1) {
        1 => "1 person".to_owned(),
        more => format!("{more} people"),
    };
    match quorum.groups.is_empty() {
        true => people,
        false => format!("{people} of {}", quorum.groups.join(" or ")),
    }
}

/// Seconds, in the largest unit that they are whole in.
pub fn span(seconds: u32) -> String {
    const UNITS: [(u32, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let whole = UNITS
        .iter()
        .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit));
    match whole {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}

/// `1 row`, `2 rows`.
pub fn counted(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        more => format!("{more} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::exhaustive::choices;

    use super::*;

    #[test]
    fn who_asks_is_said_in_as_few_words_as_it_takes() {
        let all: BTreeSet<Credential> = Credential::ALL.iter().copied().collect();
        let but = |out: &[Credential]| all.iter().copied().filter(|c| !out.contains(c)).collect();
        assert_eq!(credentials(&all), "anyone");
        assert_eq!(
            credentials(&BTreeSet::from(AGENT_TOKENS)),
            "any agent token"
        );
        assert_eq!(
            credentials(&but(&[Credential::Anonymous, Credential::Other])),
            "anyone but anonymous, other"
        );
        let two = BTreeSet::from([Credential::OrgToken, Credential::Provisioner]);
        assert_eq!(credentials(&two), "org-token, provisioner");
    }

    #[test]
    fn roles_and_verbs_are_said_from_their_shorter_side() {
        let some = |roles: &[Role]| roles.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(roles(&some(Role::ALL)), "all roles");
        assert_eq!(roles(&some(&Role::ALL[..3])), "all but admin");
        assert_eq!(roles(&some(&[Role::Editor, Role::Admin])), "admin, editor");
        let judged = Verb::ALL.iter().copied();
        let judged: Vec<Verb> = judged
            .filter(|verb| !verb.is_judged_by_core_alone())
            .collect();
        assert_eq!(verbs(&judged), "every verb");
        assert_eq!(
            verbs(&[Verb::SecretList, Verb::SecretRead]),
            "secret_list, secret_read"
        );
    }

    #[test]
    fn a_condition_is_said_from_its_shorter_side() {
        let said = |verb, at: usize, taken: &[Option<&'static str>]| {
            let taken = taken.iter().copied().collect();
            let choice = choices(verb)[at];
            condition(&Condition { choice, taken })
        };
        let place = |taken: &[_]| said(Verb::SecretWrite, 0, taken);
        assert_eq!(place(&[None]), "neither self nor global");
        assert_eq!(place(&[None, Some("self")]), "not global");
        assert_eq!(place(&[Some("self")]), "self");
        assert_eq!(place(&[Some("self"), Some("global")]), "self or global");
        let asks = |taken: &[_]| said(Verb::OrgTokenMint, 0, taken);
        assert_eq!(asks(&[Some("asks-admin")]), "asks-admin");
        assert_eq!(
            asks(&[Some("asks-none"), Some("asks-reader"), Some("asks-editor")]),
            "not asks-admin"
        );
        assert_eq!(said(Verb::SecretWrite, 1, &[None]), "not exists");
    }

    #[test]
    fn what_a_gate_takes_is_a_phrase() {
        let mut terms = Takes {
            quorums: Vec::new(),
            pending_ttl: None,
            grant_ttl: None,
        };
        assert_eq!(takes(&terms), "1 person");
        let quorum = |people, groups: &[&str]| Quorum {
            people,
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        terms.quorums = vec![quorum(2, &["ops", "sec"]), quorum(0, &[])];
        (terms.pending_ttl, terms.grant_ttl) = (Some(3_600), Some(90));
        assert_eq!(
            takes(&terms),
            "2 people of ops or sec and 1 person; 1 h to decide, 90 s to use it"
        );
    }
}

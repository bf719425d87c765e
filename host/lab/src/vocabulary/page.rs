//! The description as a page for people.

use std::fmt::{self, Write as _};

use countersign_core::exhaustive::{self, FLAGS};
use countersign_core::policy::{CallerClass, Credential, Role};
use countersign_core::verb::Verb;

use super::{CALLER, CONTEXT, Name, Privileged, Shape, describe};

const BEGINNING: &str = "\
# What a policy is told

<!-- Made from host/lab/src/vocabulary.rs by its test: COUNTERSIGN_BLESS=1 cargo test -p countersign-lab -->

Every module in every language relies on these names.
A name, once shipped, keeps its meaning; new names are added.
A module ignores names that it does not know.
Absent means unset or null; nothing else is passed.
Secret values never are.
The types are those of `wit/policy.wit`.

## Verbs

A name that is not in this table is no verb, and is denied.
";

const CORE_ALONE: &str = "
No module is asked about the verbs that the *core alone* judges, so that none can lock people out or keep itself in.
The resource of the others is described by these properties, each where it is known:
";

const CALLERS: &str = "
## Callers

A caller has a credential, a role and a class, each by one of these words, and properties.
";

const SELF_TARGETED: &str = "
*Self-targeted*: the caller's workspace is not empty and equals the resource's `workspace` (its id, for kind `workspace`).
The admin token acts from the approval anchor's workspace.

## Context

Given only where the module's manifest asks for it by name.
An enforcement point's own facts come as `claim.…`, as trustworthy as that point.
";

const TABLE: &str = "
## The exhaustive table

It is credential × role × verb × the flags that the verb knows, so that every kind of request is asked about once.
The host asks a set of modules all of it before the set goes live: a failure, or a row on which all modules abstain, is an error.
`policies/baseline/table.tsv` holds the baseline's answers.

| flag | meaning |
|---|---|
| `self` | self-targeted |
| `global` | the organisation's own scope |
| `exists` | the target is there already |
| `own` | minted by the caller's own lineage; for workspace tokens, the caller itself |
| `asks-none`, `asks-reader`, `asks-editor`, `asks-admin` | the role asked for |
| `expires` | an expiry is given |
| `moves` | the workspace gets another parent |
| `descendants` | others fall with it |
";

/// `docs/vocabulary.md`.
pub fn page() -> String {
    let mut page = String::new();
    write(&mut page).expect("INVARIANT: a string takes what is written to it");
    page
}

fn write(page: &mut String) -> fmt::Result {
    page.push_str(BEGINNING);
    verbs(page)?;
    page.push_str(CORE_ALONE);
    properties(page)?;
    page.push_str(CALLERS);
    callers(page)?;
    page.push_str(SELF_TARGETED);
    names(page, CONTEXT)?;
    page.push_str(TABLE);
    rows(page)
}

fn verbs(page: &mut String) -> fmt::Result {
    writeln!(
        page,
        "\n| verb | least role | privileged | resource: kind, id |"
    )?;
    writeln!(page, "|---|---|---|---|")?;
    for &verb in Verb::ALL {
        let described = describe(verb);
        let privileged = match described.privileged {
            _ if verb.is_judged_by_core_alone() => "core alone".to_owned(),
            Privileged::No => String::new(),
            Privileged::Yes => "yes".to_owned(),
            Privileged::But(exception) => format!("yes, but for {exception}"),
            Privileged::Where(case) => format!("where {case}"),
        };
        let resources: Vec<_> = described
            .resources
            .iter()
            .map(|(kind, id)| format!("{kind}, {id}"))
            .collect();
        let (role, resources) = (verb.needed_role(), resources.join(" or "));
        writeln!(page, "| {verb} | {role} | {privileged} | {resources} |")?;
    }
    Ok(())
}

fn properties(page: &mut String) -> fmt::Result {
    writeln!(page, "\n| verb | resource properties | action properties |")?;
    writeln!(page, "|---|---|---|")?;
    for described in Verb::ALL.iter().map(|&verb| describe(verb)) {
        if described.resource.is_empty() && described.action.is_empty() {
            continue;
        }
        let (resource, action) = (listed(described.resource), listed(described.action));
        writeln!(page, "| {} | {resource} | {action} |", described.verb)?;
    }
    Ok(())
}

fn callers(page: &mut String) -> fmt::Result {
    let words = |words: Vec<&str>| format!("`{}`", words.join("`, `"));
    let credentials = Credential::ALL.iter().map(|word| word.as_str()).collect();
    let roles = Role::ALL.iter().map(|word| word.as_str()).collect();
    let classes = CallerClass::ALL.iter().map(|word| word.as_str()).collect();
    writeln!(page, "\n| | words |\n|---|---|")?;
    writeln!(page, "| credential | {} |", words(credentials))?;
    writeln!(
        page,
        "| role, each with what those before it may | {} |",
        words(roles)
    )?;
    writeln!(page, "| class | {} |", words(classes))?;
    names(page, CALLER)
}

fn names(page: &mut String, names: &[Name]) -> fmt::Result {
    writeln!(page, "\n| property | value |\n|---|---|")?;
    for &(name, shape) in names {
        writeln!(page, "| `{name}` | {shape} |")?;
    }
    Ok(())
}

fn rows(page: &mut String) -> fmt::Result {
    writeln!(page, "\n| verb | flags | rows |\n|---|---|---|")?;
    for verb in Verb::ALL.iter().copied() {
        let rows: Vec<_> = exhaustive::rows().filter(|row| row.verb == verb).collect();
        if rows.is_empty() {
            continue;
        }
        let known: Vec<_> = FLAGS
            .iter()
            .filter(|flag| rows.iter().any(|row| row.flags.contains(flag)))
            .map(|flag| format!("`{flag}`"))
            .collect();
        writeln!(page, "| {verb} | {} | {} |", known.join(", "), rows.len())?;
    }
    writeln!(page, "| all | | {} |", exhaustive::rows().count())
}

fn listed(names: &[Name]) -> String {
    let listed: Vec<_> = names
        .iter()
        .map(|(name, shape)| format!("`{name}` {shape}"))
        .collect();
    listed.join("; ")
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::OneOf(words) => write!(f, "text: `{}`", words.join("`, `")),
            Self::Integer => f.write_str("integer"),
            Self::UnixMs => f.write_str("integer (Unix ms)"),
            Self::Boolean => f.write_str("boolean"),
            Self::Texts => f.write_str("texts"),
        }
    }
}

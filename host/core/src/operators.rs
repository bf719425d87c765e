//! Operators: the people who may change the policies.

use std::collections::BTreeSet;

use crate::caller::{Issuer, Person};
use crate::session::OPERATOR;

/// Who may push, activate and roll back policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Operators {
    /// Whoever has the host's own login: to make its links takes the machine.
    #[default]
    OwnLogin,
    /// These, and nobody else.
    Listed(BTreeSet<Person>),
}

/// What somebody is among the operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No operator.
    None,
    /// One of several.
    OneOfSeveral,
    /// The only one: whatever waits for an operator waits for them.
    Only,
}

/// Why a text lists no operators.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorsError {
    /// It has an entry that is not `issuer:user`.
    #[error("`{0}` is not `issuer:user`")]
    NotAPerson(String),
    /// It has an entry whose issuer does not exist.
    #[error("`{0}` names no issuer: they are control-plane, identity-assertion and operator")]
    UnknownIssuer(String),
    /// It has an entry for a user whom the host's own login does not know.
    #[error(
        "`{0}` can never sign in: all sessions of the host's own login are operator:{OPERATOR}"
    )]
    NotTheOperator(String),
}

impl Operators {
    /// `issuer:user`, separated by commas. A user may hold colons, as some issuers' names do.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let people = text.split(',').map(person).collect::<Result<_, _>>()?;
        Ok(Self::Listed(people))
    }

    /// What `person` is among them. All sessions of the host's own login are one person.
    pub fn standing(&self, person: &Person) -> Standing {
        match self {
            _ if !self.include(person) => Standing::None,
            Self::Listed(people) if people.len() > 1 => Standing::OneOfSeveral,
            Self::OwnLogin | Self::Listed(_) => Standing::Only,
        }
    }

    /// Whether `person` is one.
    pub fn include(&self, person: &Person) -> bool {
        match self {
            Self::OwnLogin => person.issuer == Issuer::Operator,
            Self::Listed(people) => people.contains(person),
        }
    }
}

fn person(entry: &str) -> Result<Person, OperatorsError> {
    let entry = entry.trim();
    let refused = || entry.to_owned();
    let (issuer, user) = entry
        .split_once(':')
        .filter(|(_, user)| !user.is_empty())
        .ok_or_else(|| OperatorsError::NotAPerson(refused()))?;
    let issuer = Issuer::parse(issuer).ok_or_else(|| OperatorsError::UnknownIssuer(refused()))?;
    if issuer == Issuer::Operator && user != OPERATOR {
        return Err(OperatorsError::NotTheOperator(refused()));
    }
    Ok(Person {
        issuer,
        user: user.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(issuer: Issuer, user: &str) -> Person {
        Person {
            issuer,
            user: user.to_owned(),
        }
    }

    #[test]
    fn by_default_the_hosts_own_login_is_the_operators() {
        let operators = Operators::default();
        assert!(operators.include(&of(Issuer::Operator, OPERATOR)));
        assert!(!operators.include(&of(Issuer::ControlPlane, OPERATOR)));
        assert!(!operators.include(&of(Issuer::IdentityAssertion, OPERATOR)));
    }

    #[test]
    fn a_person_of_a_list_is_an_issuer_and_a_user() {
        let operators = "control-plane:ann, identity-assertion:accounts.google.com:17";
        let operators = Operators::parse(operators).expect("a list");
        assert!(operators.include(&of(Issuer::ControlPlane, "ann")));
        let google = of(Issuer::IdentityAssertion, "accounts.google.com:17");
        assert!(operators.include(&google));
        for other in [
            of(Issuer::IdentityAssertion, "ann"),
            of(Issuer::ControlPlane, "Ann"),
            of(Issuer::ControlPlane, "an"),
            of(Issuer::Operator, OPERATOR),
        ] {
            assert!(!operators.include(&other), "{other:?}");
            assert_eq!(operators.standing(&other), Standing::None);
        }
        assert_eq!(operators.standing(&google), Standing::OneOfSeveral);
        let one = Operators::parse("control-plane:ann").expect("a list");
        let ann = of(Issuer::ControlPlane, "ann");
        assert_eq!(one.standing(&ann), Standing::Only);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        use OperatorsError::*;
        let refused = |text| Operators::parse(text).expect_err(text);
        assert_eq!(refused("ann"), NotAPerson("ann".to_owned()));
        assert_eq!(refused("operator:"), NotAPerson("operator:".to_owned()));
        assert_eq!(refused("operator:operator,"), NotAPerson(String::new()));
        assert_eq!(
            refused("github:ann"),
            UnknownIssuer("github:ann".to_owned())
        );
        assert_eq!(
            refused("operator:ann"),
            NotTheOperator("operator:ann".to_owned())
        );
    }
}

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::approval::{Choice, Vote};
use crate::caller::{Issuer, Person};
use crate::policy::{Ground, Value};
use crate::time::Timestamp;
use crate::verdict::{ModuleId, Opinion, Took, fold};

/// Every group that a quorum here may name.
const GROUPS: [&str; 3] = ["g", "h", "i"];
/// More people than any quorum here asks for.
const MANY: usize = 4;
/// Lives around every default and bound.
const LIVES: [Option<u32>; 10] = [
    None,
    Some(0),
    Some(60),
    Some(900),
    Some(901),
    Some(3_600),
    Some(3_601),
    Some(86_400),
    Some(604_800),
    Some(u32::MAX),
];

fn quorum() -> impl Strategy<Value = Quorum> {
    let groups = prop::collection::vec(select(&GROUPS[..]), 0..3);
    (0u32..MANY as u32, groups).prop_map(|(people, groups)| Quorum {
        people,
        groups: groups.into_iter().map(str::to_owned).collect(),
    })
}

fn gate() -> impl Strategy<Value = Terms> {
    let quorums = prop::collection::vec(quorum(), 0..3);
    let life = || select(&LIVES[..]);
    ("[ab]", quorums, life(), life()).prop_map(|(rule, quorums, pending_ttl, grant_ttl)| Terms {
        ground: Ground::new(&rule, "because"),
        quorums,
        pending_ttl,
        grant_ttl,
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let ground = || ("[ab]").prop_map(|rule| Ground::new(&rule, "because"));
    prop_oneof![
        1 => Just(Verdict::Abstain),
        1 => ground().prop_map(Verdict::Allow),
        6 => gate().prop_map(Verdict::Gate),
        1 => ground().prop_map(Verdict::Deny),
    ]
}

fn opinions(verdicts: &[Verdict]) -> Vec<Opinion> {
    let opinion = |(at, verdict): (usize, &Verdict)| Opinion {
        module: ModuleId {
            name: format!("m{at}"),
            version: "1.0.0".to_owned(),
            digest: String::new(),
        },
        verdict: Ok(verdict.clone()),
        notes: Vec::new(),
        took: Took::UNKNOWN,
    };
    verdicts.iter().enumerate().map(opinion).collect()
}

/// How strict the ruling is where `verdict` is one opinion among `others`.
fn among(verdict: &Verdict, others: &[Verdict]) -> Strictness {
    let all: Vec<Verdict> = others.iter().chain([verdict]).cloned().collect();
    Strictness::of_ruling(&fold(&opinions(&all)))
}

fn asks_several(verdict: &Verdict) -> bool {
    matches!(Strictness::of(verdict).0, Kind::Gate(demands) if demands.several)
}

fn votes(people: usize, groups: &[&str], named: &str) -> Vec<Vote> {
    let vote = |at: usize| Vote {
        person: Person {
            issuer: Issuer::Operator,
            user: format!("{named}-{at}"),
        },
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        choice: Choice::Approve,
        reason: None,
        at: Timestamp::from_micros(0),
    };
    (0..people).map(vote).collect()
}

/// The votes that go as far as votes can without meeting `quorum`.
fn just_not_enough_for(quorum: &Quorum) -> Vec<Vote> {
    let is_asked = |group: &str| quorum.groups.iter().any(|asked| asked == group);
    let few = quorum.people.max(1) as usize - 1;
    let mut votes_in_favour = votes(few, &GROUPS, "inside");
    if !quorum.groups.is_empty() {
        let others: Vec<&str> = GROUPS.into_iter().filter(|g| !is_asked(g)).collect();
        votes_in_favour.extend(votes(MANY, &others, "outside"));
    }
    votes_in_favour
}

/// Hosts whose operators set nothing, or this life.
fn hosts(ttl: Ttl) -> Vec<Ttl> {
    let set = [60, 900, 1_800, 3_600, 7_200, 86_400, 604_800].map(std::time::Duration::from_secs);
    let set = set.into_iter().filter_map(|life| ttl.set_to(life));
    std::iter::once(ttl).chain(set).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_is_a_partial_order(a in verdict(), b in verdict(), c in verdict()) {
        let [a, b, c] = [&a, &b, &c].map(Strictness::of);
        prop_assert!(a <= a);
        prop_assert_eq!(a <= b && b <= a, a == b);
        prop_assert_eq!(a < b, b > a);
        prop_assert!(!(a <= b && b <= c) || a <= c);
    }

    #[test]
    fn folding_a_verdict_with_others_never_gives_a_looser_one(
        one in verdict(), others in prop::collection::vec(verdict(), 0..3),
    ) {
        // An abstention alone is denied by the core, which another module may lift by answering.
        if one == Verdict::Abstain { return Ok(()) }
        prop_assert!(among(&one, &others) >= Strictness::of(&one));
    }

    #[test]
    fn a_stricter_verdict_makes_no_ruling_looser_whatever_the_others_say(
        a in verdict(), b in verdict(), others in prop::collection::vec(verdict(), 0..3),
    ) {
        // Beside a gate of another module a gate that asks for the same people once more has the minters
        // kept out, and one that asks for others of them does not.
        let others: Vec<_> = others
            .into_iter()
            .filter(|other| asks_several(other) || !matches!(other, Verdict::Gate(_)))
            .collect();
        if Strictness::of(&a) <= Strictness::of(&b) {
            prop_assert!(among(&a, &others) <= among(&b, &others));
        }
    }

    #[test]
    fn what_is_not_stricter_makes_a_ruling_looser_alone_or_beside_one_that_allows(
        a in verdict(), b in verdict(),
    ) {
        let allow = Verdict::Allow(Ground::new("r", "because"));
        let is_at_most = Strictness::of(&a) <= Strictness::of(&b);
        if !is_at_most {
            let stays = |others: &[Verdict]| among(&a, others) <= among(&b, others);
            prop_assert!(!stays(&[]) || !stays(&[allow]));
        }
    }

    #[test]
    fn a_quorum_covers_another_just_if_no_votes_meet_it_alone(one in gate(), other in gate()) {
        let quorums = |terms: &Terms| verdict::joined_quorums(&terms.quorums);
        let (one, other) = (quorums(&one), quorums(&other));
        let covers = |asked: &Quorum| other.iter().any(|q| People::of(q).covers(&People::of(asked)));
        for asked in &one {
            let votes = just_not_enough_for(asked);
            prop_assert!(!approval::are_met(std::slice::from_ref(asked), &votes));
            prop_assert_eq!(!covers(asked), approval::are_met(&other, &votes));
        }
    }

    #[test]
    fn quorums_that_are_covered_by_others_can_be_left_out(one in gate()) {
        let all: BTreeSet<People> = one.quorums.iter().map(People::of).collect();
        let needed = irreducible(all.clone());
        prop_assert!(all.iter().all(|people| needed.iter().any(|one| one.covers(people))));
        prop_assert!(needed.is_subset(&all));
    }

    #[test]
    fn a_failure_is_as_strict_as_a_denial(one in verdict()) {
        let failed = Strictness::of_answer(&Err::<Verdict, _>("it trapped"));
        prop_assert!(failed >= Strictness::of(&one));
        prop_assert_eq!(failed, Strictness::of(&Verdict::Deny(Ground::new("r", "because"))));
    }

    #[test]
    fn one_change_after_another_is_no_other_than_the_other_way_round(
        a in verdict(), b in verdict(), c in verdict(),
    ) {
        let (one, back) = (Change::between(&a, &b), Change::between(&b, &a));
        let turned = match one {
            Change::Looser => Change::Tighter,
            Change::Tighter => Change::Looser,
            same => same,
        };
        prop_assert_eq!(back, turned);
        let other = Change::between(&b, &c);
        prop_assert_eq!(one.and(other), other.and(one));
        prop_assert_eq!(one.and(other).loosens(), one.loosens() || other.loosens());
    }
}

#[test]
fn a_life_is_within_another_only_if_it_is_at_every_host() {
    for ttl in [PENDING_TTL, GRANT_TTL] {
        for (one, other) in LIVES
            .iter()
            .flat_map(|one| LIVES.iter().map(move |other| (*one, *other)))
        {
            let is_within = Life::of(one, ttl).is_within(Life::of(other, ttl));
            let mut hosts = hosts(ttl).into_iter();
            let is_everywhere = hosts.all(|host| host.bounded(one) <= host.bounded(other));
            // The longest life of all is one that no operator can exceed, and is not worth a rule.
            let most = other.is_some_and(|other| u64::from(other) >= ttl.most.as_secs());
            if !(one.is_none() && most) {
                assert_eq!(is_within, is_everywhere, "{one:?} within {other:?}");
            }
        }
    }
}

fn gated(quorums: &[(u32, &[&str])]) -> Terms {
    let quorum = |(people, groups): &(u32, &[&str])| Quorum {
        people: *people,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    Terms {
        ground: Ground::new("r", "because"),
        quorums: quorums.iter().map(quorum).collect(),
        pending_ttl: None,
        grant_ttl: None,
    }
}

#[test]
fn fewer_people_more_groups_and_longer_lives_are_looser() {
    let two = || gated(&[(2, &["ops"])]);
    for (looser, what) in [
        (gated(&[(1, &["ops"])]), "fewer people"),
        (gated(&[(2, &["ops", "sec"])]), "more groups"),
        (gated(&[(2, &[])]), "any group"),
        (gated(&[]), "one person"),
    ] {
        let change = Change::between(&Verdict::Gate(two()), &Verdict::Gate(looser));
        assert_eq!(change, Change::Looser, "{what}");
    }
    let mut short = two();
    short.grant_ttl = Some(60);
    let (short, long) = (Verdict::Gate(short), Verdict::Gate(two()));
    assert_eq!(Change::between(&short, &long), Change::Looser);
    let mut other = two();
    (other.pending_ttl, other.grant_ttl) = (Some(60), Some(86_400));
    assert_eq!(
        Change::between(&Verdict::Gate(other), &short),
        Change::Mixed
    );
}

#[test]
fn a_quorum_more_keeps_the_minters_from_deciding_even_if_the_same_votes_meet_it() {
    let one = Verdict::Gate(gated(&[(1, &["ops"])]));
    let two = Verdict::Gate(gated(&[(1, &["ops"]), (1, &[])]));
    assert_eq!(Change::between(&one, &two), Change::Tighter);
    assert_eq!(Change::between(&two, &one), Change::Looser);
}

#[test]
fn two_ways_to_ask_for_the_same_are_as_strict() {
    let written = gated(&[(2, &["sec", "ops"]), (1, &["ops", "sec", "law"]), (0, &[])]);
    let mut shorter = gated(&[(2, &["ops", "sec", "sec"])]);
    (shorter.pending_ttl, shorter.grant_ttl) = (Some(u32::MAX), Some(1));
    let mut written = written;
    (written.pending_ttl, written.grant_ttl) = (Some(604_800), Some(10));
    let [written, shorter] = [written, shorter].map(Verdict::Gate);
    assert_eq!(Change::between(&written, &shorter), Change::Same);
}

#[test]
fn an_obligation_that_nobody_knows_is_a_denial() {
    let mut ground = Ground::new("r", "because");
    ground.details.set("must.notify", Value::Boolean(true));
    let deny = Strictness::of(&Verdict::Deny(Ground::new("r", "because")));
    assert_eq!(Strictness::of(&Verdict::Allow(ground)), deny);
}

#[test]
fn an_abstention_is_between_an_allowance_and_a_denial_and_beside_a_gate() {
    let ground = || Ground::new("r", "because");
    let change = |to| Change::between(&Verdict::Abstain, &to);
    assert_eq!(change(Verdict::Allow(ground())), Change::Looser);
    assert_eq!(change(Verdict::Gate(gated(&[]))), Change::Mixed);
    assert_eq!(change(Verdict::Deny(ground())), Change::Tighter);
}

#[test]
fn a_caller_of_another_class_can_do_more_or_less() {
    use CallerClass::{Agent, Human, Service, Unknown};
    for (before, after, change) in [
        (Agent, Human, Change::Looser),
        (Unknown, Service, Change::Looser),
        (Agent, Unknown, Change::Tighter),
        (Human, Service, Change::Tighter),
        (Agent, Service, Change::Mixed),
        (Agent, Agent, Change::Same),
    ] {
        assert_eq!(Change::between_classes(before, after), change);
    }
}

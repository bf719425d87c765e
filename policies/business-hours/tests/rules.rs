//! When it is open, for what and for whom, and what is said outside of the hours.

use countersign_business_hours::BusinessHours;
use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request, settings};

type Given<'g> = &'g [(&'g str, &'g [&'g str])];

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// 2026-01-05T00:00:00Z.
const MONDAY: u64 = 1_767_571_200_000;
const FRIDAY: u64 = MONDAY + 4 * DAY_MS;
const SATURDAY: u64 = MONDAY + 5 * DAY_MS;
const NIGHT: Given<'_> = &[("from", &["22:00"]), ("to", &["06:00"])];

fn mint() -> RequestBuilder {
    request(Credential::OrgToken, "org_token_mint")
}

fn is_open(given: Given<'_>, unix_ms: u64) -> bool {
    let verdict = mint()
        .at(unix_ms)
        .judged_by(&configured::<BusinessHours>(given));
    match verdict {
        Verdict::Abstain => true,
        _ => {
            assert_eq!(verdict.rule(), Some("outside-hours"));
            assert!(verdict.is_deny());
            false
        }
    }
}

#[test]
fn it_is_open_from_the_first_minute_up_to_and_without_the_last() {
    for (after_midnight, open) in [
        (9 * HOUR_MS - MINUTE_MS, false),
        (9 * HOUR_MS, true),
        (17 * HOUR_MS - MINUTE_MS, true),
        (17 * HOUR_MS, false),
        (0, false),
    ] {
        assert_eq!(is_open(&[], MONDAY + after_midnight), open);
    }
}

#[test]
fn a_clock_that_is_not_rounded_moves_no_bound() {
    assert!(!is_open(&[], MONDAY + 9 * HOUR_MS - 1));
    assert!(is_open(&[], MONDAY + 17 * HOUR_MS - 1));
}

#[test]
fn it_is_closed_on_other_days() {
    for day in 0..7 {
        assert_eq!(is_open(&[], MONDAY + day * DAY_MS + 12 * HOUR_MS), day < 5);
    }
    assert!(is_open(
        &[("days", &["sun", "sat"])],
        SATURDAY + 12 * HOUR_MS
    ));
}

#[test]
fn the_offset_moves_the_hours_and_the_day() {
    let east: Given<'_> = &[("utc_offset", &["+05:30"])];
    assert!(is_open(east, MONDAY + 3 * HOUR_MS + 30 * MINUTE_MS));
    assert!(!is_open(east, MONDAY + 11 * HOUR_MS + 30 * MINUTE_MS));
    // It is Monday already where the clock is ahead, and Sunday still where it is behind.
    let early: Given<'_> = &[("utc_offset", &["+14:00"]), ("from", &["00:00"])];
    assert!(is_open(early, MONDAY - 14 * HOUR_MS));
    assert!(!is_open(early, MONDAY - 14 * HOUR_MS - MINUTE_MS));
    let late: Given<'_> = &[("utc_offset", &["-12:00"]), ("from", &["00:00"])];
    assert!(!is_open(late, MONDAY + 12 * HOUR_MS - MINUTE_MS));
    assert!(is_open(late, MONDAY + 12 * HOUR_MS));
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    for (unix_ms, open) in [
        (MONDAY + 5 * HOUR_MS, false),
        (MONDAY + 22 * HOUR_MS, true),
        (MONDAY + 30 * HOUR_MS - MINUTE_MS, true),
        (MONDAY + 30 * HOUR_MS, false),
        (FRIDAY + 23 * HOUR_MS, true),
        (SATURDAY + 3 * HOUR_MS, true),
        (SATURDAY + 23 * HOUR_MS, false),
        (SATURDAY + 27 * HOUR_MS, false),
    ] {
        assert_eq!(is_open(NIGHT, unix_ms), open, "{unix_ms}");
    }
}

#[test]
fn all_day_is_from_midnight_to_24() {
    let given: Given<'_> = &[("from", &["00:00"]), ("to", &["24:00"])];
    assert!(is_open(given, MONDAY));
    assert!(is_open(given, SATURDAY - MINUTE_MS));
    assert!(!is_open(given, SATURDAY));
    assert!(!is_open(given, MONDAY - MINUTE_MS));
}

#[test]
fn a_holiday_is_closed_from_midnight_to_midnight() {
    let holiday: Given<'_> = &[("holidays", &["2026-01-06", "2025-12-25"])];
    let tuesday = MONDAY + DAY_MS;
    assert!(!is_open(holiday, tuesday + 12 * HOUR_MS));
    assert!(is_open(holiday, MONDAY + 12 * HOUR_MS));
    assert!(is_open(holiday, tuesday + DAY_MS + 12 * HOUR_MS));

    let night: Given<'_> = &[
        ("from", &["22:00"]),
        ("to", &["06:00"]),
        ("holidays", &["2026-01-06"]),
    ];
    assert!(is_open(night, MONDAY + 23 * HOUR_MS));
    // What began the evening before ends at midnight, and what begins on the day does not open.
    assert!(!is_open(night, tuesday));
    assert!(!is_open(night, tuesday + 23 * HOUR_MS));
    assert!(!is_open(night, tuesday + 27 * HOUR_MS));
    assert!(is_open(night, tuesday + 46 * HOUR_MS));
}

#[test]
fn without_a_clock_it_denies_also_where_it_would_gate() {
    for outside in ["deny", "gate"] {
        let hours: BusinessHours = configured(&[
            ("outside", &[outside]),
            ("days", &["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
            ("from", &["00:00"]),
            ("to", &["24:00"]),
        ]);
        for unix_ms in [0, 253_402_300_800_000, u64::MAX] {
            let verdict = mint().at(unix_ms).judged_by(&hours);
            assert!(verdict.is_deny());
            assert_eq!(verdict.rule(), Some("no-clock"));
        }
        for unix_ms in [1, 253_402_300_799_999] {
            assert_eq!(mint().at(unix_ms).judged_by(&hours), Verdict::Abstain);
        }
    }
}

#[test]
fn outside_of_the_hours_people_are_asked_where_the_setting_says_so() {
    let hours: BusinessHours = configured(&[
        ("outside", &["gate"]),
        ("approvers", &["2"]),
        ("groups", &["on-call"]),
    ]);
    let Verdict::Gate(terms) = mint().at(SATURDAY).judged_by(&hours) else {
        panic!("expected a gate")
    };
    assert_eq!(terms.ground.rule, "outside-hours");
    assert_eq!(terms.quorums[0].people, 2);
    assert_eq!(terms.quorums[0].groups, ["on-call"]);
    let noon = MONDAY + 12 * HOUR_MS;
    assert_eq!(mint().at(noon).judged_by(&hours), Verdict::Abstain);
    let vouched = request(Credential::Vouched, "org_token_mint").at(SATURDAY);
    assert!(vouched.judged_by(&hours).is_deny());
}

#[test]
fn people_are_held_where_the_setting_says_so() {
    let person = || request(Credential::VerifiedSession, "org_token_mint").at(SATURDAY);
    assert_eq!(
        person().judged_by(&configured::<BusinessHours>(&[])),
        Verdict::Abstain
    );
    let hours: BusinessHours = configured(&[("people_too", &["true"])]);
    assert!(person().judged_by(&hours).is_deny());
}

#[test]
fn what_is_not_privileged_goes_on_unless_it_is_named() {
    let hours: BusinessHours = configured(&[]);
    for verb in [
        "workspace_list",
        "workspace_create",
        "workspace_update",
        "policy_rollback",
    ] {
        let verdict = request(Credential::OrgToken, verb)
            .at(SATURDAY)
            .judged_by(&hours);
        assert_eq!(verdict, Verdict::Abstain, "{verb}");
    }
    let named: BusinessHours = configured(&[("verbs", &["workspace_update"])]);
    let update = request(Credential::OrgToken, "workspace_update").at(SATURDAY);
    assert!(update.judged_by(&named).is_deny());
    assert_eq!(mint().at(SATURDAY).judged_by(&named), Verdict::Abstain);
}

#[test]
fn whoever_is_refused_is_told_the_hours() {
    let hours: BusinessHours = configured(&[
        ("days", &["mon", "wed"]),
        ("utc_offset", &["+01:00"]),
        ("to", &["16:30"]),
    ]);
    let verdict = mint().at(SATURDAY).judged_by(&hours);
    let ground = verdict.ground().expect("INVARIANT: a denial has a ground");
    assert_eq!(
        ground.reason,
        "this is done within business hours: mon, wed from 09:00 to 16:30 (+01:00)"
    );
}

#[test]
fn a_mistake_is_named_in_a_sentence() {
    let many = vec!["2026-01-01"; 501];
    let cases: [(Given<'_>, &str); 14] = [
        (
            &[("utc_offset", &["CET"])],
            "the setting `utc_offset` is an offset from -12:00 to +14:00 such as `+01:00`, not `CET`",
        ),
        (
            &[("utc_offset", &["+14:01"])],
            "the setting `utc_offset` is an offset from -12:00 to +14:00 such as `+01:00`, \
             not `+14:01`",
        ),
        (
            &[("from", &["9:00"])],
            "the setting `from` is a time from 00:00 to 23:59 such as `09:00`, not `9:00`",
        ),
        (
            &[("from", &["24:00"])],
            "the setting `from` is a time from 00:00 to 23:59 such as `09:00`, not `24:00`",
        ),
        (
            &[("to", &["5pm"])],
            "the setting `to` is a time from 00:00 to 24:00 such as `17:00`, not `5pm`",
        ),
        (
            &[("to", &["09:00"])],
            "the setting `to` is `09:00` like `from`, which is no time or all day; \
             for all day write `00:00` and `24:00`",
        ),
        (
            &[("days", &["Monday"])],
            "the setting `days` has `Monday`, which is none of mon, tue, wed, thu, fri, sat, sun; \
             did you mean `mon`?",
        ),
        (
            &[("days", &["always"])],
            "the setting `days` has `always`, which is none of mon, tue, wed, thu, fri, sat, sun",
        ),
        (
            &[("days", &["mon", "mon"])],
            "the setting `days` has `mon` twice",
        ),
        (
            &[("days", &[])],
            "the setting `days` is empty, so that it would never be open; \
             leave it out for mon to fri, or load `lockdown` instead",
        ),
        (
            &[("holidays", &["25.12.2026"])],
            "the setting `holidays` has `25.12.2026`, which is not a date such as `2026-12-25`",
        ),
        (
            &[("holidays", &many)],
            "the setting `holidays` has 501 dates, and takes at most 500",
        ),
        (
            &[("outside", &["gated"])],
            "the setting `outside` is `deny` or `gate`, not `gated`; did you mean `gate`?",
        ),
        (
            &[("verbs", &[])],
            "the setting `verbs` is empty, so that nothing would wait for the hours; \
             leave it out for what is privileged, or take the module away",
        ),
    ];
    for (given, expected) in cases {
        let refusal = countersign_policy::configure::<BusinessHours>(&settings(given));
        assert_eq!(refusal.expect_err("INVARIANT: each is a mistake"), expected);
    }
}

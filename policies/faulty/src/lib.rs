//! The baseline with one fault, to measure those who look for faults without seeing the source.
//!
//! Each feature chooses one file of `faults/`, so that nothing of one fault is in the component of
//! another; without any, the component is the honest baseline. `faults.toml` says what each does, what
//! shows it, and who can be expected to find it.

use countersign_baseline::Baseline;
use countersign_policy::prelude::*;

#[cfg(feature = "absent-scope")]
#[path = "faults/absent_scope.rs"]
mod chosen;
#[cfg(feature = "abstains-by-name")]
#[path = "faults/abstains_by_name.rs"]
mod chosen;
#[cfg(feature = "actions-own-groups")]
#[path = "faults/actions_own_groups.rs"]
mod chosen;
#[cfg(feature = "agent-above-person")]
#[path = "faults/agent_above_person.rs"]
mod chosen;
#[cfg(feature = "anonymous-by-subject")]
#[path = "faults/anonymous_by_subject.rs"]
mod chosen;
#[cfg(feature = "anonymous-creates")]
#[path = "faults/anonymous_creates.rs"]
mod chosen;
#[cfg(feature = "answer-too-large")]
#[path = "faults/answer_too_large.rs"]
mod chosen;
#[cfg(feature = "chosen-approvers")]
#[path = "faults/chosen_approvers.rs"]
mod chosen;
#[cfg(feature = "claim-trusted")]
#[path = "faults/claim_trusted.rs"]
mod chosen;
#[cfg(feature = "class-from-actor")]
#[path = "faults/class_from_actor.rs"]
mod chosen;
#[cfg(feature = "day-of-the-week")]
#[path = "faults/day_of_the_week.rs"]
mod chosen;
#[cfg(feature = "debug-property")]
#[path = "faults/debug_property.rs"]
mod chosen;
#[cfg(feature = "descendants-byte")]
#[path = "faults/descendants_byte.rs"]
mod chosen;
#[cfg(feature = "details-without-end")]
#[path = "faults/details_without_end.rs"]
mod chosen;
#[cfg(feature = "editor-below-reader")]
#[path = "faults/editor_below_reader.rs"]
mod chosen;
#[cfg(feature = "empty-is-own")]
#[path = "faults/empty_is_own.rs"]
mod chosen;
#[cfg(feature = "expiry-overflows")]
#[path = "faults/expiry_overflows.rs"]
mod chosen;
#[cfg(feature = "far-future")]
#[path = "faults/far_future.rs"]
mod chosen;
#[cfg(feature = "gated-by-key")]
#[path = "faults/gated_by_key.rs"]
mod chosen;
#[cfg(feature = "hashed-name")]
#[path = "faults/hashed_name.rs"]
mod chosen;
#[cfg(feature = "human-by-issuer")]
#[path = "faults/human_by_issuer.rs"]
mod chosen;
#[cfg(feature = "issuer-trusted")]
#[path = "faults/issuer_trusted.rs"]
mod chosen;
#[cfg(feature = "kind-trusted")]
#[path = "faults/kind_trusted.rs"]
mod chosen;
#[cfg(feature = "ladder")]
#[path = "faults/ladder.rs"]
mod chosen;
#[cfg(feature = "last-caller")]
#[path = "faults/last_caller.rs"]
mod chosen;
#[cfg(feature = "live-tokens-word")]
#[path = "faults/live_tokens_word.rs"]
mod chosen;
#[cfg(feature = "lives-from-a-property")]
#[path = "faults/lives_from_a_property.rs"]
mod chosen;
#[cfg(feature = "loop-at-length")]
#[path = "faults/loop_at_length.rs"]
mod chosen;
#[cfg(feature = "loop-of-a-pattern")]
#[path = "faults/loop_of_a_pattern.rs"]
mod chosen;
#[cfg(feature = "magic-name")]
#[path = "faults/magic_name.rs"]
mod chosen;
#[cfg(feature = "magic-workspace")]
#[path = "faults/magic_workspace.rs"]
mod chosen;
#[cfg(feature = "masked-name")]
#[path = "faults/masked_name.rs"]
mod chosen;
#[cfg(feature = "memory-without-end")]
#[path = "faults/memory_without_end.rs"]
mod chosen;
#[cfg(feature = "minute-of-the-day")]
#[path = "faults/minute_of_the_day.rs"]
mod chosen;
#[cfg(feature = "name-is-principal")]
#[path = "faults/name_is_principal.rs"]
mod chosen;
#[cfg(feature = "negative-is-few")]
#[path = "faults/negative_is_few.rs"]
mod chosen;
#[cfg(feature = "no-role-is-all")]
#[path = "faults/no_role_is_all.rs"]
mod chosen;
#[cfg(feature = "no-time")]
#[path = "faults/no_time.rs"]
mod chosen;
#[cfg(feature = "off-the-table")]
#[path = "faults/off_the_table.rs"]
mod chosen;
#[cfg(feature = "one-day")]
#[path = "faults/one_day.rs"]
mod chosen;
#[cfg(feature = "order-of-groups")]
#[path = "faults/order_of_groups.rs"]
mod chosen;
#[cfg(feature = "provisioner-revokes")]
#[path = "faults/provisioner_revokes.rs"]
mod chosen;
#[cfg(feature = "reader-mints")]
#[path = "faults/reader_mints.rs"]
mod chosen;
#[cfg(feature = "rights-from-actor")]
#[path = "faults/rights_from_actor.rs"]
mod chosen;
#[cfg(feature = "second-call")]
#[path = "faults/second_call.rs"]
mod chosen;
#[cfg(feature = "seven-properties")]
#[path = "faults/seven_properties.rs"]
mod chosen;
#[cfg(feature = "stack-without-end")]
#[path = "faults/stack_without_end.rs"]
mod chosen;
#[cfg(feature = "thousandth-call")]
#[path = "faults/thousandth_call.rs"]
mod chosen;
#[cfg(feature = "trap-on-absent")]
#[path = "faults/trap_on_absent.rs"]
mod chosen;
#[cfg(feature = "trap-on-another-type")]
#[path = "faults/trap_on_another_type.rs"]
mod chosen;
#[cfg(feature = "trap-on-empty")]
#[path = "faults/trap_on_empty.rs"]
mod chosen;
#[cfg(feature = "trap-on-many-groups")]
#[path = "faults/trap_on_many_groups.rs"]
mod chosen;
#[cfg(feature = "trap-on-unicode")]
#[path = "faults/trap_on_unicode.rs"]
mod chosen;
#[cfg(feature = "two-together")]
#[path = "faults/two_together.rs"]
mod chosen;
#[cfg(feature = "verb-empty")]
#[path = "faults/verb_empty.rs"]
mod chosen;
#[cfg(feature = "verb-kelvin")]
#[path = "faults/verb_kelvin.rs"]
mod chosen;
#[cfg(feature = "verb-known-prefix")]
#[path = "faults/verb_known_prefix.rs"]
mod chosen;
#[cfg(feature = "verb-letter-case")]
#[path = "faults/verb_letter_case.rs"]
mod chosen;
#[cfg(feature = "verb-too-long")]
#[path = "faults/verb_too_long.rs"]
mod chosen;
#[cfg(feature = "verb-trailing-space")]
#[path = "faults/verb_trailing_space.rs"]
mod chosen;
#[cfg(feature = "vouched-writes")]
#[path = "faults/vouched_writes.rs"]
mod chosen;
#[cfg(feature = "workspace-prefix")]
#[path = "faults/workspace_prefix.rs"]
mod chosen;
#[cfg(not(any(
    feature = "absent-scope",
    feature = "abstains-by-name",
    feature = "actions-own-groups",
    feature = "agent-above-person",
    feature = "anonymous-by-subject",
    feature = "anonymous-creates",
    feature = "answer-too-large",
    feature = "chosen-approvers",
    feature = "claim-trusted",
    feature = "class-from-actor",
    feature = "day-of-the-week",
    feature = "debug-property",
    feature = "descendants-byte",
    feature = "details-without-end",
    feature = "editor-below-reader",
    feature = "empty-is-own",
    feature = "expiry-overflows",
    feature = "far-future",
    feature = "gated-by-key",
    feature = "hashed-name",
    feature = "human-by-issuer",
    feature = "issuer-trusted",
    feature = "kind-trusted",
    feature = "ladder",
    feature = "last-caller",
    feature = "live-tokens-word",
    feature = "lives-from-a-property",
    feature = "loop-at-length",
    feature = "loop-of-a-pattern",
    feature = "magic-name",
    feature = "magic-workspace",
    feature = "masked-name",
    feature = "memory-without-end",
    feature = "minute-of-the-day",
    feature = "name-is-principal",
    feature = "negative-is-few",
    feature = "no-role-is-all",
    feature = "no-time",
    feature = "off-the-table",
    feature = "one-day",
    feature = "order-of-groups",
    feature = "provisioner-revokes",
    feature = "reader-mints",
    feature = "rights-from-actor",
    feature = "second-call",
    feature = "seven-properties",
    feature = "stack-without-end",
    feature = "thousandth-call",
    feature = "trap-on-absent",
    feature = "trap-on-another-type",
    feature = "trap-on-empty",
    feature = "trap-on-many-groups",
    feature = "trap-on-unicode",
    feature = "two-together",
    feature = "verb-empty",
    feature = "verb-kelvin",
    feature = "verb-known-prefix",
    feature = "verb-letter-case",
    feature = "verb-too-long",
    feature = "verb-trailing-space",
    feature = "vouched-writes",
    feature = "workspace-prefix",
)))]
mod chosen {
    //! No fault at all.

    pub struct Chosen;

    impl crate::Fault for Chosen {}
}

use chosen::Chosen;

/// What is other than in the baseline.
trait Fault {
    fn manifest(honest: Manifest) -> Manifest {
        honest
    }

    fn classify(honest: &Baseline, caller: &Caller) -> CallerClass {
        honest.classify(caller)
    }

    fn decide(honest: &Baseline, request: &Request) -> Verdict {
        honest.decide(request)
    }
}

/// The baseline, but for the chosen fault.
#[derive(Debug)]
pub struct Faulty(Baseline);

impl Policy for Faulty {
    fn manifest() -> Manifest {
        Chosen::manifest(Baseline::manifest())
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        Baseline::configure(settings).map(Self)
    }

    fn classify(&self, caller: &Caller) -> CallerClass {
        Chosen::classify(&self.0, caller)
    }

    fn decide(&self, request: &Request) -> Verdict {
        Chosen::decide(&self.0, request)
    }
}

/// What a gate becomes where a fault opens it; every other verdict stays.
#[allow(dead_code, reason = "some faults do something else")]
fn opened(verdict: Verdict) -> Verdict {
    if verdict.is_gate() {
        return Verdict::allow("open-to-agents", "agents need nobody for this");
    }
    verdict
}

countersign_policy::export!(Faulty);

//! The settings, declared and taken in.

use countersign_policy::{Manifest, Settings, Verb};

use crate::exempt::Exemption;
use crate::verbs::{VerbSet, governable};

/// The vocabulary's privileged verbs.
const GATED: &[&str] = &[
    Verb::OrgTokenMint.name(),
    Verb::OrgTokenRevoke.name(),
    Verb::SecretWrite.name(),
    Verb::SecretDelete.name(),
    Verb::WorkspaceUpdate.name(),
    Verb::DeleteWorkspace.name(),
    Verb::WorkspaceTokenMint.name(),
    Verb::Deprovision.name(),
];

/// What an installer needs to set a tenant up.
const PROVISIONING: &[&str] = &[
    Verb::WorkspaceCreate.name(),
    Verb::WorkspaceTokenMint.name(),
    Verb::SecretWrite.name(),
    Verb::OrgTokenMint.name(),
];

/// A minute to read the request; a week, so that no question outlives the reason it was asked for.
const PENDING_TTL_BOUNDS: std::ops::RangeInclusive<u32> = 60..=604_800;

/// Half a minute to retry; an hour, because a grant that lies around is a key that lies around.
const GRANT_TTL_BOUNDS: std::ops::RangeInclusive<u32> = 30..=3_600;

/// What the settings say.
#[derive(Clone, Debug)]
pub struct Options {
    pub gated: VerbSet,
    pub provisioning: VerbSet,
    pub exemptions: Vec<Exemption>,
    pub pending_ttl_seconds: u32,
    pub grant_ttl_seconds: u32,
}

impl Options {
    pub fn take(settings: &Settings) -> Result<Self, String> {
        let exemptions = settings
            .texts("exempt")?
            .iter()
            .map(|text| {
                Exemption::parse(text, governable).map_err(|mistake| {
                    format!("the setting `exempt` has `{text}`, which {mistake}")
                })
            })
            .collect::<Result<_, String>>()?;
        Ok(Self {
            gated: VerbSet::take(settings, "gated_verbs")?,
            provisioning: VerbSet::take(settings, "provisioner_verbs")?,
            exemptions,
            pending_ttl_seconds: settings.number("pending_ttl_seconds", PENDING_TTL_BOUNDS)?,
            grant_ttl_seconds: settings.number("grant_ttl_seconds", GRANT_TTL_BOUNDS)?,
        })
    }
}

pub fn declare(manifest: Manifest) -> Manifest {
    manifest
        .setting(
            "gated_verbs",
            "the verbs for which agents need a person; what is left out they do alone",
            GATED,
        )
        .setting(
            "exempt",
            "who needs nobody, for what, how long and why: \
             `actor=<label> verb=<verb> until=<RFC 3339> reason=<words>`",
            &[],
        )
        .setting(
            "provisioner_verbs",
            "all that the provisioner may do",
            PROVISIONING,
        )
        .setting(
            "pending_ttl_seconds",
            "how long people have to decide, 60 to 604800",
            &["3600"],
        )
        .setting(
            "grant_ttl_seconds",
            "how long an approval can be used, 30 to 3600",
            &["900"],
        )
}

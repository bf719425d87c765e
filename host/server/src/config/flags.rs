//! What can be said of a host, and where: each setting as it is written, before anything is checked.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::number::Number;
use super::policy_keys::Switch;

/// What can be said on the command line, in the environment and in the file; each says some of it.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flags {
    /// TOML file with further settings; its keys are the flags' names with underscores
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(
        long,
        env = "COUNTERSIGN_LISTEN",
        value_name = "ADDR:PORT",
        global = true
    )]
    pub listen: Option<String>,
    /// How people reach the host, for links [default: the listen address]
    #[arg(
        long,
        env = "COUNTERSIGN_PUBLIC_URL",
        value_name = "URL",
        global = true
    )]
    pub public_url: Option<String>,
    /// Folder for the database, keys and policies [default: ./countersign-data]
    #[arg(long, env = "COUNTERSIGN_DATA_DIR", value_name = "DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// `sqlite:<path>`, or `postgres://<user>@<host>/<database>` for hosts that share one [default:
    /// countersign.db in the data folder]
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub database_url: Option<String>,
    /// Watched folder of policy modules [default: policies in the data folder]
    #[arg(long, env = "COUNTERSIGN_POLICIES", value_name = "DIR", global = true)]
    pub policies: Option<PathBuf>,
    /// Whose word counts for what is in the folder: with `reviewed`, what only tightens goes live at once, and what
    /// loosens, removal included, waits for an operator; with `trusted`, whoever can write to the folder
    /// decides [default: reviewed]
    #[arg(
        long,
        env = "COUNTERSIGN_POLICY_FOLDER",
        value_name = "HOW",
        global = true
    )]
    pub policy_folder: Option<String>,
    /// Control plane that verifies people's sessions, http(s) [default: none]
    #[arg(long, env = "CP_UPSTREAM_URL", value_name = "URL", global = true)]
    pub cp_upstream_url: Option<String>,
    /// This tenant's slug at the control plane
    #[arg(long, env = "MOLECULE_ORG_SLUG", value_name = "SLUG", global = true)]
    pub molecule_org_slug: Option<String>,
    /// This tenant's id [default: made once and kept]
    #[arg(long, env = "MOLECULE_ORG_ID", value_name = "UUID", global = true)]
    pub molecule_org_id: Option<String>,
    /// Workspace under which requests of the admin token are filed [default: derived from the org id]
    #[arg(
        long,
        env = "MOLECULE_PLATFORM_WORKSPACE_ID",
        value_name = "UUID",
        global = true
    )]
    pub molecule_platform_workspace_id: Option<String>,
    /// Live organisation tokens at most; 0 turns the limit off [default: 100]
    #[arg(long, env = "LIVE_TOKEN_LIMIT", value_name = "N", global = true)]
    pub live_token_limit: Option<Number>,
    /// Addresses and networks of proxies, with commas between them, whose forwarding and identity headers
    /// count [default: none]
    #[arg(
        long,
        env = "COUNTERSIGN_TRUSTED_PROXIES",
        value_name = "LIST",
        global = true
    )]
    pub trusted_proxies: Option<String>,
    /// Requests a minute for one address; 0 turns the limit off [default: 600]
    #[arg(long, env = "RATE_LIMIT", value_name = "N", global = true)]
    pub rate_limit: Option<Number>,
    /// Browser origins, with commas between them, whose pages may use the HTTP interface [default: none]
    #[arg(long, env = "CORS_ORIGINS", value_name = "LIST", global = true)]
    pub cors_origins: Option<String>,
    /// People who may change the policies, `issuer:user` with commas between them; issuers are
    /// control-plane, identity-assertion and operator [default: sessions of the host's own login]
    #[arg(
        long,
        env = "COUNTERSIGN_OPERATORS",
        value_name = "LIST",
        global = true
    )]
    pub operators: Option<String>,
    /// Header in which an edge or identity-aware proxy puts a signed JWT about the person at its other side,
    /// such as Cf-Access-Jwt-Assertion; needs the next three, and COUNTERSIGN_TRUSTED_PROXIES
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_HEADER",
        value_name = "NAME",
        global = true
    )]
    pub assertion_header: Option<String>,
    /// The JWT's issuer, its `iss`
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_ISSUER",
        value_name = "ISS",
        global = true
    )]
    pub assertion_issuer: Option<String>,
    /// The JWT's audience, one of its `aud`; several with commas between them
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_AUDIENCE",
        value_name = "LIST",
        global = true
    )]
    pub assertion_audience: Option<String>,
    /// The issuer's public keys (JWKS): an https URL, or a file
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_JWKS",
        value_name = "URL|FILE",
        global = true
    )]
    pub assertion_jwks: Option<String>,
    /// Claim that names the person, or a JSON pointer to one such as /user/id [default: sub]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_PERSON_CLAIM",
        value_name = "CLAIM",
        global = true
    )]
    pub assertion_person_claim: Option<String>,
    /// Claim that names their groups, or a JSON pointer to one [default: groups]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_GROUPS_CLAIM",
        value_name = "CLAIM",
        global = true
    )]
    pub assertion_groups_claim: Option<String>,
    /// People who may come, as the person claim names them, with commas between them [default: everybody
    /// whom the issuer signs for, unless groups are listed]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_USERS",
        value_name = "LIST",
        global = true
    )]
    pub assertion_users: Option<String>,
    /// Groups whose people may come as well, with commas between them
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_GROUPS",
        value_name = "LIST",
        global = true
    )]
    pub assertion_groups: Option<String>,
    /// What marks a program, which is no person: claims that are there, or `claim=value` with one `*` for
    /// anything [default: common_name,email=*.gserviceaccount.com,gty=client-credentials,idtyp=app,
    /// preferred_username=service-account-*]
    #[arg(
        long,
        env = "COUNTERSIGN_ASSERTION_SERVICES",
        value_name = "LIST",
        global = true
    )]
    pub assertion_services: Option<String>,
    /// Organisation tokens minted in an hour from one address at most; 0 turns the limit off [default: 10]
    #[arg(long, env = "MINT_LIMIT", value_name = "N", global = true)]
    pub mint_limit: Option<Number>,
    /// Seconds for people to decide, 30 to 604800: policies may ask for fewer, never for more
    /// [default: 3600, and as a policy says]
    #[arg(
        long,
        env = "COUNTERSIGN_PENDING_SECONDS",
        value_name = "N",
        global = true
    )]
    pub pending_seconds: Option<Number>,
    /// Seconds to use what was approved, 10 to 86400: policies may ask for fewer, never for more
    /// [default: 900, and as a policy says]
    #[arg(
        long,
        env = "COUNTERSIGN_GRANT_SECONDS",
        value_name = "N",
        global = true
    )]
    pub grant_seconds: Option<Number>,
    /// Seconds after a denial before the same may be asked again, 0 to 86400 [default: 60]
    #[arg(
        long,
        env = "COUNTERSIGN_COOL_DOWN_SECONDS",
        value_name = "N",
        global = true
    )]
    pub cool_down_seconds: Option<Number>,
    /// ADMIN_TOKEN; never a flag
    #[arg(skip)]
    pub admin_token: Option<Hidden>,
    /// PROVISION_TOKEN; never a flag
    #[arg(skip)]
    pub provision_token: Option<Hidden>,
    /// SECRETS_ENCRYPTION_KEY; never a flag
    #[arg(skip)]
    pub secrets_encryption_key: Option<Hidden>,
    /// SECRETS_ENCRYPTION_KEY_OLD, while it is being replaced; never a flag
    #[arg(skip)]
    pub secrets_encryption_key_old: Option<Hidden>,
    /// How the log is written: `text` for people, `json` one object a line [default: text on a terminal,
    /// else json]
    #[arg(
        long,
        env = "COUNTERSIGN_LOG_FORMAT",
        value_name = "FORMAT",
        global = true
    )]
    pub log_format: Option<String>,
    /// Public keys of minisign whose signatures of policies count, with commas between them; each can have a
    /// name before it, `release=RW…` [default: none]
    #[arg(
        long,
        env = "COUNTERSIGN_POLICY_KEYS",
        value_name = "LIST",
        global = true
    )]
    pub policy_keys: Option<String>,
    /// Load no policy that none of those keys signed, but for the baseline in this program [default: false]
    #[arg(
        long,
        env = "COUNTERSIGN_REQUIRE_SIGNATURE",
        value_name = "BOOLEAN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        global = true
    )]
    pub require_signature: Option<Switch>,
}

/// Text that is not shown.
#[derive(Clone, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// `text`, hidden.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

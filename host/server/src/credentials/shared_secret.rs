//! Secrets that the host and a caller share: ADMIN_TOKEN and PROVISION_TOKEN.

use axum::http::HeaderMap;
use countersign_core::caller::Identity;
use countersign_core::keys::Keys;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::CredentialError;
use crate::config::Hidden;

/// A shared secret, as it is compared. Its text is not kept.
pub(super) struct SharedSecret {
    digest: [u8; 32],
    fingerprint: String,
}

impl SharedSecret {
    pub(super) fn new(secret: &Hidden, keys: &Keys) -> Self {
        Self {
            digest: Sha256::digest(secret.reveal()).into(),
            fingerprint: keys.fingerprint(secret.reveal()),
        }
    }

    /// A keyed fingerprint, by which another secret is another credential.
    pub(super) fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// Whether `presented` is the secret, in a time that tells nothing of it.
    pub(super) fn is(&self, presented: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.digest.ct_eq(&digest).into()
    }
}

/// The provisioner, where `headers` hold `secret`. To send the header at all claims to be the provisioner,
/// so that what is wrong with it is never overlooked, not even by a host that knows no such secret.
pub(super) fn provisioner(
    secret: Option<&SharedSecret>,
    headers: &HeaderMap,
) -> Result<Option<Identity>, CredentialError> {
    let mut presented = headers.get_all("x-provision-token").iter();
    let Some(value) = presented.next() else {
        return Ok(None);
    };
    if presented.next().is_some() {
        return Err(CredentialError::Provisioner);
    }
    let secret = secret
        .filter(|secret| secret.is(value.as_bytes()))
        .ok_or(CredentialError::Provisioner)?;
    Ok(Some(Identity::Provisioner {
        fingerprint: secret.fingerprint(),
    }))
}

//! The control plane's part of the configuration.

use super::values::parsed;

/// Where the control plane is, and who we are to it.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// `{CP_UPSTREAM_URL}/cp/auth/tenant-member?slug=…`.
    pub membership: reqwest::Url,
    /// The tenant.
    pub slug: String,
}

/// Where sessions are verified, if anywhere: the slug is as needed as the address.
pub fn control_plane(
    url: Option<String>,
    slug: Option<String>,
    mistakes: &mut Vec<String>,
) -> Option<ControlPlane> {
    let url = url?;
    let Some(slug) = slug else {
        mistakes.push(
            "CP_UPSTREAM_URL: needs MOLECULE_ORG_SLUG beside it, or no session can be verified"
                .to_owned(),
        );
        return None;
    };
    let expected = "an http or https URL";
    let mut membership = parsed(mistakes, "CP_UPSTREAM_URL", &url, |url| {
        let url = reqwest::Url::parse(url).map_err(|_| expected)?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(url),
            _ => Err(expected),
        }
    })?;
    let path = format!(
        "{}/cp/auth/tenant-member",
        membership.path().trim_end_matches('/')
    );
    membership.set_path(&path);
    membership.set_query(None);
    membership.query_pairs_mut().append_pair("slug", &slug);
    Some(ControlPlane { membership, slug })
}

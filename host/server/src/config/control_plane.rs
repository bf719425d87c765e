//! The control plane's part of the configuration.

use super::values::parsed;

/// Where the control plane is, and who we are to it.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// `CP_UPSTREAM_URL`.
    pub base: reqwest::Url,
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
    let expected = "an http or https URL, without a user, a query or a fragment";
    let base = parsed(mistakes, "CP_UPSTREAM_URL", &url, |url| {
        let url = reqwest::Url::parse(url).map_err(|_| expected)?;
        match url.scheme() {
            "http" | "https" if url.has_host() && is_plain(&url) => Ok(url),
            _ => Err(expected),
        }
    })?;
    let mut membership = base.clone();
    let path = format!(
        "{}/cp/auth/tenant-member",
        membership.path().trim_end_matches('/')
    );
    membership.set_path(&path);
    membership.query_pairs_mut().append_pair("slug", &slug);
    Some(ControlPlane {
        base,
        membership,
        slug,
    })
}

/// What would be sent along with every request, or stand between the URL and the path that is added to it.
fn is_plain(url: &reqwest::Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

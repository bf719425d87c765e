//! The control plane's part of the configuration.

use super::values::parsed;

/// Where the control plane is, and who we are to it.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// `CP_UPSTREAM_URL`.
    pub base: reqwest::Url,
    /// Where sessions are verified; nowhere without a slug, which says whose members they must be.
    pub members: Option<Members>,
}

/// Whom the control plane is asked about.
#[derive(Clone, Debug)]
pub struct Members {
    /// `{CP_UPSTREAM_URL}/cp/auth/tenant-member?slug=…`.
    pub url: reqwest::Url,
    /// The tenant.
    pub slug: String,
}

/// The control plane, if there is one.
pub fn control_plane(
    url: Option<String>,
    slug: Option<String>,
    mistakes: &mut Vec<String>,
) -> Option<ControlPlane> {
    let url = url?;
    let expected = "an http or https URL, without a user, a query or a fragment";
    let base = parsed(mistakes, "CP_UPSTREAM_URL", &url, |url| {
        let url = reqwest::Url::parse(url).map_err(|_| expected)?;
        match url.scheme() {
            "http" | "https" if url.has_host() && is_plain(&url) => Ok(url),
            _ => Err(expected),
        }
    })?;
    let members = slug.map(|slug| {
        let mut url = base.clone();
        let path = format!("{}/cp/auth/tenant-member", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.query_pairs_mut().append_pair("slug", &slug);
        Members { url, slug }
    });
    Some(ControlPlane { base, members })
}

/// What would be sent along with every request, or stand between the URL and the path that is added to it.
fn is_plain(url: &reqwest::Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

//! The header in which a policy's signature comes.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::problem::Problem;

/// The header's name.
pub const POLICY_SIGNATURE: &str = "policy-signature";

/// The text of the `.minisig` file that the header holds in base64, if there is one.
pub fn policy_signature(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(POLICY_SIGNATURE).iter();
    let wrong = |why| Problem::bad_field("Policy-Signature", why);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(wrong("is there twice: a push brings one signature")),
        (Some(value), None) => {
            let bytes = STANDARD.decode(value.as_bytes()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let why = "is not the text of a .minisig file in base64";
            text.map(Some).ok_or_else(|| wrong(why))
        }
    }
}

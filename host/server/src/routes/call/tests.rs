//! What comes from outside in a request's line and head, against slower readers of the same.

use axum::http::Uri;
use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use proptest::prelude::*;

use super::proof::presented_proof;
use super::*;

fn uri(query: &str) -> Option<Uri> {
    format!("/approvals?{query}").parse().ok()
}

proptest! {
    /// The other reader splits by hand, and takes the library's word for percent-encoding only.
    #[test]
    fn a_query_is_each_name_once(text in "[a-c%=&+0-9]{0,24}") {
        let Some(uri) = uri(&text) else { return Ok(()) };
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let once: BTreeMap<_, _> = pairs.iter().cloned().collect();
        match query(&uri) {
            Ok(read) => {
                prop_assert_eq!(once.len(), pairs.len());
                prop_assert_eq!(read.into_iter().collect::<BTreeMap<_, _>>(), once);
            }
            Err(_) => prop_assert!(once.len() < pairs.len() || text.contains('%'), "{}", text),
        }
    }

    #[test]
    fn only_one_uuid_names_an_approval(values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..3)) {
        let mut headers = HeaderMap::new();
        for value in values {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append("approval-id", value);
            }
        }
        let count = headers.get_all("approval-id").iter().count();
        if let Ok(named) = named_approval(&headers) {
            prop_assert_eq!(usize::from(named.is_some()), count);
        }
    }

    #[test]
    fn an_approval_is_named_as_it_is_written(id in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}") {
        let mut headers = HeaderMap::new();
        headers.append("approval-id", HeaderValue::from_str(&id).expect("a value"));
        let named = named_approval(&headers).expect("it names one");
        prop_assert_eq!(named.map(|named| named.to_string()), Some(id.clone()));
        headers.append("approval-id", HeaderValue::from_str(&id).expect("a value"));
        prop_assert!(named_approval(&headers).is_err());
    }

    #[test]
    fn a_proof_that_is_there_twice_is_not_there(proof in "[A-Za-z0-9_-]{1,43}", more in "[a-z=&%+]{0,20}") {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        let once = format!("proof={proof}&{more}");
        let times = form_urlencoded::parse(once.as_bytes()).filter(|(name, _)| name == "proof").count();
        let presented = presented_proof(&headers, Door::Console, once.as_bytes());
        prop_assert_eq!(presented.map(|p| p.to_string()), (times == 1).then(|| proof.clone()));
        let twice = format!("proof={proof}&proof={proof}");
        prop_assert!(presented_proof(&headers, Door::Console, twice.as_bytes()).is_none());
        prop_assert!(presented_proof(&headers, Door::Http, once.as_bytes()).is_none());
    }
}

//! Requests whose end two readers could see in two places: whoever stands in front of the host or behind it
//! sees what the host sees, or nothing.

use super::forwarded::behind;
use super::sent;
use super::upstream::{Upstream, ok};

/// A second request, hidden in what one reader takes for a body.
fn hidden(host: &str) -> String {
    format!("GET /cp/auth/smuggled HTTP/1.1\r\nHost: {host}\r\nX: y\r\n\r\n")
}

// Guards: hyper's framing, anew in each direction; and the end of the connection after a chunked request,
// in host/server/src/routes/surround.rs.
#[tokio::test]
async fn what_is_hidden_behind_a_body_is_never_a_request() {
    let upstream = Upstream::answering(ok("", "an answer"));
    let host = behind(&upstream).start().await;
    let hidden = hidden(host.authority());
    let length = hidden.len();
    let chunk = format!("0\r\n\r\n{hidden}");
    let whole = chunk.len();
    for (name, headers, body) in [
        (
            "both, length first",
            format!("Content-Length: {whole}\r\nTransfer-Encoding: chunked\r\n"),
            &chunk,
        ),
        (
            "both, length last",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {whole}\r\n"),
            &chunk,
        ),
        (
            "chunked alone, and then something",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "two lengths",
            format!("Content-Length: 0\r\nContent-Length: {length}\r\n"),
            &hidden,
        ),
        (
            "a list of lengths",
            format!("Content-Length: 0, {length}\r\n"),
            &hidden,
        ),
        (
            "a length with a sign",
            format!("Content-Length: +{length}\r\n"),
            &hidden,
        ),
        (
            "a length in hex",
            format!("Content-Length: 0x{length:x}\r\n"),
            &hidden,
        ),
        (
            "a length with a space",
            "Content-Length: 0 0\r\n".to_owned(),
            &hidden,
        ),
        (
            "another coding",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "identity",
            "Transfer-Encoding: identity\r\n".to_owned(),
            &chunk,
        ),
        (
            "chunked not last",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            &chunk,
        ),
        (
            "two codings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(),
            &chunk,
        ),
        (
            "a space before the colon",
            "Transfer-Encoding : chunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "a space before the name",
            "X: y\r\n Transfer-Encoding: chunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "a vertical tab",
            "Transfer-Encoding: \x0bchunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "a bare line feed",
            "X: y\nTransfer-Encoding: chunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "a bare carriage return",
            "X: y\rTransfer-Encoding: chunked\r\n".to_owned(),
            &chunk,
        ),
        (
            "a null",
            "X: \0\r\nContent-Length: 0\r\n".to_owned(),
            &hidden,
        ),
    ] {
        upstream.forget();
        let request = format!(
            "POST /cp/orgs HTTP/1.1\r\nHost: {}\r\n{headers}\r\n{body}",
            host.authority()
        );
        let said = sent(&host, request.as_bytes()).await;
        let heard = upstream.heard();
        assert!(heard.len() <= 1, "{name}: {heard:?}");
        for request in &heard {
            assert_eq!(request.line(), "POST /cp/orgs", "{name}");
            // One length or one coding, never both.
            let framings = [
                request.header("content-length"),
                request.header("transfer-encoding"),
            ];
            assert!(
                framings.iter().flatten().count() <= 1,
                "{name}: {}",
                request.head
            );
        }
        let answers = said.matches("HTTP/1.1 ").count();
        assert_eq!(answers, 1, "{name}: {said}");
    }
    assert!(!host.said().contains("smuggled"), "{}", host.said());
}

#[tokio::test]
async fn chunks_that_are_none_are_refused_and_never_sent_on_as_whole() {
    let upstream = Upstream::answering(ok("", "an answer"));
    let host = behind(&upstream).start().await;
    for body in [
        "5\r\nabc",
        "-1\r\na\r\n0\r\n\r\n",
        "1\nab\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\na\r\n0\r\n\r\n",
        "g\r\n\r\n",
        "1\r\nab\r\n0\r\n\r\n",
    ] {
        upstream.forget();
        let request = format!(
            "POST /cp/orgs HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n{body}",
            host.authority()
        );
        let said = sent(&host, request.as_bytes()).await;
        assert!(!said.starts_with("HTTP/1.1 2"), "{body:?}: {said}");
        assert!(
            upstream.heard().is_empty(),
            "{body:?}: {:?}",
            upstream.heard()
        );
    }
}

#[tokio::test]
async fn a_request_without_a_body_is_followed_by_another_on_the_same_connection() {
    let upstream = Upstream::answering(ok("", "an answer"));
    let host = behind(&upstream).start().await;
    let get = format!(
        "GET /cp/orgs HTTP/1.1\r\nHost: {}\r\n\r\n",
        host.authority()
    );
    let last = get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let said = sent(&host, format!("{get}{get}{last}").as_bytes()).await;
    assert_eq!(said.matches("HTTP/1.1 200 ").count(), 3, "{said}");
    assert_eq!(upstream.heard().len(), 3);
}

use super::*;

#[tokio::test]
async fn a_page_is_complete_in_itself_and_can_be_heard_as_well_as_seen() {
    let person = with(&[("careful.wasm", &careful())]);
    for line in [
        &["policy", "matrix", "careful.wasm", "--format", "html"][..],
        &[
            "policy",
            "diff",
            "builtin",
            "careful.wasm",
            "--format",
            "html",
        ],
    ] {
        let page = person.run(line).await.out;
        for within in [
            "<!doctype html>",
            "<html lang=\"en\">",
            "<caption>",
            "<th scope=\"col\">",
            "<th scope=\"rowgroup\"",
            "prefers-color-scheme: dark",
            "position: sticky",
            "default-src 'none'",
        ] {
            assert!(page.contains(within), "`{within}` is not in {page}");
        }
        for without in [
            "<script", "http://", "https://", "<link", "<img", "url(", "@import",
        ] {
            assert!(!page.contains(without), "`{without}` is in {page}");
        }
    }
}

//! `CORS_ORIGINS`.

use super::values::origin;

/// Origins, with commas between them: each exactly one, as browsers write it.
pub fn origins(text: &str) -> Result<Vec<String>, &'static str> {
    const EXPECTED: &str = "browser origins with commas between them, such as https://app.example.org,http://localhost:3000 (neither `*` nor `null`: each is named)";
    text.split(',')
        .map(|one| {
            let one = one.trim();
            // What is written otherwise than browsers do would never match, or more than was meant.
            origin(one)
                .ok()
                .filter(|origin| origin.eq_ignore_ascii_case(one) && !one.contains('*'))
        })
        .collect::<Option<_>>()
        .ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        assert_eq!(
            origins("https://App.example, http://localhost:3000,http://[::1]:8080"),
            Ok(vec![
                "https://app.example".to_owned(),
                "http://localhost:3000".to_owned(),
                "http://[::1]:8080".to_owned(),
            ])
        );
        for mistake in [
            "",
            "*",
            "null",
            "https://app.example,*",
            "https://*.app.example",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?x",
            "https://app.example#x",
            "https://user@app.example",
            "https://:pass@app.example",
            "https://app.example:443",
            "app.example",
            "ftp://app.example",
            "file://",
            "chrome-extension://abc",
            "https://app.example https://b.example",
            "https://app.example,",
        ] {
            origins(mistake).expect_err(mistake);
        }
    }
}

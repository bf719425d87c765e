//! `countersign config check`.

use super::failure::Failure;
use super::table::Table;
use super::terminal::{self, Plain};
use crate::cli;
use crate::config::{
    Config, ConfigError, FileSays, Flags, Source, Sources, is_in_environment, keys,
};

/// A setting, and what is known of it.
struct Row {
    name: String,
    value: String,
    from: String,
}

/// Explains every mistake, or says what would be used and where each value comes from.
pub fn check(flags: Flags, sources: &Sources) -> Result<(), Failure> {
    let file_name = flags.config.as_ref().map(|path| path.display().to_string());
    let (config, file) = Config::look(flags);
    let rows = rows(&config, &file, (sources, file_name.as_deref()));
    let config = config.map_err(|error| explained(&error, &rows))?;
    let mut table = Table::new(&["SETTING", "VALUE", "FROM"], &[]);
    for row in &rows {
        table.row(
            [&row.name, &row.value, &row.from]
                .map(|cell| Plain::new(cell))
                .to_vec(),
        );
    }
    terminal::say(&format!(
        "The configuration is right: people reach the host at {}.\n\n{}",
        config.origin(),
        table.drawn(None)
    ));
    Ok(())
}

fn rows(
    config: &Result<Config, ConfigError>,
    file: &FileSays,
    (sources, file_name): (&Sources, Option<&str>),
) -> Vec<Row> {
    let settings: Vec<clap::Arg> = cli::settings().collect();
    let mut rows = Vec::new();
    for arg in &settings {
        let name = arg.get_id().to_string();
        let written = file.written.get(&name);
        let (value, from) = match (sources.get(&name), written, file_name) {
            (Some((Source::Flag, value)), _, _) => (
                value.to_owned(),
                format!("--{}", arg.get_long().unwrap_or_default()),
            ),
            (Some((Source::Environment, value)), _, _) => (value.to_owned(), variable(arg)),
            (None, Some(value), Some(file)) => (value.clone(), file.to_owned()),
            _ => (default(arg), "default".to_owned()),
        };
        // The driver knows best what of its URL is a password.
        let value = match (name.as_str(), config) {
            ("database_url", Ok(config)) => config.database.to_string(),
            ("database_url", Err(_)) if from != "default" => "…".to_owned(),
            _ => without_password(&value),
        };
        rows.push(Row { name, value, from });
    }
    for key in keys() {
        if settings.iter().any(|arg| arg.get_id() == key) {
            continue;
        }
        // What is no flag is a secret, of which only this is shown.
        let variable = key.to_uppercase();
        let (value, from) = match (is_in_environment(&variable), file_name) {
            (true, _) => ("set", variable),
            (false, Some(file_name)) if file.written.contains_key(*key) => {
                ("set", file_name.to_owned())
            }
            _ => ("unset", "default".to_owned()),
        };
        rows.push(Row {
            name: (*key).to_owned(),
            value: value.to_owned(),
            from,
        });
    }
    rows
}

/// The mistakes, each with where the value comes from that is one.
fn explained(ConfigError(mistakes): &ConfigError, rows: &[Row]) -> Failure {
    let settings: Vec<clap::Arg> = cli::settings().collect();
    let mistakes = mistakes.iter().map(|mistake| {
        let name = mistake.split(':').next().unwrap_or_default();
        let setting = settings
            .iter()
            .find(|arg| variable(arg) == name)
            .map_or_else(|| name.to_lowercase(), |arg| arg.get_id().to_string());
        let from = rows
            .iter()
            .find(|row| row.name == setting && row.from != "default" && row.from != name);
        match from {
            Some(row) => format!("{mistake} (from {})", row.from),
            None => mistake.clone(),
        }
    });
    Failure::failed(ConfigError(mistakes.collect()).to_string())
}

fn variable(arg: &clap::Arg) -> String {
    arg.get_env()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// The default that the flag's help names.
fn default(arg: &clap::Arg) -> String {
    let help = arg
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default()
        .replace('\n', " ");
    let named = help
        .split_once("[default: ")
        .and_then(|(_, rest)| rest.rsplit_once(']'))
        .map(|(default, _)| default.to_owned());
    named.unwrap_or_else(|| "none".to_owned())
}

/// A URL without what could be a password in it.
fn without_password(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((who, _)) => {
            let user = who.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}{}", &rest[who.len()..])
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(without_password("http://u:p@h:1/x"), "http://u@h:1/x");
        assert_eq!(without_password("http://u:p@x@h/"), "http://u@h/");
        assert_eq!(
            without_password("https://h/x?a=u:p@h"),
            "https://h/x?a=u:p@h"
        );
        assert_eq!(without_password("127.0.0.1:8080"), "127.0.0.1:8080");
    }

    #[test]
    fn every_setting_has_a_row_with_its_default() {
        let rows = rows(
            &Config::load(Flags::default()),
            &FileSays::default(),
            (&Sources::default(), None),
        );
        let value = |name| {
            let row = rows.iter().find(|row| row.name == name);
            row.unwrap_or_else(|| panic!("a row for {name}"))
                .value
                .as_str()
        };
        assert_eq!(value("listen"), "127.0.0.1:8080");
        assert_eq!(value("data_dir"), "./countersign-data");
        assert_eq!(value("admin_token"), "unset");
    }
}

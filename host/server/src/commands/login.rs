//! `countersign login` and `countersign logout`.

use countersign_core::time::{Clock as _, SystemClock};
use reqwest::Method;
use serde_json::json;

use super::answers::SignedIn;
use super::client::{self, Client, Credential, Request};
use super::failure::{Exit, Failure};
use super::moments::when;
use super::session::{self, Session};
use super::terminal::{self, Plain};
use crate::cli::Login;
use crate::config::{Config, Flags, Hidden};
use crate::control_socket::{AskError, ask_for_link};
use crate::data_dir::write_private;

/// No login link is longer.
const MAX_LINK: u64 = 2048;
/// Between a link's origin and what makes it one.
const PATH: &str = "/console/sign-in?link=";

/// Signs somebody in: here, or in a browser.
pub async fn login(login: Login, flags: Flags) -> Result<(), Failure> {
    let link = match &login.link {
        None => new_link(flags.clone()).await?,
        Some(from) if from == "-" => terminal::read_line("Paste the login link: ", MAX_LINK)
            .map_err(|error| Failure::failed(format!("cannot read the link: {error}")))?,
        // It may be the link itself, and is not repeated.
        Some(_) => {
            return Err(Failure::usage(
                "--link takes `-` and reads the link from standard input: an argument shows in the list of processes. If that was a link, make a new one, which ends this one",
            ));
        }
    };
    if login.browser {
        return invite(&link, flags);
    }
    let (of_link, secret) = match link.split_once(PATH) {
        Some((origin, secret)) => (Some(origin), secret),
        None => (None, link.as_str()),
    };
    let named = login.url.as_deref().filter(|url| !url.is_empty());
    let url = named.or(of_link).ok_or_else(|| {
        Failure::usage("that is no whole login link: say at which host it is one, as in `countersign login https://countersign.example.org --link -`")
    })?;
    let origin = client::origin(url)?;
    let session = redeem(Client::at(origin, Credential::Nobody)?, secret).await?;
    let before = Session::found();
    let path = match session.keep() {
        Ok(path) => path,
        Err(failure) => {
            // Nobody could use it.
            let _ = end(session).await;
            return Err(failure);
        }
    };
    terminal::say(&format!(
        "Signed in at {} as the operator, until {}.\n  session  {}",
        session.url,
        when(session.expires_at),
        Plain::new(&path.display().to_string())
    ));
    match before {
        Some(before) if before.url == session.url => {
            // Nobody has its cookie any more; if it cannot be ended, time ends it.
            let _ = end(before).await;
        }
        Some(before) => terminal::tell(&format!(
            "note: the session at {} is no longer kept here, and ends {}",
            Plain::new(&before.url),
            when(before.expires_at)
        )),
        None => {}
    }
    Ok(())
}

async fn new_link(flags: Flags) -> Result<String, Failure> {
    let config = Config::load(flags).map_err(|error| Failure::usage(error.to_string()))?;
    ask_for_link(&config.data_dir).await.map_err(|error| {
        let sentence = crate::report(&error);
        match error {
            AskError::NotRunning(_) => Failure::new(
                Exit::Unreachable,
                format!(
                    "{sentence}: start one, name its folder by --data-dir, or for a host elsewhere run `countersign login --browser` there and paste the link into `countersign login --link -` here"
                ),
            ),
            AskError::Broken { .. } => Failure::new(Exit::Unreachable, sentence),
            AskError::NotAllowed(_) | AskError::Refused(_) => Failure::failed(sentence),
        }
    })
}

/// Hands the link to whoever looks at the terminal. What a program prints elsewhere ends up in logs.
fn invite(link: &str, flags: Flags) -> Result<(), Failure> {
    if terminal::is_seen() {
        terminal::say(&format!(
            "{}\n  (works once, for ten minutes)",
            Plain::new(link)
        ));
        return Ok(());
    }
    let config = Config::load(flags).map_err(|error| Failure::usage(error.to_string()))?;
    let link = format!("{link}\n");
    let path = write_private(&config.data_dir, "login-link", link.as_bytes()).map_err(|error| {
        Failure::failed(format!(
            "cannot write the link into `{}`: {error}",
            Plain::new(&config.data_dir.display().to_string())
        ))
    })?;
    terminal::say(&format!(
        "The link is in {} (works once, for ten minutes).",
        path.display()
    ));
    Ok(())
}

async fn redeem(client: Client, secret: &str) -> Result<Session, Failure> {
    let request = Request::new(Method::POST, "/sign-in", Some(json!({ "link": secret })));
    let answer = client.get(&request, false).await?;
    let signed_in: SignedIn = client.parse(&answer)?;
    let cookie = answer
        .headers
        .get("set-cookie")
        .and_then(|cookie| cookie.to_str().ok()?.split(';').next())
        .ok_or_else(|| Failure::failed("the host gave no session: is it a Countersign host?"))?;
    Ok(Session {
        url: client.origin(),
        cookie: Hidden::new(cookie.to_owned()),
        proof: signed_in.proof,
        expires_at: signed_in.expires_at,
    })
}

/// Ends the session, here and at the host.
pub async fn logout() -> Result<(), Failure> {
    // One that others could read is to be ended all the more.
    let session = match Session::found() {
        Some(session) => session,
        None => match Session::load()? {
            Some(session) => session,
            None => {
                terminal::say("Nobody is signed in here.");
                return Ok(());
            }
        },
    };
    let (url, expires_at) = (Plain::new(&session.url), session.expires_at);
    let ended = match session.alive(SystemClock.now()) {
        Ok(session) => end(session).await,
        Err(_) => Ok(()),
    };
    session::forget()?;
    ended.map_err(|failure| {
        Failure::new(
            failure.exit,
            format!(
                "the session at {url} is forgotten here, but the host could not be told, where it lives until {}: {}",
                when(expires_at),
                failure.sentence
            ),
        )
    })?;
    terminal::say(&format!("Signed out of {url}."));
    Ok(())
}

async fn end(session: Session) -> Result<(), Failure> {
    let origin = client::origin(&session.url)?;
    let client = Client::at(origin, Credential::Session(session))?;
    let request = Request::new(Method::POST, "/console/sign-out", None);
    let answer = client.ask(&request).await?;
    match answer.status {
        // To the page for signing in: it is ended, or was.
        200..=399 => Ok(()),
        _ => Err(client.failure(&answer)),
    }
}

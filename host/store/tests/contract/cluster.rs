//! A PostgreSQL cluster that is thrown away: started from the installed binaries, on a socket in a
//! temporary folder, once for each test process; or the server that `DATABASE_URL` names.
//!
//! PostgreSQL refuses to run as root, so then it runs as a user of its own.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes a cluster, starts it, says so, and waits until its standard input ends, which it does with the
/// test's process, however that ends. Then it stops the server by its pid and removes the folder.
const KEEPER: &str = r#"
set -eu
folder=$1; bin=$2
finish() {
  [ -z "${server:-}" ] || { kill -INT "$server" 2>/dev/null || :; wait "$server" || :; }
  rm -rf "$folder/cluster" "$folder/socket"
}
trap finish EXIT
cd "$folder"
mkdir socket
"$bin/initdb" -D "$folder/cluster" -U countersign -A trust -E UTF8 --locale=C.UTF-8 --no-sync >log 2>&1
"$bin/postgres" -D "$folder/cluster" -k "$folder/socket" -c listen_addresses= -c max_connections=400 \
  -c "fsync=${FSYNC:-off}" -c "full_page_writes=${FSYNC:-off}" -c log_min_messages=fatal >>log 2>&1 </dev/null &
server=$!
for _ in $(seq 300); do
  if "$bin/pg_isready" -q -h "$folder/socket"; then echo ready; cat >/dev/null; exit 0; fi
  kill -0 "$server" 2>/dev/null || { cat log >&2; exit 1; }
  sleep 0.1
done
cat log >&2
exit 1
"#;

/// A server on which databases can be made.
pub struct Cluster {
    /// The URL of one of its databases, with `{database}` in place of the name.
    template: String,
    made: AtomicU32,
}

impl Cluster {
    /// The one of this process.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            let template = given().unwrap_or_else(started);
            Self {
                template,
                made: AtomicU32::new(0),
            }
        })
    }

    /// The URL of the database that is always there.
    pub fn url(&self) -> String {
        self.named("postgres")
    }

    /// The URL of a database of that name, which may not be there.
    pub fn named(&self, database: &str) -> String {
        self.template.replace("{database}", database)
    }

    /// A name that no other database has.
    pub fn fresh_name(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        format!("countersign_test_{}_{number}", std::process::id())
    }
}

/// The server of `DATABASE_URL`, if that names one. Its user must be allowed to make databases.
#[expect(
    clippy::disallowed_methods,
    reason = "this is how a test is told of a server"
)]
fn given() -> Option<String> {
    let url = std::env::var("DATABASE_URL").ok()?;
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.starts_with("postgres") {
        return None;
    }
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, ""), |(rest, query)| (rest, query));
    let authority = rest.split('/').next()?;
    Some(format!("{scheme}://{authority}/{{database}}?{query}"))
}

fn started() -> String {
    let bin = binaries().unwrap_or_else(|| {
        panic!("PostgreSQL is not installed: on Debian, apt-get install postgresql; or set DATABASE_URL=postgres://…")
    });
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    let mut keeper = Command::new("sh");
    keeper.args(["-c", KEEPER, "keeper"]).arg(&folder).arg(&bin);
    if rustix::process::geteuid().is_root() {
        let (user, group) = user_of_its_own();
        chown(&folder, Some(user), Some(group)).expect("root gives a folder away");
        keeper.uid(user).gid(group);
    }
    let mut keeper = keeper
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut said = String::new();
    let stdout = keeper.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut said)
        .expect("it speaks UTF-8");
    assert_eq!(
        said,
        "ready\n",
        "the cluster in {} does not start",
        folder.display()
    );
    // The keeper's standard input stays open for as long as this process lives.
    std::mem::forget(keeper);
    let socket = folder.join("socket").display().to_string();
    format!("postgres://countersign@localhost/{{database}}?host={socket}")
}

/// Where the newest installed server is: Debian keeps it out of the path.
fn binaries() -> Option<PathBuf> {
    let has_server =
        |folder: &Path| folder.join("postgres").is_file() && folder.join("initdb").is_file();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut debian: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| has_server(folder))
        .collect();
    debian.sort();
    debian.pop().map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| has_server(folder))
    })
}

/// The ids of the user that PostgreSQL's package makes, else of nobody.
fn user_of_its_own() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("a list of users");
    let ids = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(())?;
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            Some((user, group))
        })
    };
    ids("postgres")
        .or_else(|| ids("nobody"))
        .expect("a user that is not root")
}

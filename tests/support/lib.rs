//! What the tests drive the host with: the built binary in a process of its own, on a real socket and a
//! data folder that is thrown away; a control plane likewise; and callers as values.
//!
//! Nothing here stands in for a part of the host.

mod caller;
mod command_line;
mod database;
mod disk;
pub mod edge;
mod fake_clock;
mod host;
mod process;
mod stream;
mod upstream;
mod wait;
mod yardstick;

/// Policy modules by hand, the ones that the engine's own tests load.
#[path = "../../host/engine/wat/guest.rs"]
#[expect(
    missing_docs,
    reason = "the file belongs to the engine's tests, which document it"
)]
pub mod guest;

/// The PostgreSQL server that databases are made on, the one of the store's own tests.
#[path = "../../host/store/tests/contract/cluster.rs"]
mod cluster;

pub use caller::{Caller, Reply};
pub use command_line::{CommandLine, Running, Said};
pub use database::Database;
pub use disk::Disk;
pub use edge::{Edge, SigningKey};
pub use fake_clock::FakeClock;
pub use host::{Failure, Host, HostBuilder, OperatorSession};
pub use process::built;
pub use stream::{Event, Stream};
pub use upstream::{Call, ControlPlane, Mode};
pub use wait::{until, within};
pub use yardstick::Yardstick;

//! What the tests drive the host with: the built binary in a process of its own, on a real socket and a
//! data folder that is thrown away; a control plane likewise; and callers as values.
//!
//! Nothing here stands in for a part of the host.

mod caller;
mod host;
mod process;
mod upstream;
mod wait;

/// Policy modules by hand, the ones that the engine's own tests load.
#[path = "../../host/engine/wat/guest.rs"]
#[expect(
    missing_docs,
    reason = "the file belongs to the engine's tests, which document it"
)]
pub mod guest;

pub use caller::{Caller, Reply};
pub use host::{Failure, Host, HostBuilder, OperatorSession};
pub use process::built;
pub use upstream::{Call, ControlPlane, Mode};
pub use wait::until;

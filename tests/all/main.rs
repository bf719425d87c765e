//! The whole thing, driven through its front doors: one binary, a module for each subject.

mod bad_http;
mod bad_input;
mod browser;
mod clock;
mod compile_bombs;
mod connections;
mod control_plane;
mod crash;
mod credentials;
mod failing_disk;
mod fleet;
mod guards;
mod incident;
mod layout;
mod plaintext;
mod policy_changes;
mod policy_table;
mod reload;
mod sandbox_page;
mod sign_in;
mod stage;
mod start;
mod system_calls;
mod workspace_secrets;
mod workspace_tokens;
mod workspaces;

//! Embedded migrations are part of the crate: a new one makes it new.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}

//! What the console answers, read without a browser.

mod about;
mod broken;
mod confined;
mod disguise;
mod export;
mod falls;
mod filters;
mod glance;
mod kept;
mod led_back;
mod lost;
mod playground;
mod revocation;
mod sessions;

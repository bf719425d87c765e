//! What the console answers, read without a browser.

mod export;
mod glance;
mod lost;
mod playground;

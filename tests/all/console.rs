//! What the console answers, read without a browser.

mod glance;
mod lost;

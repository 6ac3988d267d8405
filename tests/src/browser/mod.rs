//! A real browser: Debian's Chromium, headless, driven over WebDriver.
//!
//! | module | holds |
//! |---|---|
//! | `driver` | chromedriver, and what one tells it to do |
//! | `keyboard` | somebody who has a keyboard alone |
//! | `look` | what every page must come up to, by eye, by ear and on a narrow screen |

mod driver;
mod keyboard;
mod look;

pub use driver::Chromium;
pub use look::Look;

//! The component: the contract's imports and its export, and nothing that decides anything.
#![allow(unsafe_code, reason = "the generated export of the component")]

use crate::bindings;
use crate::bindings::exports::seatline::license_visibility::reporter::{Guest, Occasion};
use crate::bindings::seatline::license_visibility::accounts::Page;
use crate::bindings::seatline::license_visibility::application_link::Settings;
use crate::bindings::seatline::license_visibility::journal::Level;
use crate::bindings::seatline::license_visibility::types::{License, Measurement, Refusal, Report};
use crate::bindings::seatline::license_visibility::{accounts, application_link, journal, licensing, usage};
use crate::collect::{self, Host};

struct Component;

impl Guest for Component {
    fn run(occasion: Occasion) -> Result<(), String> {
        collect::run(&mut Imports, occasion.today)
    }
}

struct Imports;

impl Host for Imports {
    fn settings(&mut self) -> Result<Settings, Refusal> {
        application_link::current_settings()
    }

    fn accounts(&mut self, cursor: Option<u64>, max: u32) -> Result<Page, Refusal> {
        accounts::next_page(cursor, max)
    }

    fn measurements(&mut self) -> Result<Vec<Measurement>, Refusal> {
        usage::measure()
    }

    fn licenses(&mut self) -> Result<Vec<License>, Refusal> {
        licensing::licenses()
    }

    fn submit(&mut self, report: Report) -> Result<(), Refusal> {
        application_link::submit(&report)
    }

    fn log(&mut self, level: Level, line: &str) {
        journal::log(level, line);
    }
}

bindings::export!(Component with_types_in bindings);

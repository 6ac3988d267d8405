//! `seatline server-id`

use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::instance::Instance;

/// Show the server ID: made at the first start, the same for as long as the instance lives
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline server-id")]
pub struct Options {}

#[derive(Serialize)]
struct Shown<'a> {
    server_id: &'a seatline_protocol::ServerId,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let server_id = instance.host.server_id();
    context.output.show(&Shown { server_id: &server_id }, |page| page.line(&server_id))
}

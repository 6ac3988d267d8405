//! `single-sign-on`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Output};
use crate::sso::{Sso, SsoConfig, SsoError};

#[derive(Debug, Subcommand)]
pub(super) enum SingleSignOnCommand {
    /// Read a configuration, and ask its provider for what a sign-in needs: what is wrong is told before anybody signs
    /// in
    #[command(after_help = "Example:\n  seatline-central single-sign-on check /etc/seatline/single-sign-on.toml")]
    Check {
        /// The file that `serve --single-sign-on` is given
        file: PathBuf,
    },
}

impl SingleSignOnCommand {
    pub(super) async fn run(self, output: Output) -> Result<(), Failure> {
        let Self::Check { file } = self;
        let config = SsoConfig::read(&file)?;
        let told = json!({ "issuer": config.issuer, "client_id": config.client_id, "roles": config.roles });
        let checked = tokio::task::spawn_blocking(move || Sso::new(config).check()).await;
        checked.map_err(|error| SsoError::Config(error.to_string()))??;
        output.show(&told, || format!("{} can be used.\n", file.display()))
    }
}

//! `seatline state …`

use std::path::Path;

use crate::failure::Failure;

/// Where a state is to be, as options of a command name it.
pub struct StatePlace<'o> {
    /// The database.
    pub url: &'o str,
    /// The file with its password.
    pub password_file: Option<&'o Path>,
    /// The authority of its certificate.
    pub ca_file: Option<&'o Path>,
    /// The schema.
    pub schema: Option<&'o str>,
}

impl StatePlace<'_> {
    /// The section of seatline.toml that says so.
    ///
    /// # Errors
    /// When a file is named where there is no present directory.
    pub fn section(&self) -> Result<String, Failure> {
        let mut text = format!("\n[state]\nstore = \"postgresql\"\ndatabase = {}\n", quoted(self.url));
        for (key, file) in [("password_file", self.password_file), ("tls_ca_file", self.ca_file)] {
            if let Some(file) = file {
                // Paths in seatline.toml are relative to its own directory.
                let file = std::path::absolute(file).map_err(|error| Failure::io("find", file, &error))?;
                text.push_str(&format!("{key} = {}\n", quoted(&file.to_string_lossy())));
            }
        }
        if let Some(schema) = self.schema {
            text.push_str(&format!("schema = {}\n", quoted(schema)));
        }
        Ok(text)
    }
}

/// Text as TOML has it.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

//! A real SCIM server (scim2-server, from `target/python`) of a test's own.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::server::{Guarded, free_port};

/// A running server that takes the token `hunter2`.
pub struct ScimServer {
    _guard: Guarded,
    /// The address above `/Users`.
    pub url: String,
}

impl ScimServer {
    /// Starts a server; with `cursors`, one that pages by cursor.
    ///
    /// # Panics
    /// When scim2-server is not installed, with what to do.
    pub fn start(cursors: bool) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/scim2-server");
        assert!(
            path.exists(),
            "scim2-server is needed for this test: `cargo xtask test` installs it into target/python"
        );
        let dir = tempfile::Builder::new().prefix("scim").tempdir_in("/tmp").expect("a directory").keep();
        let port = free_port();
        let mut server = Command::new(path);
        server.args(["--bearer-token", "hunter2", "--port", &port.to_string()]);
        if cursors {
            let no = json!({ "supported": false });
            let config = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
                "patch": no, "changePassword": no, "sort": no, "etag": no,
                "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
                "filter": { "supported": true, "maxResults": 1000 },
                "authenticationSchemes": [],
                "pagination": {
                    "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 2,
                    "maxPageSize": 1000, "cursorTimeout": 3600
                },
            });
            std::fs::write(dir.join("config.json"), config.to_string()).expect("the configuration");
            server.arg("--service-provider-config").arg(dir.join("config.json"));
        }
        let mut guard = Guarded::start(&dir, &server);
        guard.wait(&dir, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { _guard: guard, url: format!("http://127.0.0.1:{port}/v2") }
    }

    /// Makes a resource, and gives its id.
    pub fn create(&self, kind: &str, resource: &Value) -> String {
        let request = ureq::post(format!("{}/{kind}", self.url)).header("Authorization", "Bearer hunter2");
        let answer = request.content_type("application/scim+json").send(resource.to_string());
        let answer = answer.expect("it is made").body_mut().read_to_string().expect("the resource");
        let made: Value = serde_json::from_str(&answer).expect("JSON");
        made["id"].as_str().expect("its id").to_owned()
    }
}
